"""Drills: something that a job needs is broken on purpose, and the job has to survive it.

Invoked directly with ``{"action": "drill", "slowDowns": 2, "modelsDown": 1}`` the worker makes a job of its own and
works on it as on any other, except that S3 refuses each image so many times with 503 SlowDown before it takes it,
and that nobody can be reached behind the first so many models. The other models' vendors are not asked: a picture
stands in for theirs, so that a drill costs nothing. The job is in no gallery and expires within an hour. No route
of the API leads here, and no message of the queue.

A drill is given clients of its own. With those of the jobs its retries would come out of the same quota, and after
some drills no upload of a user's would be tried again.

It answers ``{"jobId", "down": [models], "refusals": how many answers S3 was made to give}``.
"""

import io
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from pixel_prompt.adapters import Adapter, Means, adapter_for
from pixel_prompt.adapters.transport import Answer, Call, Caller, Deadline, NotSent
from pixel_prompt.generation import Generator, JobUnfinished, Store
from pixel_prompt.jobs import Jobs
from pixel_prompt.log import Log, describe
from pixel_prompt.models import Life, Model
from pixel_prompt.validation import Wish
from pixel_prompt.web import correlation_id_of

PROMPT: Final = "a drill"
_SLOW_DOWN: Final = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_MOST_SLOW_DOWNS: Final = 10
_SIDE: Final = 64


@dataclass(frozen=True, slots=True)
class Breakage:
    """What is broken. ``slow_downs`` are refusals an image, ``models_down`` counts models."""

    slow_downs: int
    models_down: int

    @classmethod
    def read(cls, event: Mapping[str, Any], models: int) -> "Breakage":
        """What the event asks for.

        Raises:
            ValueError: it is no count, or one out of range.
        """
        return cls(
            slow_downs=_count(event, "slowDowns", _MOST_SLOW_DOWNS),
            models_down=_count(event, "modelsDown", models),
        )


def _count(event: Mapping[str, Any], name: str, most: int) -> int:
    value = event.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{name} is a count from 0 to {most}")
    return value


class Drills:
    """Runs drills with what is given to it, which nobody else uses: ``s3`` is the client that ``store`` calls."""

    def __init__(self, *, jobs: Jobs, store: Store, s3: Any, models: tuple[Model, ...]) -> None:
        self._jobs = jobs
        self._store = store
        self._s3 = s3
        self._models = models

    def run(self, event: Mapping[str, Any], seconds: float, log: Log) -> dict[str, Any]:
        """Make a job, break what the event names, and work on the job at most ``seconds`` long.

        However the job ends, the answer names it: what became of it is for the caller to look up.

        Raises:
            ValueError: the event asks for what cannot be broken.
        """
        breakage = Breakage.read(event, len(self._models))
        correlation_id = correlation_id_of({"x-correlation-id": str(event.get("correlationId"))})
        models = {model.id: model for model in self._models}
        down = list(models)[: breakage.models_down]
        job = self._jobs.create(Wish(PROMPT), models, correlation_id, drill=True)
        log = log.bind(jobId=job.id, correlationId=correlation_id, drill=True)
        log.info("drill_started", slowDowns=breakage.slow_downs, down=down)
        generator = Generator(
            jobs=self._jobs, store=self._store, models=models, adapter_for=_adapters(frozenset(down))
        )
        with slow_downs(self._s3, breakage.slow_downs) as refusals:
            try:
                generator.run(job, f"drill/{uuid.uuid4().hex[:8]}", seconds, log)
            except JobUnfinished:
                log.info("job_held_elsewhere")
            except Exception as error:  # noqa: BLE001 (a drill is there to show what happens then)
                log.failure("job_crashed", **describe(error))
        log.info("drill_ended", refusals=refusals.total())
        return {"jobId": job.id, "down": down, "refusals": refusals.total()}


def _adapters(down: frozenset[str]) -> Callable[[Model], Adapter]:
    """From a model to its real adapter behind a dead network, or to what stands in for it."""
    nobody = Means(
        caller=Caller(_DeadWire()), key=lambda _vendor: "none", bedrock=_dead_bedrock, catalogue=_dead_bedrock
    )
    return lambda model: adapter_for(model, nobody) if model.id in down else _Painter()


class _DeadWire:
    """A network on which no connection is ever made."""

    def send(self, _call: Call, _deadline: Deadline) -> Answer:
        """See transport.Wire."""
        raise NotSent


def _dead_bedrock(region: str) -> Any:
    raise EndpointConnectionError(endpoint_url=f"bedrock-runtime in {region}")


class _Painter:
    """Stands in for a vendor that works."""

    def generate(self, _wish: Wish, _deadline: Deadline) -> bytes:
        """See adapters.Adapter."""
        return grey_png(_SIDE)

    def check_key(self, _deadline: Deadline) -> None:
        """See adapters.Adapter."""

    def life(self, _deadline: Deadline) -> Life | None:
        """See adapters.Adapter."""


def grey_png(side: int) -> bytes:
    """A grey square as PNG. Source: PNG specification, https://www.w3.org/TR/png-3/ , chunk layout."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])  # 8 bits of grey
    rows = (b"\x00" + b"\x80" * side) * side
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@contextmanager
def slow_downs(s3: Any, times: int) -> Iterator[Counter[str]]:
    """Answer the first attempts to store each object in S3's place; the refusals are counted by object.

    It is botocore's own transport that is stood in for: everything above it, retries above all, is what
    every job uses.
    """
    refused: Counter[str] = Counter()

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        # One thread stores one object, so nobody else counts under this name.
        if refused[request.url] >= times:
            return None
        refused[request.url] += 1
        headers: Any = {"content-type": "application/xml", "x-amz-request-id": "drill"}
        return AWSResponse(request.url, HTTPStatus.SERVICE_UNAVAILABLE.value, headers, _Raw(_SLOW_DOWN))

    event = "before-send.s3.PutObject"
    s3.meta.events.register(event, answer)
    try:
        yield refused
    finally:
        s3.meta.events.unregister(event, answer)


class _Raw(io.BytesIO):
    """What urllib3 would hand to botocore."""

    def stream(self, amount: int = 1024, **_: Any) -> Iterator[bytes]:
        """The body in pieces."""
        while piece := self.read(amount):
            yield piece
