"""Section Code: the source tree, and the application seen by its users."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from verification import budgets
from verification.errors import Unverified
from verification.probes.api import Api, Job
from verification.probes.cdn import Cdn, path_of
from verification.probes.commands import Source, TestRun
from verification.probes.contract import Contract
from verification.probes.http import Answer

pytestmark = pytest.mark.code


@pytest.mark.item("CODE-01")
def test_eslint_reports_nothing(source: Source) -> None:
    """A warning that is left standing hides the next one."""
    assert source.eslint() == []


@pytest.mark.item("CODE-02")
@pytest.mark.xdist_group("frontend-tests")
def test_frontend_unit_tests_pass(frontend_tests: TestRun) -> None:
    """A broken page is found by its users instead."""
    assert frontend_tests.failures == []
    assert frontend_tests.total > 0, "no frontend test ran"


@pytest.mark.item("CODE-03")
@pytest.mark.xdist_group("backend-tests")
def test_backend_unit_tests_pass(backend_tests: TestRun) -> None:
    """A regression that a test already knows about would be shipped."""
    assert backend_tests.failures == []
    assert backend_tests.total > 0, "no backend test ran"


@pytest.mark.item("CODE-04")
@pytest.mark.xdist_group("frontend-tests")
def test_line_coverage_is_enough(frontend_tests: TestRun, backend_tests: TestRun) -> None:
    """Passing tests say nothing about lines that none of them runs."""
    measured = {"frontend": frontend_tests.coverage_percent, "backend": backend_tests.coverage_percent}
    unmeasured = [side for side, percent in measured.items() if percent is None]
    if unmeasured:
        raise Unverified(f"no coverage was measured for {' and '.join(unmeasured)}")

    assert {
        side: pct for side, pct in measured.items() if pct is not None and pct < budgets.COVERAGE_PERCENT
    } == {}


@pytest.mark.item("CODE-05")
def test_source_has_no_unfinished_words(source: Source) -> None:
    """A note to oneself in shipped code is work that nobody planned."""
    assert source.unfinished_words() == []


@pytest.mark.item("CODE-08")
def test_every_route_keeps_its_contract(api: Api, job: Job, source: Source) -> None:
    """Clients are written against openapi.yaml; an answer that differs breaks them."""
    contract = Contract(source.app / "backend" / "openapi.yaml")
    problems, asked = [], 0
    for operation in contract.operations():
        path = operation.path.replace("{jobId}", job.id).replace("{id}", job.id)
        answer = api.call(operation.method, path, json_body=operation.example)
        asked += 1
        problems += contract.problems(operation, answer)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            problems.append(f"{answer!r}: the contract's own example is refused")

    assert problems == []
    assert asked > 0, "the contract declares no operation"


@pytest.mark.item("CODE-09")
def test_every_model_yields_an_image(job: Job, cdn: Cdn) -> None:
    """Users pay attention to the one picture that is missing."""
    wrong = {}
    for result in job.results:
        if result["status"] != "completed" or not result.get("imageUrl"):
            wrong[result["model"]] = f"{result['status']}: {result.get('error')}"
            continue
        image = cdn.get(path_of(result["imageUrl"]))
        try:
            with Image.open(BytesIO(image.body)) as picture:
                picture.load()
        except (OSError, SyntaxError) as problem:
            wrong[result["model"]] = f"{image!r} does not decode: {problem}"

    assert wrong == {}
    assert len(job.results) == budgets.MODELS


@pytest.mark.item("CODE-10")
def test_gallery_shows_images_just_made(api: Api, job: Job) -> None:
    """Somebody's pictures would be paid for and never found again."""
    page = api.call("GET", "/gallery/list").json()["galleries"]
    detail = api.call("GET", f"/gallery/{job.id}").json()

    assert job.id in [gallery["id"] for gallery in page]
    created = [gallery["createdAt"] for gallery in page]
    assert created == sorted(created, reverse=True), "the newest gallery has to come first"
    assert sorted(image["imageUrl"] for image in detail["images"]) == sorted(job.image_urls)


@pytest.mark.item("CODE-12")
def test_invalid_input_gets_the_error_shape(api: Api) -> None:
    """A stack trace tells an attacker what to try next, and a user nothing."""
    answers = [api.call(method, path, **request) for method, path, request in _INVALID]

    assert [answer for answer in answers if not _is_refusal(answer)] == []


_WISH: dict[str, Any] = {"prompt": "a quiet harbour", "steps": 25, "guidance": 7}
_INVALID: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/generate", {"json_body": {}}),
    ("POST", "/generate", {"json_body": []}),
    ("POST", "/generate", {"json_body": _WISH | {"prompt": ""}}),
    ("POST", "/generate", {"json_body": _WISH | {"prompt": "a" * 1001}}),
    ("POST", "/generate", {"json_body": _WISH | {"prompt": 7}}),
    ("POST", "/generate", {"json_body": _WISH | {"prompt": None}}),
    ("POST", "/generate", {"json_body": _WISH | {"steps": 24}}),
    ("POST", "/generate", {"json_body": _WISH | {"steps": "many"}}),
    ("POST", "/generate", {"json_body": _WISH | {"guidance": 10.5}}),
    ("POST", "/generate", {"body": b"{"}),
    ("POST", "/generate", {"body": b""}),
    ("POST", "/generate", {"body": b'{"prompt": NaN}'}),
    ("POST", "/generate", {"body": b"\xff\xfe"}),
    ("POST", "/generate", {"body": b"prompt=harbour", "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/enhance", {"json_body": {"prompt": 1}}),
    ("GET", "/status/no-such-job", {}),
    ("GET", "/gallery/no-such-gallery", {}),
    ("GET", "/no-such-route", {}),
]


def _is_refusal(answer: Answer) -> bool:
    """4xx, the contract's error shape, and nothing of Python's insides."""
    refused = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not refused or b"Traceback" in answer.body or b'.py"' in answer.body:
        return False
    content = answer.json()
    error = content.get("error") if isinstance(content, dict) else None
    return isinstance(error, dict) and {"code", "message", "correlationId"} <= error.keys()
