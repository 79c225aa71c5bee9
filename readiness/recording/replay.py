"""Answers from a recording, instead of AWS and all other servers. No connection is made."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import botocore.exceptions
from botocore.awsrequest import AWSResponse
from botocore.response import StreamingBody

from readiness import errors
from readiness.errors import NotRecorded, Unverified
from readiness.exchanges import OWN
from readiness.recording.chance import Chance, Clock
from readiness.recording.record import request_of
from readiness.recording.scopes import Scopes
from readiness.recording.scrub import WITHHELD, Scrubber
from readiness.recording.tape import Line
from readiness.recording.values import OF_CHECKOUT, of_bytes, plain, restored
from readiness.recording.watch import CONNECTS, RESOLVES

_CALL = "verification_call"
# What differs from run to run, where the seed does not reach: moments, and names drawn by threads side by side.
_VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?|\d{4}-\d\d-\d\d"  # moments
    r"|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"
    r"|(?<!\d)1\d{9}(?:\d{3})?(?:\.\d+)?(?!\d)"  # seconds or milliseconds since 1970
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"  # UUIDs
    r"|(?<![\d.])198\.1[89]\.\d+\.\d+"  # addresses without an owner
)
_READS = re.compile(r"Get|Describe|List|Head|Scan|Query|Filter|Lookup|Detect")
_LIKE_AN_ACCOUNT = re.compile(rb"(?<!\d)\d{12}(?!\d)")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Player(Scopes):
    """The exchanges of one process of a replay.

    A request is looked for as it is among those that the same check made, then there again with moments and random
    names left aside, then as it is among those of the other checks, for what many checks share is read by the first
    of them. Each answer is given once, in the recorded order; only what reads may be answered again, where another
    check asks the same.

    Args:
        lines: of the recording.
        part: which process of the recorded run this one repeats. What it shared among its checks, others had of their own.
        chance: from the recorded seed.
        clock: shows the recorded time.
        source: where the application's own files are.
    """

    def __init__(self, lines: Sequence[Line], part: str, chance: Chance, clock: Clock, source: Path) -> None:
        self._source = source
        self._scrubber, self._clock = Scrubber(""), clock
        self._began = {line["scope"]: line["at"] for line in lines if line["kind"] == "began"}
        self._exact: dict[tuple[str, str], list[Line]] = defaultdict(list)
        self._masked: dict[tuple[str, str], list[Line]] = defaultdict(list)
        self._of_all: dict[str, list[Line]] = defaultdict(list)
        for line in sorted(lines, key=lambda line: line["part"] != part):
            if line["kind"] == "began":
                continue
            key = _key(line["kind"], line["request"])
            self._of_all[key].append(line)
            if line["part"] == part:
                self._exact[line["scope"], key].append(line)
                self._masked[line["scope"], _VOLATILE.sub("*", key)].append(line)
        self._given: set[int] = set()
        super().__init__(chance)

    def open_check(self, item: str, node: str, *, is_static: bool) -> None:
        """A check begins."""
        del node
        self.enter(item)
        self._is_static = is_static
        self._clock.set(self._began.get(item, 0.0))

    def close(self) -> None:
        """The replay has ended."""
        self._watch.stop()

    def attend(self, client: Any) -> None:
        """Answer every call of a boto3 client."""
        events = client.meta.events
        region = client.meta.region_name

        def begun(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
            context[_CALL] = request_of(model, region, params)

        def answer(params: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> Any:
            line = self._find("aws", context[_CALL])
            if problem := line.get("problem"):
                raise _botocores(problem)
            answer = line["answer"]
            parsed = {name: _parsed(value) for name, value in answer["parsed"].items()}
            headers = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            return AWSResponse(params["url"], answer["status"], headers, _Raw()), parsed

        events.register_first("before-parameter-build", begun)
        events.register_first("before-call", answer)

    def call(self, kind: str, request: Mapping[str, Any], do: Callable[[], Any]) -> Any:
        """The recorded answer to an exchange."""
        if kind == OWN:
            return self._own(request, do())
        line = self._find(kind, plain(request))
        if problem := line.get("problem"):
            known = getattr(errors, problem["type"], Unverified)
            if known in (errors.Denied, errors.NeedsAws):  # which are made in another way
                known = Unverified
            raise known(problem["text"], cause=problem["cause"])
        answer = line["answer"]
        if kind == "package":
            answer = {name: self._filled_in(name, content) for name, content in answer.items()}
        return restored(answer)

    def _own(self, request: Mapping[str, Any], content: bytes) -> bytes:
        """Content of the checkout, with the stand-ins that the recorded answers have.

        Raises:
            NotRecorded: the recorded run had another, and this one holds something that a recording hides.
        """
        try:
            line = self._find(OWN, request)
        except NotRecorded:
            own = of_bytes(content)
            if self._scrubber.value(own) == own and not _LIKE_AN_ACCOUNT.search(content):
                return content
            raise NotRecorded(
                f"{request['name']} as it was recorded, for this checkout has it in another version, with mail addresses or "
                "the like, which a recording hides",
                "the checkout is not the recorded one",
            ) from None
        return content if line["answer"] is None else bytes(restored(line["answer"]))

    def _filled_in(self, name: str, content: Any) -> Any:
        """A deployed file, from the checkout where only that has it.

        Raises:
            NotRecorded: the checkout has no file of that content.
        """
        if content.keys() != {OF_CHECKOUT}:
            return content
        for path in self._source.rglob(PurePath(name).name):
            if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == content[OF_CHECKOUT]:
                return of_bytes(path.read_bytes())
        raise NotRecorded(
            f"the deployed {name}, which this checkout has in another version",
            "the checkout is not the recorded one",
        )

    def _find(self, kind: str, request: Mapping[str, Any]) -> Line:
        """The line that answers a request, which then counts as given.

        Raises:
            NotRecorded: there is none, or its answer was not kept.
        """
        key = _key(kind, self._scrubber.value(request))
        with self._lock:
            line = self._chosen(key, reads=_reads(kind, request))
            if line is None:
                raise NotRecorded(_name(kind, request), "not in the recording")
            self._given.add(id(line))
        answer = line.get("answer")
        if WITHHELD in json.dumps(answer):
            raise NotRecorded(_name(kind, request), "its answer was left out of the recording")
        if line["scope"] in self._scopes:
            self._clock.reach(line["at"] + line["took"])
        return line

    def _chosen(self, key: str, *, reads: bool) -> Line | None:
        scopes = list(reversed(self._scopes))
        own = [line for scope in scopes for line in self._exact.get((scope, key), ())]
        masked = _VOLATILE.sub("*", key)
        alike = [line for scope in scopes for line in self._masked.get((scope, masked), ())]
        elsewhere = self._of_all.get(key, [])
        for lines in (own, alike, elsewhere):
            if (line := next((line for line in lines if id(line) not in self._given), None)) is not None:
                return line
        # No answer of this check is left: a request beyond the recorded ones gets no new answer.
        return elsewhere[-1] if reads and elsewhere and not own else None

    def _past_the_exchanges(self, what: str, arguments: tuple[Any, ...]) -> None:
        if what not in (CONNECTS, RESOLVES) or len(self._scopes) == 1:
            return
        if self._is_static and _is_here(arguments):
            return
        raise NotRecorded(f"it {what}", "not in the recording")


class _Raw:
    """A placeholder for a body. The recording has the parsed answer, so that the body is not used."""

    def stream(self, *_: Any, **__: Any) -> Any:
        yield b"{}"

    def read(self, *_: Any) -> bytes:
        return b"{}"


def _key(kind: str, request: Mapping[str, Any]) -> str:
    return f"{kind} {json.dumps(request, sort_keys=True)}"


def _reads(kind: str, request: Mapping[str, Any]) -> bool:
    if kind == "aws":
        return bool(_READS.match(request["operation"]))
    return kind != "http" or request["method"] in ("GET", "HEAD")


def _name(kind: str, request: Mapping[str, Any]) -> str:
    if kind == "aws":
        return f"{request['service']}:{request['operation']} {json.dumps(request['parameters'])[:200]}"
    return f"{kind} {json.dumps(request)[:200]}"


def _parsed(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"$stream"}:
        content = restored(value["$stream"])
        return StreamingBody(io.BytesIO(content), len(content))
    return restored(value)


def _botocores(problem: Mapping[str, Any]) -> Exception:
    """The exception that botocore raised."""
    made: Exception
    try:
        made = getattr(botocore.exceptions, problem["type"])(**problem["told"])
    except (KeyError, TypeError):
        made = botocore.exceptions.BotoCoreError(**problem["told"])
    return made


def _is_here(arguments: tuple[Any, ...]) -> bool:
    """Whether a connection or a name, as the interpreter tells of it, is of this machine."""
    parts = [*arguments, *(part for part in arguments if isinstance(part, tuple) for part in part)]
    return any(part in _LOOPBACK or part is None for part in parts) or any(
        isinstance(part, str | bytes) and str(part).startswith(("/", "b'\\x00")) for part in parts
    )
