"""Keys come from where only their owner can put them, and no message quotes one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from verification.deployment.keys import PROVIDERS, given, simulated, without_keys
from verification.embedded.server.providers.keys import well_formed
from verification.errors import UsageProblem


def stored(app: Path, text: str, mode: int = 0o600) -> None:
    (app / "backend").mkdir()
    file = app / "backend" / ".env.staging"
    file.write_text(text)
    file.chmod(mode)


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    stored(tmp_path, "OPENAI_API_KEY='from-the-file'\nBFL_API_KEY=from-the-file\nOTHER=1\n")

    keys = given("staging", tmp_path, {"OPENAI_API_KEY": "from-the-shell", "GOOGLE_API_KEY": ""})

    assert keys.values == {"OpenAiApiKey": "from-the-shell", "BflApiKey": "from-the-file"}
    assert keys.sources == {"OpenAiApiKey": "environment", "BflApiKey": "backend/.env.staging"}


def test_no_file_and_no_variable_is_no_key(tmp_path: Path) -> None:
    assert given("staging", tmp_path, {}).values == {}


@pytest.mark.parametrize("key", ["short", "with space inside", "with'quote", "two\nlines-of-key", "x" * 513])
def test_malformed_key_is_refused_without_being_quoted(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageProblem, match=r"OPENAI_API_KEY \(from environment\) is no key") as refused:
        given("staging", tmp_path, {"OPENAI_API_KEY": key})

    assert key not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    stored(tmp_path, "OPENAI_API_KEY=secret-key\n", mode)

    with pytest.raises(UsageProblem, match=r"chmod 600 backend/\.env\.staging"):
        given("staging", tmp_path, {})


def test_simulated_keys_are_made_once_and_well_formed(tmp_path: Path) -> None:
    first = simulated(tmp_path / "cloud")
    second = simulated(tmp_path / "cloud")

    assert first.values == second.values
    for provider in PROVIDERS:
        assert well_formed(provider.vendor, first.values[provider.parameter])
    (file,) = (tmp_path / "cloud").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_damaged_file_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "provider-keys.json").write_text('{"OpenAiApiKey"')

    assert len(simulated(tmp_path).values) == len(PROVIDERS)


def test_child_processes_get_none(tmp_path: Path) -> None:
    del tmp_path
    assert without_keys({"PATH": "/bin", "STABILITY_API_KEY": "sk-secret"}) == {"PATH": "/bin"}
