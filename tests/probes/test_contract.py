"""verification/probes/contract.py"""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from requests.structures import CaseInsensitiveDict

from readiness.errors import Unverified
from readiness.probes.http import Answer
from verification.probes.contract import Contract

DOCUMENT = """
openapi: 3.0.3
paths:
  /jobs:
    parameters: []
    post:
      requestBody: { $ref: "#/components/requestBodies/Job" }
      responses:
        "202":
          headers:
            X-Correlation-ID: { $ref: "#/components/headers/Correlation" }
            X-Optional: { schema: { type: string } }
          content:
            application/json:
              schema: { $ref: "#/components/schemas/Accepted" }
        "400": { $ref: "#/components/responses/Refused" }
        "204": { description: nothing }
    get:
      responses: { "200": { description: ok } }
  /inline:
    put:
      requestBody: { content: { application/json: { example: { a: 1 } } } }
      responses: {}
    patch:
      requestBody: { content: { application/json: { schema: { example: { b: 2 } } } } }
      responses: {}
    delete:
      requestBody: { content: { application/json: { schema: { examples: [{ c: 3 }] } } } }
      responses: {}
  /bare:
    post:
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: {}
components:
  requestBodies:
    Job:
      content:
        application/json:
          schema: { type: object }
          examples:
            harbour: { $ref: "#/components/examples/Harbour" }
  examples:
    Harbour: { value: { prompt: a harbour } }
  headers:
    Correlation: { required: true, schema: { type: string } }
  responses:
    Refused:
      content: { application/json: { schema: { $ref: "#/components/schemas/Error" } } }
  schemas:
    Accepted:
      type: object
      required: [jobId, results]
      properties:
        jobId: { type: string }
        results: { type: array, items: { $ref: "#/components/schemas/Result" } }
    Result: { type: object, required: [model], properties: { model: { type: string } } }
    Error: { type: object, required: [error] }
"""
GOOD = {"jobId": "j1", "results": [{"model": "a"}]}


@pytest.fixture
def contract(tmp_path):
    file = tmp_path / "openapi.yaml"
    file.write_text(DOCUMENT)
    return Contract(file)


@pytest.fixture
def post(contract):
    return next(operation for operation in contract.operations() if str(operation) == "POST /jobs")


def answer(content, status=202, kind="application/json; charset=utf-8", **headers):
    given = CaseInsensitiveDict({"content-type": kind, "x-correlation-id": "c", **headers})
    return Answer("POST http://x/jobs", status, given, json.dumps(content).encode(), timedelta(0))


def test_operations_are_those_of_http_alone(contract):
    assert [str(operation) for operation in contract.operations()] == [
        "POST /jobs",
        "GET /jobs",
        "PUT /inline",
        "PATCH /inline",
        "DELETE /inline",
        "POST /bare",
    ]


@pytest.mark.parametrize(
    ("operation", "example"),
    [
        ("POST /jobs", {"prompt": "a harbour"}),
        ("GET /jobs", None),
        ("PUT /inline", {"a": 1}),
        ("PATCH /inline", {"b": 2}),
        ("DELETE /inline", {"c": 3}),
        ("POST /bare", {}),
    ],
)
def test_an_example_is_found_wherever_it_stands(contract, operation, example):
    assert {str(found): found.example for found in contract.operations()}[operation] == example


@pytest.mark.parametrize(
    "kept",
    [
        answer(GOOD),
        answer({**GOOD, "more": 1}),
        answer({"error": {}}, 400),
        answer(None, 204, kind=""),
    ],
)
def test_an_answer_that_keeps_the_contract_has_no_problem(contract, post, kept):
    assert contract.problems(post, kept) == []


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (answer({"results": []}), r"\$: 'jobId' is a required property"),
        (answer({**GOOD, "jobId": 7}), r"\$\.jobId: 7 is not of type 'string'"),
        (
            answer({**GOOD, "results": [{"model": "a"}, {}]}),
            r"\$\.results\[1\]: 'model' is a required property",
        ),
        (answer([]), r"\$: \[\] is not of type 'object'"),
        (answer({}, 400), r"'error' is a required property"),
        (answer(GOOD, 200), r"declares no status 200 \(has 202, 400, 204\)"),
        (answer(GOOD, kind="text/html"), "expected application/json"),
        (answer(GOOD, kind=""), "expected application/json"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_named(contract, post, broken, problem):
    (found,) = contract.problems(post, broken)

    assert repr(broken) in found
    assert re.search(problem, found)


def test_a_required_header_has_to_be_there(contract, post):
    broken = answer(GOOD)
    del broken.headers["x-correlation-id"]

    (found,) = contract.problems(post, broken)

    assert found.endswith("header X-Correlation-ID is missing")


def test_a_missing_header_hides_nothing_else(contract, post):
    broken = answer({}, kind="application/json")
    del broken.headers["x-correlation-id"]

    assert len(contract.problems(post, broken)) == 3


def test_many_problems_are_shown_in_part(contract, post):
    broken = answer({"jobId": "j", "results": [{}] * 50})

    assert len(contract.problems(post, broken)) == 5


def test_what_is_not_json_breaks_the_claim(contract, post):
    garbage = answer(GOOD)
    vars(garbage).update(body=b"<html>")

    with pytest.raises(AssertionError, match="expected JSON"):
        contract.problems(post, garbage)


@pytest.mark.parametrize("text", [None, "", "- 1", "a: [", "\x00"])
def test_a_contract_that_cannot_be_read_is_unverified(tmp_path, text):
    file = tmp_path / "openapi.yaml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(Unverified, match=r"openapi\.yaml cannot be read as OpenAPI"):
        list(Contract(file).operations())
