"""A pytest plugin for a verification run: which AWS operations each item calls, some spoilt, something hidden, all guarded.

    RECORD_CALLS=calls.json pytest verification -p tests.faults.refusals ...
    SPOIL_CALLS=denied=s3:GetBucketPolicy,s3:GetBucketTagging pytest verification -p tests.faults.refusals ...
    HIDE_FROM_STACK=resource=WorkerFunction pytest verification -p tests.faults.refusals ...     # or output=SiteUrl
    AS_PROD=1 pytest verification -p tests.faults.refusals ...      # whatever --env names is read-only

Operations are spoilt on this side of the wire, in the form that its service's protocol gives an error, so
that botocore parses, retries and raises as it would. Source of the forms: AWS's service models in botocore,
and the error responses of the API references ("Common errors", "REST error responses" of Amazon S3).
"""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from readiness import environment
from readiness.environment import Environment

if TYPE_CHECKING:
    from tests.faults.bench import Bench

PLUGIN = ("-p", "tests.faults.refusals")
LIVE = "(not static or INF-16)"
"""What looks at the stack or its account. INF-16 looks into the source as well."""


class Spoilt(StrEnum):
    """The ways in which a call can come to nothing."""

    DENIED = "denied"
    THROTTLED = "throttled"
    TIMED_OUT = "timed-out"
    GARBAGE = "garbage"


_CODES = {
    # kind: codes by family of protocols, status
    Spoilt.DENIED: ({"json": "AccessDeniedException", "xml": "AccessDenied"}, 403),
    Spoilt.THROTTLED: ({"json": "ThrottlingException", "xml": "Throttling"}, 400),
}
_BEFORE_ANY_ITEM = "preflight"
_AFTER_ALL_ITEMS = "tidying up"
FOR_THE_RUN = "the run's allowance"  # asked by whichever item pays first, and no item's claim rests on it


class Calls:
    """What happens to the calls of one run."""

    def __init__(self) -> None:
        self.item = _BEFORE_ANY_ITEM
        self.made: dict[str, set[str]] = defaultdict(set)
        kind, _, operations = os.environ.get("SPOIL_CALLS", "").partition("=")
        self.spoilt = set(operations.split(","))
        self.kind = Spoilt(kind) if kind else None
        self.hidden = os.environ.get("HIDE_FROM_STACK", "")

    def watch(self, client: Any) -> None:
        """Be told of each call of this client, before it is sent."""
        model = client.meta.service_model

        def before_send(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
            if client.meta.config.signature_version is UNSIGNED:
                return None  # nobody's permissions are asked for
            operation = f"{model.service_name}:{event_name.rpartition('.')[2]}"
            self.made[self.item].add(operation)
            if self.kind and operation in self.spoilt:
                return _answer(self.kind, request, model)
            return None

        client.meta.events.register("before-send", before_send)
        if self.hidden and model.service_name == "cloudformation":
            client.meta.events.register("after-call", self._hide)

    def _hide(self, parsed: dict[str, Any], **_: Any) -> None:
        """As if the stack had no such output, or a resource of another type and name in the resource's place."""
        kind, _, name = self.hidden.partition("=")
        for stack in parsed.get("Stacks", []):
            if kind == "output":
                stack["Outputs"] = [one for one in stack["Outputs"] if one["OutputKey"] != name]
        for resource in parsed.get("StackResourceSummaries", []):
            if kind == "resource" and resource["LogicalResourceId"] == name:
                resource |= {"LogicalResourceId": "SomethingElse", "ResourceType": "AWS::Lambda::Permission"}

    @contextmanager
    def for_the_run(self) -> Iterator[None]:
        """What is asked meanwhile is no item's."""
        item, self.item = self.item, FOR_THE_RUN
        try:
            yield
        finally:
            self.item = item


def _answer(kind: Spoilt, request: Any, model: Any) -> AWSResponse:
    if kind is Spoilt.TIMED_OUT:
        raise ReadTimeoutError(endpoint_url=request.url)
    if kind is Spoilt.GARBAGE:
        return _response(request, 200, b"\x00<garbage", {})
    codes, status = _CODES[kind]
    protocol = model.resolved_protocol
    code = codes["json" if "json" in protocol or "cbor" in protocol else "xml"]
    message = "spoilt on purpose"
    if model.service_name == "s3" and kind is Spoilt.THROTTLED:
        code, status = "SlowDown", 503
    if "cbor" in protocol:
        pairs = (("__type", code), ("message", message))
        body = bytes([0xA0 + len(pairs)]) + b"".join(_cbor(text) for pair in pairs for text in pair)
        headers = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}
    elif "json" in protocol:
        body = json.dumps({"__type": code, "message": message}).encode()
        headers = {"x-amzn-errortype": code, "content-type": "application/json"}
    elif model.service_name == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        headers = {"content-type": "application/xml"}
    else:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>".encode()
        headers = {"content-type": "text/xml"}
    return _response(request, status, b"" if request.method == "HEAD" else body, headers)


def _cbor(text: str) -> bytes:
    """A text shorter than 256 bytes in CBOR (RFC 8949, major type 3)."""
    data = text.encode()
    return (bytes([0x60 + len(data)]) if len(data) < 24 else bytes([0x78, len(data)])) + data


class _Body(io.BytesIO):
    """What urllib3 would hand out."""

    def stream(self, amt: int = 1024, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


def _response(request: Any, status: int, body: bytes, headers: dict[str, str]) -> AWSResponse:
    return AWSResponse(request.url, status, {**headers, "x-amzn-requestid": "spoilt"}, _Body(body))


def calls_of(bench: Bench, folder: Path, selection: str) -> dict[str, set[str]]:
    """Which items call which operation, as `service:Operation`, seen in a run of these items."""
    record = folder / "calls.json"
    record.unlink(missing_ok=True)
    bench.verify("-m", selection, *PLUGIN, RECORD_CALLS=str(record))
    callers = defaultdict(set)
    for item, operations in json.loads(record.read_text(encoding="utf-8")).items():
        for operation in operations:
            callers[operation].add(item)
    return callers


def drawn(callers: Mapping[str, set[str]], most: int) -> dict[str, set[str]]:
    """What is called, with at most some operations of each item: `apart` makes as many groups as the item with most has.

    The same ones are drawn in every run.

    Args:
        callers: which items call which operation.
        most: how many operations an item keeps.
    """
    kept: dict[str, set[str]] = {}
    for item in sorted(set().union(*callers.values())):
        own = sorted(operation for operation, items in callers.items() if item in items)
        for operation in random.Random(item).sample(own, min(most, len(own))):
            kept.setdefault(operation, set()).add(item)
    return kept


def apart(chosen: Mapping[str, set[str]], callers: Mapping[str, set[str]]) -> list[dict[str, set[str]]]:
    """Groups of what is called, in which no judged item calls two of them: what is said of an item is about one of them.

    Args:
        chosen: what is called, with the items that are judged.
        callers: the same with all the items that call it.
    """
    groups: list[dict[str, set[str]]] = []
    for operation, items in chosen.items():

        def is_free(
            group: Mapping[str, set[str]], operation: str = operation, items: set[str] = items
        ) -> bool:
            return not any(
                callers[one] & items or callers[operation] & others for one, others in group.items()
            )

        group = next(filter(is_free, groups), None)
        if group is None:
            groups.append(group := {})
        group[operation] = items
    return groups


_CALLS = Calls()


def pytest_load_initial_conftests() -> None:
    """Before the suite's own plugin asks its first question."""
    make = Environment.bare_client

    def bare_client(self: Environment, *arguments: Any, **settings: Any) -> Any:
        made = make(self, *arguments, **settings)
        _CALLS.watch(made)
        return made

    Environment.bare_client = bare_client  # type: ignore[method-assign]
    if "AS_PROD" in os.environ:
        read = environment.settings
        environment.settings = lambda *where: dataclasses.replace(read(*where), guard="read-only")


def pytest_collection_finish() -> None:
    """Tell what an item asks for its own claim from what it asks for the run's allowance."""
    # Not before: what pytest has not seen yet it could not rewrite the assertions of.
    fixtures = importlib.import_module("verification.fixtures")
    ask = fixtures._require_allowance

    def aside(*arguments: Any) -> None:
        with _CALLS.for_the_run():
            ask(*arguments)

    fixtures._require_allowance = aside  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    marker = item.get_closest_marker("item")
    _CALLS.item = str(marker.args[0]) if marker else item.nodeid
    try:
        return (yield)
    finally:
        _CALLS.item = _AFTER_ALL_ITEMS  # until the next one


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Forget what was read, so that the next item is seen to read what it needs.

    What is tidied up after the last item is nobody's need.
    """
    if nextitem is None:
        _CALLS.item = _AFTER_ALL_ITEMS
    yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if stack and "RECORD_CALLS" in os.environ:
        kept = {field.name for field in dataclasses.fields(stack)}
        for name in vars(stack).keys() - kept:
            del vars(stack)[name]


def pytest_sessionfinish() -> None:
    if file := os.environ.get("RECORD_CALLS"):
        _CALLS.made.pop(_AFTER_ALL_ITEMS, None)
        made = {item: sorted(operations) for item, operations in _CALLS.made.items()}
        # The controller ends after its workers, and each has made calls of its own.
        record = Path(file)
        before = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
        record.write_text(json.dumps({**before, **made}, indent=2), encoding="utf-8")
