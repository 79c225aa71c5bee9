"""Stand-ins for what lies outside the application, each with the shape of the protocol it stands in for."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from PIL import Image
from pixel_prompt.adapters.transport import Answer, Call, Deadline
from pixel_prompt.log import Log
from pixel_prompt.models import Life
from pixel_prompt.pictures import Picture
from pixel_prompt.validation import Wish

START = 1_767_225_600.0 + 1800  # 2026-01-01T00:30:00Z


def any_text(max_size: int) -> st.SearchStrategy[str]:
    """Any code points at all, lone surrogates included; st.text() spends seconds on tables of them."""
    return st.lists(st.integers(0, 0x10FFFF), max_size=max_size).map(lambda codes: "".join(map(chr, codes)))


def image(kind: str = "PNG", width: int = 128, height: int = 96) -> bytes:
    """A real image file."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 90)).save(buffer, kind)
    return buffer.getvalue()


class FakeClock:
    """Seconds since 1970, moved by hand; sleeping moves it too."""

    def __init__(self, at: float = 0.0) -> None:
        self.at = at
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def json_answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(document).encode(), headers or {})


@dataclass
class FakeWire:
    """Plays a script of answers and exceptions; the last one repeats."""

    script: list[Answer | Exception]
    calls: list[Call] = field(default_factory=list)

    def send(self, call: Call, deadline: Deadline) -> Answer:
        self.calls.append(call)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step

    def sent(self, index: int = 0) -> Any:
        """The JSON of a call's body."""
        return json.loads(self.calls[index].body or b"")


@dataclass
class FakeBody:
    """A botocore answer's streaming body."""

    data: bytes

    def read(self) -> bytes:
        return self.data


@dataclass
class FakeBedrock:
    """Bedrock's runtime: one answer, or one exception."""

    answer: object
    calls: list[dict[str, Any]] = field(default_factory=list)

    def invoke_model(self, **arguments: Any) -> Mapping[str, Any]:
        self.calls.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        data = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return {"body": FakeBody(data)}

    def sent(self) -> Any:
        return json.loads(self.calls[0]["body"])


@dataclass
class FakeCatalogue:
    """Bedrock itself: what it says of every model, or one exception."""

    lifecycle: Mapping[str, Any] | Exception
    asked: list[str] = field(default_factory=list)

    def get_foundation_model(self, **arguments: Any) -> Mapping[str, Any]:
        self.asked.append(arguments["modelIdentifier"])
        if isinstance(self.lifecycle, Exception):
            raise self.lifecycle
        return {"modelDetails": {"modelLifecycle": self.lifecycle}}


@dataclass
class FakeS3:
    """Remembers what was stored."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put_object(self, **arguments: Any) -> Mapping[str, Any]:
        self.objects[arguments["Key"]] = arguments
        return {}


class FakeDynamoDb:
    """Has every call and no items."""

    def get_item(self, **arguments: Any) -> Mapping[str, Any]:
        return {}

    def put_item(self, **arguments: Any) -> Mapping[str, Any]:
        return {}

    def update_item(self, **arguments: Any) -> Mapping[str, Any]:
        return {}

    def delete_item(self, **arguments: Any) -> Mapping[str, Any]:
        return {}

    def query(self, **arguments: Any) -> Mapping[str, Any]:
        return {}


@dataclass
class FakeStore:
    """Remembers pictures by key."""

    pictures: dict[str, Picture] = field(default_factory=dict)

    def put(self, job_id: str, model: str, picture: Picture) -> str:
        key = f"images/{job_id}/{model}.{picture.extension}"
        self.pictures[key] = picture
        return key


@dataclass
class FakeSecrets:
    """Secrets Manager with one secret: keys by vendor, or an answer as it is, or what is raised."""

    keys: dict[str, str]
    answer: Mapping[str, Any] | Exception | None = None
    reads: int = 0

    def get_secret_value(self, **arguments: Any) -> Mapping[str, Any]:
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or {"SecretString": json.dumps(self.keys)}


@dataclass
class FakeQueue:
    """Remembers how long messages were hidden."""

    hidden: list[int] = field(default_factory=list)
    failure: Exception | None = None

    def change_message_visibility(self, **arguments: Any) -> Mapping[str, Any]:
        if self.failure:
            raise self.failure
        self.hidden.append(arguments["VisibilityTimeout"])
        return {}


@dataclass
class FakeAdapter:
    """Makes the same image again and again, or fails the same way."""

    outcome: bytes | Exception = field(default_factory=image)
    wishes: list[Wish] = field(default_factory=list)
    before: Callable[[], None] | None = None

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        self.wishes.append(wish)
        if self.before:
            self.before()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def check_key(self, deadline: Deadline) -> None:
        if isinstance(self.outcome, Exception):
            raise self.outcome

    def life(self, deadline: Deadline) -> Life | None:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return Life()


@dataclass
class FakeContext:
    """What Lambda tells about an invocation."""

    aws_request_id: str = "request-1"
    remaining_ms: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


class RecordedLog:
    """A Log and the lines it has written."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.log = Log({"function": "test"}, self._stream)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]
