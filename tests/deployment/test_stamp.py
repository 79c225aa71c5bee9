"""A run that is told `unchanged` wrongly would verify something else than what lies here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from verification.deployment import stamp
from verification.deployment.standing import Standing

FOUND = Standing("CREATE_COMPLETE", stack_id="arn:1", changed="2030-01-01")


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
    before = stamp.digest(backend, {"A": "1"})
    (backend / path).parent.mkdir(parents=True, exist_ok=True)
    (backend / path).write_text("changed")

    assert (stamp.digest(backend, {"A": "1"}) != before) == counts


def test_digest_covers_parameters_but_no_secret(backend: Path) -> None:
    assert stamp.digest(backend, {"A": "1"}) != stamp.digest(backend, {"A": "2"})
    assert stamp.digest(backend, {"BflApiKey": "1"}) == stamp.digest(backend, {"BflApiKey": "2"})
    assert stamp.digest(backend, {}) != stamp.digest(backend, {"BflApiKey": "2"})


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
