"""Records every exchange of a run, without private data."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

import botocore.exceptions
from botocore.response import StreamingBody

from readiness.errors import Unverified
from readiness.exchanges import OWN
from readiness.recording.chance import Chance
from readiness.recording.scopes import Scopes
from readiness.recording.scrub import Scrubber
from readiness.recording.tape import Part
from readiness.recording.values import OF_CHECKOUT, bytes_of, plain
from readiness.recording.watch import STARTS

_CALL, _ANSWER = "verification_call", "verification_answer"
# Tools that read the checkout, and so do in a replay.
_OF_THE_CHECKOUT = frozenset({"git"})


class Recorder(Scopes):
    """The exchanges of one process of a run that is recorded.

    Args:
        part: the file that this process writes.
        scrubber: replaces private data.
        chance: the source of random names.
        started: the time when the run started.
    """

    def __init__(self, part: Part, scrubber: Scrubber, chance: Chance, started: datetime) -> None:
        self._part, self._scrubber = part, scrubber
        self._started = started.timestamp()
        self._away: set[str] = set()
        super().__init__(chance)

    def open_check(self, item: str, node: str, *, is_static: bool) -> None:
        """A check begins."""
        self.enter(item)
        self._is_static = is_static
        self._write("began", self._now(), node=node)

    def close(self) -> None:
        """Nothing more is recorded."""
        self._watch.stop()
        self._part.close()

    def attend(self, client: Any) -> None:
        """Write down every call of a boto3 client."""
        events = client.meta.events
        region = client.meta.region_name

        def begun(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
            context[_CALL] = (self._now(), request_of(model, region, params))

        def sent(**_: Any) -> None:
            self._watch.enter()

        def received(parsed_response: Any, context: dict[str, Any], **_: Any) -> None:
            # Before anybody makes something else of it; of several attempts the last one counts.
            if parsed_response is not None:
                context[_ANSWER] = _plain_of(parsed_response)

        def answered(http_response: Any, context: Mapping[str, Any], **_: Any) -> None:
            self._watch.end()
            at, request = context[_CALL]
            parsed = context[_ANSWER]
            if request["operation"] == "GetCallerIdentity" and "Account" in parsed:
                self._scrubber.account = parsed["Account"]
            self._write(
                "aws", at, request=request, answer={"status": http_response.status_code, "parsed": parsed}
            )

        def unanswered(exception: Exception, context: Mapping[str, Any], **_: Any) -> None:
            self._watch.end()
            at, request = context[_CALL]
            arguments = getattr(exception, "kwargs", {})
            problem = {
                "type": type(exception).__name__ if _is_botocores(exception) else "ConnectionError",
                "told": {name: str(value) for name, value in arguments.items()},
            }
            self._write("aws", at, request=request, problem=problem)

        events.register_first("before-parameter-build", begun)
        events.register_last("before-call", sent)
        events.register_first("response-received", received)
        events.register_first("after-call", answered)
        events.register_first("after-call-error", unanswered)

    def call(self, kind: str, request: Mapping[str, Any], do: Callable[[], Any]) -> Any:
        """Make an exchange and write it down."""
        at = self._now()
        try:
            with self._watch.within():
                answer = do()
        except Unverified as problem:
            said = {"type": type(problem).__name__, "text": str(problem), "cause": problem.cause}
            self._write(kind, at, request=plain(request), problem=said)
            raise
        kept: Any = plain(answer)
        if kind == "package":
            kept = {name: self._named_where_altered(content) for name, content in kept.items()}
        if kind == OWN and self._scrubber.value(kept) == kept:
            kept = None  # the checkout has it as it is
        self._write(kind, at, request=plain(request), answer=kept)
        return answer

    def _named_where_altered(self, content: Any) -> Any:
        """A deployed file; where redaction would alter it, its name by content alone, for the checkout may have it."""
        if self._scrubber.value(content) == content:
            return content
        return {OF_CHECKOUT: hashlib.sha256(bytes_of(content)).hexdigest()}

    def _write(self, kind: str, at: float, **content: Any) -> None:
        line = {
            "kind": kind,
            "scope": self._scopes[-1],
            "at": round(at, 4),
            "took": round(self._now() - at, 4),
        }
        scrubbed = self._scrubber.value(content)
        with self._lock:
            self._part.write({**line, **scrubbed})

    def _now(self) -> float:
        return time.time() - self._started

    def _past_the_exchanges(self, what: str, arguments: tuple[Any, ...]) -> None:
        if len(self._scopes) == 1 or self._is_static:
            return
        if what == STARTS and PurePath(str(arguments[0])).name in _OF_THE_CHECKOUT:
            return
        item = next(scope for scope in self._scopes if scope)
        if item not in self._away:
            self._away.add(item)
            with self._lock:
                self._part.write({"kind": "away", "scope": item, "why": f"it {what}", "at": self._now()})


def request_of(model: Any, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """A call of a boto3 client as a recording has it."""
    service = model.service_model.service_name
    return {"service": service, "operation": model.name, "region": region, "parameters": plain(params)}


def _plain_of(parsed: dict[str, Any]) -> dict[str, Any]:
    """An answer as a recording has it. What can be read once is read, and put there again."""
    kept = {}
    for name, value in parsed.items():
        if isinstance(value, StreamingBody):
            content = value.read()
            parsed[name] = StreamingBody(io.BytesIO(content), len(content))
            kept[name] = {"$stream": plain(content)}
        else:
            kept[name] = plain(value)
    return kept


def _is_botocores(problem: Exception) -> bool:
    return getattr(botocore.exceptions, type(problem).__name__, None) is type(problem)
