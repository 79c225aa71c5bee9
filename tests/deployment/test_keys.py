"""Keys come from where only their owner can put them, and no message quotes one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from readiness import secret_parameters
from readiness.errors import UsageProblem
from verification.application import ROOT
from verification.deployment.keys import given, simulated
from verification.deployment.parameters import declared
from verification.embedded.server.providers.keys import SHAPES, well_formed

TEMPLATE = ROOT / "backend" / "template.yaml"
SECRETS = [each.name for each in declared(TEMPLATE) if each.secret]


def stored(app: Path, text: str, mode: int = 0o600) -> None:
    (app / "backend").mkdir()
    file = app / "backend" / ".env.staging"
    file.write_text(text)
    file.chmod(mode)


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    stored(tmp_path, "OPENAI_API_KEY='from-the-file'\nBFL_API_KEY=from-the-file\nOTHER=1\n")

    keys = given(SECRETS, "staging", tmp_path, {"OPENAI_API_KEY": "from-the-shell", "GOOGLE_API_KEY": ""})

    assert keys.values == {"OpenAiApiKey": "from-the-shell", "BflApiKey": "from-the-file"}
    assert keys.sources == {"OpenAiApiKey": "environment", "BflApiKey": "backend/.env.staging"}


def test_no_file_and_no_variable_is_no_key(tmp_path: Path) -> None:
    assert given(SECRETS, "staging", tmp_path, {}).values == {}


@pytest.mark.parametrize("key", ["short", "with space inside", "with'quote", "two\nlines-of-key", "x" * 513])
def test_malformed_key_is_refused_without_being_quoted(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageProblem, match=r"OPENAI_API_KEY \(from environment\) is no key") as refused:
        given(SECRETS, "staging", tmp_path, {"OPENAI_API_KEY": key})

    assert key not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    stored(tmp_path, "OPENAI_API_KEY=secret-key\n", mode)

    with pytest.raises(UsageProblem, match=r"chmod 600 backend/\.env\.staging"):
        given(SECRETS, "staging", tmp_path, {})


def test_simulated_keys_are_made_once_and_well_formed(tmp_path: Path) -> None:
    first = simulated(SECRETS, tmp_path / "cloud")
    second = simulated(SECRETS, tmp_path / "cloud")

    assert first.values == second.values
    for key, value in first.values.items():
        assert well_formed(secret_parameters.vendor_of(key), value)
    (file,) = (tmp_path / "cloud").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_damaged_file_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "provider-keys.json").write_text('{"OpenAiApiKey"')

    assert len(simulated(SECRETS, tmp_path).values) == len(SECRETS)


def test_child_processes_get_none() -> None:
    assert secret_parameters.without(
        {
            "PATH": "/bin",
            "AWS_SECRET_ACCESS_KEY": "needed",
            "STABILITY_API_KEY": "s",
            "IDEOGRAM_API_KEY": "s",
            "SECRET_PAGER": "s",
        }
    ) == {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "needed"}


@pytest.mark.parametrize(
    ("parameter", "variable"),
    [
        ("OpenAiApiKey", "OPENAI_API_KEY"),
        ("IdeogramApiKey", "IDEOGRAM_API_KEY"),
        ("WebhookToken", "SECRET_WEBHOOK_TOKEN"),
        ("ApiKey", "SECRET_API_KEY"),
    ],
)
def test_each_secret_of_a_template_has_its_variable(parameter: str, variable: str) -> None:
    assert secret_parameters.variable_of(parameter) == variable


def test_the_vendors_that_are_simulated_are_those_whose_keys_the_template_takes() -> None:
    assert {secret_parameters.vendor_of(key) for key in SECRETS} == SHAPES.keys()


def test_a_secret_that_this_code_has_never_heard_of_can_be_given(tmp_path: Path) -> None:
    stored(tmp_path, "SECRET_WEBHOOK_TOKEN='a word, and another!'\n")

    keys = given(
        ["IdeogramApiKey", "WebhookToken"], "staging", tmp_path, {"IDEOGRAM_API_KEY": "from-the-shell"}
    )

    assert keys.values == {"IdeogramApiKey": "from-the-shell", "WebhookToken": "a word, and another!"}


def test_a_key_more_is_invented_and_the_others_stay(tmp_path: Path) -> None:
    before = simulated(SECRETS, tmp_path).values
    after = simulated([*SECRETS, "IdeogramApiKey"], tmp_path).values

    assert after.items() > before.items()
    assert len(after["IdeogramApiKey"]) > 8
