"""readiness/samconfig.py reads what the SAM CLI reads; SAM's own reader is asked beside it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from readiness import samconfig
from readiness.errors import UsageProblem
from verification.application import ROOT
from verification.costs import granted_usd
from verification.deployment.parameters import configured

_SAMS_OWN = """
import json, sys
from samcli.lib.config.samconfig import SamConfig
print(json.dumps(SamConfig(sys.argv[1], "samconfig.toml").get_all(["deploy"], "parameters", env=sys.argv[2])))
"""
GLOBAL = """
version = 0.1
[default.global.parameters]
parameter_overrides = "Environment=never"
[staging.global.parameters]
stack_name = "pixel-prompt-staging"
parameter_overrides = ["Environment=staging", "MonthlyBudgetUsd=200"]
"""
BOTH = f"""{GLOBAL}
[staging.deploy.parameters]
capabilities = "CAPABILITY_IAM"
parameter_overrides = "Environment=staging"
"""


def sams_own(folder: Path, environment: str) -> object:
    done = subprocess.run(
        [str(ROOT / ".tools" / "sam" / "bin" / "python"), "-c", _SAMS_OWN, str(folder), environment],
        env={"SAM_CLI_TELEMETRY": "0", "HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "samconfig.toml"


@pytest.mark.parametrize("text", [GLOBAL, BOTH, BOTH.replace("staging.global", "staging.build")])
def test_reads_as_sam_does(file: Path, text: str) -> None:
    file.write_text(text)

    assert samconfig.deployment(file, "staging") == sams_own(file.parent, "staging")


def test_the_applications_own_file_is_read_as_sam_does() -> None:
    for environment in ("local", "dev", "staging", "prod"):
        assert samconfig.deployment(ROOT / "backend" / "samconfig.toml", environment) == sams_own(
            ROOT / "backend", environment
        )


def test_parameters_for_all_commands_are_deployed_and_estimated(file: Path) -> None:
    """`staging` was deployed with the template's defaults, and its cost could not be told."""
    file.write_text(GLOBAL)

    assert configured(file, "staging", "pixel-prompt-staging") == {
        "Environment": "staging",
        "MonthlyBudgetUsd": "200",
    }
    assert granted_usd(file, "staging") == 200


def test_the_commands_own_option_replaces_the_global_one_whole(file: Path) -> None:
    file.write_text(BOTH)

    assert samconfig.parameters(file, "staging") == {"Environment": "staging"}
    assert granted_usd(file, "staging") == 0


def test_a_stack_that_is_named_for_all_commands_has_to_be_the_declared_one(file: Path) -> None:
    file.write_text(GLOBAL.replace('"pixel-prompt-staging"', '"another"'))

    with pytest.raises(UsageProblem, match=r"to stack 'another', environments\.toml says"):
        configured(file, "staging", "pixel-prompt-staging")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stack_name", "stack_nam", "staging global parameters: unknown key 'stack_nam'; did you mean 'stack_name'"),
        ('"pixel-prompt-staging"', "1", "staging global parameters stack_name: expected a text in quotes, found 1"),
        ("staging.global", "other.global", r"has no \[staging.deploy.parameters\]; has sections for default, other"),
    ],
)  # fmt: skip
def test_misspellings_in_it_are_reported(file: Path, old: str, new: str, message: str) -> None:
    file.write_text(GLOBAL.replace(old, new))

    with pytest.raises(UsageProblem, match=message):
        samconfig.deployment(file, "staging")
