"""A run that is told `unchanged` wrongly would verify something else than what lies here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from verification.deployment import stamp
from verification.deployment.parameters import Parameters
from verification.deployment.standing import Standing

FOUND = Standing("CREATE_COMPLETE", stack_id="arn:1", changed="2030-01-01")


def digest(backend: Path, **passed: str) -> str:
    return stamp.digest(backend, Parameters(passed, (), frozenset({"BflApiKey"})))


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    (tmp_path / "backend" / "src" / "pixel_prompt").mkdir(parents=True)
    (tmp_path / "backend" / "template.yaml").write_text("Resources: {}")
    (tmp_path / "backend" / "src" / "pixel_prompt" / "api.py").write_text("a = 1")
    return tmp_path / "backend"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("template.yaml", True),
        ("samconfig.toml", True),
        ("openapi.yaml", True),
        ("src/pixel_prompt/api.py", True),
        ("src/pixel_prompt/new.json", True),
        ("src/pixel_prompt/__pycache__/api.cpython-313.pyc", False),
        ("tests/test_api.py", False),
        ("README.md", False),
    ],
)
def test_digest_covers_what_is_deployed_alone(backend: Path, path: str, *, counts: bool) -> None:
    before = digest(backend, A="1")
    (backend / path).parent.mkdir(parents=True, exist_ok=True)
    (backend / path).write_text("changed")

    assert (digest(backend, A="1") != before) == counts


def test_digest_covers_parameters_but_no_secret(backend: Path) -> None:
    assert digest(backend, A="1") != digest(backend, A="2")
    assert digest(backend, BflApiKey="1") == digest(backend, BflApiKey="2")
    assert digest(backend) != digest(backend, BflApiKey="2")


def test_same_state_and_digest_is_no_difference(tmp_path: Path) -> None:
    stamp.remember(tmp_path, "stack", "digest", FOUND)

    assert stamp.difference(tmp_path, "stack", "digest", FOUND) is None


@pytest.mark.parametrize(
    ("digest", "found", "reason"),
    [
        ("other", FOUND, "the template, the source or the parameters changed"),
        ("digest", replace(FOUND, changed="later"), "the stack was changed since"),
        ("digest", replace(FOUND, stack_id="arn:2"), "the stack was changed since"),
        (
            "digest",
            replace(FOUND, status="UPDATE_ROLLBACK_COMPLETE"),
            "the stack is UPDATE_ROLLBACK_COMPLETE",
        ),
        ("digest", Standing(None), "the stack is not there"),
    ],
)
def test_every_difference_has_its_reason(tmp_path: Path, digest: str, found: Standing, reason: str) -> None:
    stamp.remember(tmp_path, "stack", "digest", FOUND)

    assert stamp.difference(tmp_path, "stack", digest, found) == reason


def test_no_stamp_or_a_damaged_one_means_deploy(tmp_path: Path) -> None:
    assert stamp.difference(tmp_path, "stack", "digest", FOUND) == "it was not deployed yet"
    (tmp_path / "deployed-stack.json").write_text("{")
    assert stamp.difference(tmp_path, "stack", "digest", FOUND) == "it was not deployed yet"


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    (tmp_path / "frontend" / "src").mkdir(parents=True)
    (tmp_path / "frontend" / "src" / "main.tsx").write_text("a = 1")
    return tmp_path / "frontend"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("src/main.tsx", True),
        ("public/robots.txt", True),
        ("build/deployment.ts", True),
        ("index.html", True),
        ("package-lock.json", True),
        ("dist/index.html", False),
        ("node_modules/preact/index.js", False),
        (".env", False),
    ],
)
def test_page_digest_covers_what_is_built_alone(frontend: Path, path: str, *, counts: bool) -> None:
    before = stamp.page_digest(frontend, {"VITE_API_ENDPOINT": "https://a"})
    (frontend / path).parent.mkdir(parents=True, exist_ok=True)
    (frontend / path).write_text("changed")

    assert (stamp.page_digest(frontend, {"VITE_API_ENDPOINT": "https://a"}) != before) == counts


def test_a_page_for_another_deployment_is_another_page(frontend: Path) -> None:
    assert stamp.page_digest(frontend, {"A": "1"}) != stamp.page_digest(frontend, {"A": "2"})


def test_a_published_page_is_recognised_until_anything_differs(tmp_path: Path) -> None:
    assert stamp.page_difference(tmp_path, "s", "d", FOUND) == "the page was not published yet"

    stamp.remember_page(tmp_path, "s", "d", FOUND)

    assert stamp.page_difference(tmp_path, "s", "d", replace(FOUND, changed="2031-01-01")) is None
    assert "changed" in (stamp.page_difference(tmp_path, "s", "other", FOUND) or "")
    assert "changed" in (stamp.page_difference(tmp_path, "s", "d", replace(FOUND, stack_id="arn:2")) or "")
