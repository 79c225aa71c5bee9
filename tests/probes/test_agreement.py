"""verification/probes/agreement.py"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from requests.structures import CaseInsensitiveDict

from readiness.errors import Unverified
from readiness.probes.http import Answer
from verification import budgets
from verification.probes.agreement import BLOCKED, Agreement, Sources
from verification.probes.contract import Contract

DOCUMENT = """
openapi: 3.0.3
paths:
  /log:
    post:
      parameters: [{ name: X-Correlation-ID, in: header, schema: { type: string } }]
      requestBody:
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Report" }
            example: { message: a fault }
      responses:
        "202": { content: { application/json: { schema: { $ref: "#/components/schemas/Logged" } } } }
        "400": &refused { content: { application/json: { schema: { $ref: "#/components/schemas/Error" } } } }
        "413": *refused
        "415": *refused
        "422": *refused
        "500": *refused
  /generate:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [prompt]
              properties:
                prompt: { type: string, minLength: 1, maxLength: 100 }
                models: { type: array, nullable: true, minItems: 1, maxItems: 9, uniqueItems: true, items: { type: string } }
                verification: { type: boolean, nullable: true }
            example: { prompt: a quay }
      responses:
        "202": { description: accepted }
        "400": *refused
        "413": *refused
        "415": *refused
        "422": *refused
        "429": *refused
        "500": *refused
        "503": *refused
  /gallery/list:
    get:
      operationId: list
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 5, default: 2 } }
        - { name: cursor, in: query, schema: { type: string } }
      responses:
        "200":
          content:
            application/json:
              schema: { type: object, properties: { next: { type: string, description: Absent on the last page } } }
              example: { next: abc }
          links: { next: { operationId: list, parameters: { cursor: "$response.body#/next" } } }
        "422": *refused
        "500": *refused
        "503": *refused
components:
  schemas:
    Report:
      type: object
      required: [message]
      properties:
        message: { type: string, minLength: 1 }
        level: { type: string, enum: [error, info], default: error }
        line: { type: integer, nullable: true, minimum: 1, maximum: 9 }
    Logged:
      type: object
      additionalProperties: false
      required: [status]
      properties: { status: { type: string, enum: [logged, kept] } }
    Error:
      type: object
      required: [code]
      properties:
        error:
          type: object
          description: Only when it is refused
          required: [code]
          properties:
            code:
              type: string
              enum: [invalid_json, invalid_field, unsupported, too_large, no_method, content_blocked, address_limit,
                     global_limit, internal_error, service_unavailable]
"""
SOURCES = Sources(
    frozenset({"message", "level", "line", "hue"}), frozenset({frozenset({"logged", "kept"}), frozenset()})
)
IDS = [f"model-{number}" for number in range(budgets.MODELS)]


@dataclass
class Server:
    """Serves what DOCUMENT says.

    Args:
        least: of the property `line`.
        most: of it.
        reads: further properties that it looks at.
        prompt_first: looks at the prompt before all other properties.
        blocks: refuses blocked words.
        crashes: fails on a number that is no integer.
        statuses: by path, the status of every answer.
    """

    least: int = 1
    most: int = 9
    reads: tuple[str, ...] = ()
    prompt_first: bool = False
    blocks: bool = True
    crashes: bool = False
    statuses: Mapping[str, int] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        route = urlsplit(path).path
        text = json.dumps(json_body).encode() if json_body is not None else body
        status, code = self._judged(method, route, path, text, headers or {})
        status = self.statuses.get(route, status)
        content = {"error": {"code": code}, "code": code} if code else {"status": "logged"}
        given = CaseInsensitiveDict({"content-type": "application/json", "x-correlation-id": "verify-1"})
        return Answer(f"{method} http://x{path}", status, given, json.dumps(content).encode(), timedelta())

    def _judged(
        self, method: str, route: str, path: str, text: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        if method == "DELETE":
            return 405, "no_method"
        if method == "POST":
            return self._posted(route, text, headers)
        query = dict(parse_qsl(urlsplit(path).query, keep_blank_values=True))
        good = query.get("limit", "1") in [*"12345"] and "cursor" not in query
        return (200, "") if good else (422, "invalid_field")

    def _posted(self, route: str, text: bytes | None, headers: Mapping[str, str]) -> tuple[int, str]:
        if headers.get("Content-Type") == "text/plain":
            return 415, "unsupported"
        if len(text or b"") > 10_000:
            return 413, "too_large"
        try:
            document = json.loads(text or b"")
        except ValueError:
            return 400, "invalid_json"
        if self.crashes and isinstance(document.get("line"), float):
            return 500, "internal_error"
        blocked = route == "/generate" and "nsfw" in str(document.get("prompt")) and self.blocks
        if not (self.prompt_first and blocked) and not self._valid(route, document):
            return 422, "invalid_field"
        return (422, "content_blocked") if blocked else (202, "")

    def _valid(self, route: str, document: Mapping[str, Any]) -> bool:
        if any(isinstance(document.get(name), list) for name in self.reads):
            return False
        if route == "/generate":
            models, prompt = document.get("models"), document.get("prompt")
            known = models is None or (
                isinstance(models, list) and models != [] and len({*models} & {*IDS}) == len(models)
            )
            marked = document.get("verification")
            short = isinstance(prompt, str) and 1 <= len(prompt) <= 100
            return known and short and (marked is None or isinstance(marked, bool))
        line, message = document.get("line"), document.get("message")
        counted = line is None or (type(line) is int and self.least <= line <= self.most)
        levels = ("error", "info")
        return (
            counted
            and document.get("level", "error") in levels
            and isinstance(message, str)
            and bool(message)
        )


BODIES = {
    "/log": {"message": "a fault", "level": "info"},
    "/generate": {"prompt": BLOCKED, "verification": True},
}


def compared(tmp_path, server=None, change=None, sources=SOURCES):
    document = deepcopy(yaml.safe_load(DOCUMENT))
    if change:
        change(document)
    file = tmp_path / "openapi.yaml"
    file.write_text(json.dumps(document))
    made = Agreement(server or Server(), Contract(file), sources, BODIES, IDS)
    made.read([frozenset({"local", "prod"})])
    made.ask()
    return made.problems


def report(document):
    return document["components"]["schemas"]["Report"]


def test_a_contract_that_says_what_the_api_does_has_no_problem(tmp_path):
    assert compared(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: report(d)["required"].clear(), r"allows no message, and the API answers"),
        (lambda d: report(d)["required"].append("line"), r"does not allow no line, and the API answers"),
        (lambda d: report(d)["properties"].pop("line"), r"POST /log reads 'line', which the contract does not"),
        (lambda d: report(d)["properties"]["line"].update(maximum=90), r"allows line = 90, and"),
        (lambda d: report(d)["properties"]["line"].update(maximum=5), r"does not allow line = 6, and"),
        (lambda d: report(d)["properties"]["line"].update(type="string"), r"allows line = \"nsfw\", and"),
        (lambda d: report(d)["properties"]["line"].update(nullable=False), r"does not allow line = null, and"),
        (lambda d: report(d)["properties"]["level"].update(enum=["error", "warn"]), r"allows level = \"warn\""),
        (lambda d: report(d)["properties"]["level"].update(default="warn"), r"default of level breaks"),
        (lambda d: report(d).update(type="array"), r"POST /log: its example breaks its schema"),
        (
            lambda d: d["paths"]["/log"]["post"]["responses"].pop("500"),
            r"POST /log does not document 500, which it answers when it fails",
        ),
        (
            lambda d: d["paths"]["/log"]["post"]["responses"].pop("415"),
            r"415 application/json.*declares no status 415",
        ),
        (
            lambda d: d["paths"]["/log"]["post"]["responses"].update({"409": {}}),
            r"POST /log documents 409, which no request leads to",
        ),
        (
            lambda d: d["paths"]["/log"]["post"]["parameters"][0]["schema"].update(type="integer"),
            r"does not allow X-Correlation-ID: verify-1, and the API takes it",
        ),
        (
            lambda d: d["components"]["schemas"]["Logged"].update(required=[]),
            r"Logged\.status is not required, and its description does not say when it is absent",
        ),
        (
            lambda d: d["components"]["schemas"]["Logged"]["properties"]["status"].update(enum=["logged", "kept", "x"]),
            r"Logged\.status is one of \['kept', 'logged', 'x'\], in the source \['kept', 'logged'\]",
        ),
        (
            lambda d: d["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"].pop(),
            r"lacks \['service_unavailable'\]",
        ),
        (
            lambda d: d["paths"]["/gallery/list"]["get"].pop("operationId"),
            r"GET /gallery/list 200: a link leads to no operation",
        ),
        (
            lambda d: d["paths"]["/gallery/list"]["get"]["parameters"][0]["schema"].update(maximum=4),
            r"does not allow \?limit=5, and",
        ),
        (
            lambda d: d["paths"]["/gallery/list"]["get"]["parameters"][1]["schema"].update(type="integer"),
            r"cursor does not take 'abc' of GET /gallery/list 200's example",
        ),
    ],
)  # fmt: skip
def test_what_the_contract_says_otherwise_is_named(tmp_path, change, problem):
    found = compared(tmp_path, change=change)

    assert any(re.search(problem, one) for one in found), found


@pytest.mark.parametrize(
    ("server", "problem"),
    [
        (Server(least=0), r"does not allow line = 0, and"),
        (Server(most=8), r"allows line = 9, and"),
        (Server(crashes=True), r"does not allow line = 2\.5, and the API answers .* 500 "),
        (Server(reads=("hue",)), r"POST /log reads 'hue', which the contract does not document"),
    ],
)
def test_what_the_api_does_otherwise_is_named(tmp_path, server, problem):
    found = compared(tmp_path, server)

    assert any(re.search(problem, one) for one in found), found


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (Server(prompt_first=True), "refuses a blocked prompt before it validates"),
        (Server(blocks=False), "a prompt was taken that holds a blocked word.*see SEC-14"),
        (Server(statuses={"/gallery/list": 503}), "the API fails"),
    ],
)
def test_what_cannot_be_tried_is_unverified(tmp_path, server, reason):
    with pytest.raises(Unverified, match=reason):
        compared(tmp_path, server)


def test_an_api_without_room_is_asked_again_and_then_unverified(tmp_path, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr("verification.probes.agreement.time.sleep", pauses.append)

    with pytest.raises(Unverified, match="another client is using up the API's limit"):
        compared(tmp_path, Server(statuses={"/log": 429}))

    assert pauses == [1, 2, 4]


def test_sources_tell_names_and_collections(tmp_path):
    (tmp_path / "one.py").write_text(
        'State = Literal["a", "b"]\nTOLD = {"hue": 1, **other}\nsay("No name!")\n'
    )

    assert Sources.read(tmp_path) == Sources(
        frozenset({"hue"}), frozenset({frozenset({"a", "b"}), frozenset({"hue"}), frozenset()})
    )


def test_a_source_that_is_no_python_is_unverified(tmp_path):
    (tmp_path / "one.py").write_text("def (")

    with pytest.raises(Unverified, match=r"one\.py cannot be read as Python"):
        Sources.read(tmp_path)
