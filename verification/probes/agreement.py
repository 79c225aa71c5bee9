"""Whether the contract and the API agree in both directions: each takes what the other takes, and tells what it tells."""

from __future__ import annotations

import ast
import json
import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

from readiness.errors import Unverified
from readiness.probes.http import Answer
from verification import budgets
from verification.probes.api import CORRELATION_PREFIX, error_of
from verification.probes.contract import Contract, Operation

BLOCKED: Final = "nsfw"
"""A text that no vendor is paid for: the API refuses a prompt that holds it, once it has validated all properties."""
_OF_NOTHING: Final = "00000000-0000-4000-8000-000000000000"  # well-formed, and no job's
_OTHER_TEXTS: Final = ("", "-1", "0", "2.5", "true", "TRUE", BLOCKED)
_NAME: Final = re.compile(r"[a-z][A-Za-z]{1,30}")
_SHOWN: Final = 40  # characters of a value in a message
_PATIENCE: Final = (1, 2, 4)  # seconds between attempts that the gateway refuses for their rate
_WITHOUT_AWS: Final = ("/health", "/log")
_NOT_PROVOKED: Final[Mapping[str, str]] = {
    "address_limit": "CODE-13 sees it",
    "global_limit": "CONF-03 sees it",
    "internal_error": "the application would have to be broken",
    "service_unavailable": "AWS or a vendor would have to be broken",
}
"""Codes of errors that no request of this check leads to."""


@dataclass(frozen=True)
class Sources:
    """What the text of the functions tells of requests and answers; nothing of it is run."""

    names: frozenset[str] = frozenset()
    """Every text that could be the name of a property."""
    collections: frozenset[frozenset[str]] = frozenset()
    """Every collection of texts."""

    @classmethod
    def read(cls, folder: Path) -> Sources:
        """The names and collections of the Python files in a folder.

        Raises:
            Unverified: a file is no Python.
        """
        names: set[str] = set()
        collections: set[frozenset[str]] = set()
        for file in sorted(folder.rglob("*.py")):
            try:
                tree = ast.parse(file.read_text(encoding="utf-8"))
            except (OSError, SyntaxError, ValueError) as problem:
                raise Unverified(f"{file} cannot be read as Python: {problem}") from problem
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    names.update([node.value] if _NAME.fullmatch(node.value) else [])
                elements = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
                texts = [one.value for one in elements if isinstance(one, ast.Constant)]
                collections.add(frozenset(text for text in texts if isinstance(text, str)))
        return cls(frozenset(names), frozenset(collections))


class Calls(Protocol):
    """Sends requests; see Api."""

    def call(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer: ...


@dataclass
class Agreement:
    """Compares the contract with the API.

    Args:
        api: the deployed API.
        contract: what is said of it.
        sources: what its functions' text tells.
        bodies: for the path of each route that takes a body, one in which every property is valid. A prompt is BLOCKED
            where a route pays vendors.
        ids: of the models, as the API lists them.
    """

    api: Calls
    contract: Contract
    sources: Sources
    bodies: Mapping[str, Mapping[str, Any]]
    ids: Sequence[str] = ()
    problems: list[str] = field(default_factory=list)
    """Where they differ."""
    _statuses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _codes: set[str] = field(default_factory=set)

    def read(self, enumerations: Collection[frozenset[str]]) -> None:
        """Compare what needs no request.

        Args:
            enumerations: the values that the deployed stack's parameters may have.
        """
        self.problems += self.contract.misfits()
        parts: dict[str, Mapping[str, Any]] = {}
        for operation in self.contract.operations():
            for status, schema in self.contract.answers(operation).items():
                parts |= dict(self.contract.parts(schema, f"{operation} {status}"))
        for where, schema in parts.items():
            self.problems += self.contract.weak_members(where, schema)
            named = frozenset(schema.get("enum", ()))
            alike = [one for one in {*self.sources.collections, *enumerations} if len(one & named) > 1]
            if alike and named not in alike:
                closest = max(alike, key=lambda one: len(one & named))
                self.problems.append(f"{where} is one of {sorted(named)}, in the source {sorted(closest)}")

    def ask(self) -> None:
        """Send what the contract allows, what it does not allow, and what it does not mention.

        Raises:
            Unverified: the API does not let a request through, or does not judge prompts last.
        """
        operations = list(self.contract.operations())
        for operation in operations:
            self._try_headers(operation)
            self._provoke(operation)
            for name, schema in self.contract.parameters(operation, "query").items():
                self._try_parameter(operation, name, schema)
            if operation.path in self.bodies:
                self._try_body(operation)
        gone = self.api.call("DELETE", "/health")  # which is no operation of the contract
        self._codes.add(str(error_of(gone).get("code")))
        for operation in operations:
            self._compare_statuses(operation)
        self._compare_codes(operations)

    def _ask(self, operation: Operation, query: str = "", **request: Any) -> Answer:
        """One answer, which has to keep the contract."""
        path = re.sub(r"\{\w+\}", _OF_NOTHING, operation.path) + query
        answer = self.api.call(operation.method, path, **request)
        for pause in _PATIENCE:
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                break
            time.sleep(pause)
            answer = self.api.call(operation.method, path, **request)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unverified(f"{answer!r}: another client is using up the API's limit")
        if self._pays(operation) and answer.status < HTTPStatus.BAD_REQUEST:
            raise Unverified(
                f"{answer!r}: a prompt was taken that holds a blocked word, so that asking costs money; see SEC-14"
            )
        # Once a route has answered, what makes it fail is the request.
        answers = bool(self._statuses[str(operation)]) and answer.status != HTTPStatus.SERVICE_UNAVAILABLE
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not answers:
            raise Unverified(
                f"{answer!r}: the API fails; see its log", cause=f"{operation} answers {answer.status}"
            )
        if answer.status not in self._statuses[str(operation)]:
            self.problems += self.contract.problems(operation, answer)
        self._statuses[str(operation)].add(answer.status)
        self._codes.add(str(error_of(answer).get("code")))
        return answer

    def _pays(self, operation: Operation) -> bool:
        return self.bodies.get(operation.path, {}).get("prompt") == BLOCKED

    def _try_headers(self, operation: Operation) -> None:
        """Compare the headers that come back as they were sent."""
        answer = self._ask(operation)
        for name, schema in self.contract.parameters(operation, "header").items():
            given = answer.headers.get(name, "")
            if given.startswith(CORRELATION_PREFIX) and not self.contract.allows_text(schema, given):
                self.problems.append(
                    f"{operation}: the contract does not allow {name}: {given}, and the API takes it"
                )

    def _provoke(self, operation: Operation) -> None:
        """Have every refusal that a route knows."""
        if self.contract.body(operation) is not None:
            self._ask(operation, body=b"{")
            self._ask(operation, body=b"a", headers={"Content-Type": "text/plain"})
            self._ask(operation, json_body={"prompt": "a" * budgets.OVERSIZE_BODY_BYTES})

    def _try_parameter(self, operation: Operation, name: str, schema: Mapping[str, Any]) -> None:
        bounds = [int(schema[key]) for key in ("minimum", "maximum") if key in schema]
        texts = [str(bound + step) for bound in bounds for step in (-1, 0, 1)]
        # Of a text without a meaning to callers, such as a cursor, the contract does not say which ones there are.
        opaque = schema.get("type") == "string" and "enum" not in schema
        for text in dict.fromkeys([*texts, *_OTHER_TEXTS]):
            answer = self._ask(operation, f"?{name}={text}")
            taken, allowed = answer.status < HTTPStatus.BAD_REQUEST, self.contract.allows_text(schema, text)
            if taken or not opaque:
                self._judge(operation, f"?{name}={text}", answer, allowed=allowed, taken=taken)

    def _try_body(self, operation: Operation) -> None:
        """Compare each property of a body."""
        schema, good = self.contract.body(operation) or {}, self.bodies[operation.path]
        properties = schema.get("properties", {})
        usual = _result(self._ask(operation, json_body=good))
        if self._pays(operation) and usual[1] != "content_blocked":
            raise Unverified(f"{operation} answers {usual} to a blocked prompt; see SEC-14")
        others: dict[str, Any] = {name: [] for name in properties if name != "prompt"}
        if others and _result(self._ask(operation, json_body={**good, **others})) == usual:
            raise Unverified(
                f"{operation} refuses a blocked prompt before it validates other properties: no property can be tried for free"
            )

        def judge(what: str, body: Mapping[str, Any], *, allowed: bool) -> None:
            answer = self._ask(operation, json_body=body)
            self._judge(operation, what, answer, allowed=allowed, taken=_result(answer) == usual)

        for name, member in properties.items():
            without = {key: value for key, value in good.items() if key != name}
            judge(f"no {name}", without, allowed=name not in schema.get("required", ()))
            for value in _values(self.contract, member, self.ids):
                shown = f"{name} = {json.dumps(value)[:_SHOWN]}"
                judge(shown, {**good, name: value}, allowed=self.contract.allows(member, value))
        unknown = self.sources.names - properties.keys()
        for name in self._read_names(operation, good, usual, sorted(unknown - good.keys())):
            self.problems.append(f"{operation} reads {name!r}, which the contract does not document")
        for name in good.keys() - properties.keys():
            judge(f"{name} of any kind, which it does not document,", {**good, name: []}, allowed=True)

    def _judge(self, operation: Operation, what: str, answer: Answer, *, allowed: bool, taken: bool) -> None:
        refused = not taken and answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
        if taken != allowed or not (taken or refused):
            says = "allows" if allowed else "does not allow"
            self.problems.append(f"{operation}: the contract {says} {what}, and the API answers {answer!r}")

    def _read_names(
        self, operation: Operation, good: Mapping[str, Any], usual: object, names: Sequence[str]
    ) -> list[str]:
        """The names of properties that are not ignored."""
        answer = self._ask(operation, json_body={**good, **{name: [] for name in names}}) if names else None
        if answer is None or _result(answer) == usual:
            return []
        if len(names) == 1:
            return [*names]
        middle = len(names) // 2
        halves = (names[:middle], names[middle:])
        return [name for half in halves for name in self._read_names(operation, good, usual, half)]

    def _compare_statuses(self, operation: Operation) -> None:
        """Compare the refusals that a route documents with those that it gives.

        It gives some only when it has a fault of its own (500), when AWS does not answer (503), or when a limit is used
        up (429, which CODE-13 sees).
        """
        documented = {one for one in self.contract.statuses(operation) if one >= HTTPStatus.BAD_REQUEST}
        expected = {HTTPStatus.INTERNAL_SERVER_ERROR}
        if operation.path not in _WITHOUT_AWS:
            expected.add(HTTPStatus.SERVICE_UNAVAILABLE)
        if self._pays(operation):
            expected.add(HTTPStatus.TOO_MANY_REQUESTS)
        for status in sorted(documented - self._statuses[str(operation)] - expected):
            self.problems.append(f"{operation} documents {status}, which no request leads to")
        for status in sorted(map(int, expected - documented)):
            self.problems.append(f"{operation} does not document {status}, which it answers when it fails")

    def _compare_codes(self, operations: Sequence[Operation]) -> None:
        known = self._codes - {"None"} | _NOT_PROVOKED.keys()
        documented = {
            code
            for operation in operations
            for status, schema in self.contract.answers(operation).items()
            if int(status) >= HTTPStatus.BAD_REQUEST
            for where, part in self.contract.parts(schema, "")
            if where.endswith(".code")
            for code in part.get("enum", ())
        }
        if documented != known:
            self.problems.append(
                f"the contract lists the codes {sorted(documented - known)}, which no request leads to, and lacks {sorted(known - documented)}"
            )


def _result(answer: Answer) -> tuple[int, str | None]:
    """What an answer says of a request."""
    return answer.status, error_of(answer).get("code")


def _values(contract: Contract, schema: Mapping[str, Any], ids: Sequence[str]) -> Iterator[Any]:
    """Values of every kind, and those about the bounds of a schema."""
    found = contract.resolve(schema)
    tried = [None, True, BLOCKED, 2.5, [], {}, *found.get("enum", ())]
    for key in ("minimum", "maximum"):
        if key in found:
            tried += [found[key] - 1, found[key], found[key] + 1]
    for key in ("minLength", "maxLength"):
        lengths = (found[key] - 1, found[key], found[key] + 1) if key in found else ()
        # A shorter text holds no blocked word, and would be paid for.
        tried += [BLOCKED.ljust(one, ".") for one in lengths if one >= len(BLOCKED)]
        tried += [""] if 0 in lengths else []
    if found.get("type") == "array" and ids:
        tried += [[ids[0]], [*ids], [ids[0]] * 2, [0]]
        tried += [[*ids, "another"]] if len(ids) == budgets.MODELS else []
    # 1 and true are equal in Python, and not in JSON.
    yield from {json.dumps(one): one for one in tried}.values()
