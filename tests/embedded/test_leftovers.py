"""The real SAM CLI, npm and embedded AWS leave nothing in the temporary directory."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.checkout import Checkout, checkout

pytestmark = [pytest.mark.embedded, pytest.mark.further, pytest.mark.xdist_group("deployments")]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with checkout(tmp_path_factory.mktemp("leftovers"), "leftovers") as made:
        yield made


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary directory of a person, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def left(folder: Path) -> list[str]:
    """What lies there once whoever clears up has had a moment."""
    deadline = time.monotonic() + 5
    while (found := sorted(path.name for path in folder.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_deployed_again_and_deleted(here: Checkout, temporary: Path) -> None:
    for arguments in (["--frontend"], [], ["--delete"]):
        ended = here.deploy(*arguments)

        assert ended.status == 0, ended.err[-2000:]
        assert left(temporary) == [], arguments


def test_an_embedded_aws_up_and_down_and_killed(here: Checkout, temporary: Path) -> None:
    """With functions that have run: each has a folder and a socket of its own."""
    cloud = ["./scripts/cloud.sh", "{}", "--name", "leftovers"]

    def typed(command: str) -> str:
        ended = here.run(*(word.format(command) for word in cloud), variables=here.plain)
        assert ended.status == 0, ended.err
        return ended.out

    try:
        typed("up")
        deployed = here.run(
            "./scripts/deploy.sh", "local", "--yes", "--cloud", "leftovers", variables=here.plain
        )
        assert deployed.status == 0, deployed.err[-2000:]
        directory = here.root / ".local" / "leftovers"
        assert list((directory / "tmp").glob("environment-*"))
        os.kill(json.loads((directory / "state.json").read_text())["pid"], signal.SIGKILL)
        assert left(temporary) == []
        assert "had died" in typed("up")
    finally:
        typed("down")

    assert left(temporary) == []
    assert not directory.exists()
