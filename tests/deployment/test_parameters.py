"""What is passed to CloudFormation, what a person sees of it, and where it lies meanwhile."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from readiness.errors import UsageProblem
from verification.deployment.keys import Keys
from verification.deployment.parameters import Declared, ambient, combined, configured, declared, private_file

TEMPLATE = [
    Declared("Environment", None, secret=False),
    Declared("AlarmEmail", "", secret=False),
    Declared("OpenAiApiKey", "", secret=True),
]
NO_KEYS = Keys({}, {})
KEY = Keys({"OpenAiApiKey": "sk-secret"}, {"OpenAiApiKey": "environment"})


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "samconfig.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "overrides",
    [
        '"A=1 B=\\"two words\\""',
        "\"ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue='two words'\"",
        '["A=1", "B=\'two words\'"]',
        '{ A = 1, B = "two words" }',
    ],
)
def test_reads_every_form_that_sam_takes(tmp_path: Path, overrides: str) -> None:
    path = written(tmp_path, f"[dev.deploy.parameters]\nparameter_overrides = {overrides}\n")

    assert configured(path, "dev", "pixel-prompt-dev") == {"A": "1", "B": "two words"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dev", "cannot be read"),
        ("version = 0.1\n[qa.deploy.parameters]\n", r"has no \[dev.deploy.parameters\]; has sections for qa"),
        ('[dev.deploy.parameters]\nparameter_overrides = "A"\n', "need Name=Value, found 'A'"),
        (
            '[dev.deploy.parameters]\nstack_name = "x"\n',
            "stack 'x', environments.toml says 'pixel-prompt-dev'",
        ),
    ],
)
def test_malformed_configuration_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        configured(written(tmp_path, text), "dev", "pixel-prompt-dev")


def test_the_applications_own_files_are_understood() -> None:
    """Every environment's section fits the template."""
    backend = Path(__file__).resolve().parents[2] / "backend"
    template = declared(backend / "template.yaml")
    for environment in ("local", "dev", "staging", "prod"):
        config = configured(backend / "samconfig.toml", environment, f"pixel-prompt-{environment}")
        shown = combined(template, config, NO_KEYS, {}, exists=False)
        assert shown.passed["Environment"] == environment
        assert sum(row.shown == "unset" for row in shown.rows) == 5


def test_secrets_are_shown_as_set_kept_or_unset_alone() -> None:
    config = {"Environment": "dev"}
    given = combined(TEMPLATE, config, KEY, {}, exists=False)
    kept = combined(TEMPLATE, config, NO_KEYS, {"OpenAiApiKey": "****"}, exists=True)
    unset = combined(TEMPLATE, config, NO_KEYS, {}, exists=False)

    assert [each.rows[2].shown for each in (given, kept, unset)] == ["set (environment)", "kept", "unset"]
    assert "sk-secret" not in repr(given) + repr(given.rows) + repr(KEY)


def test_a_key_that_is_not_given_is_not_passed_and_so_kept() -> None:
    """An empty value would wipe the deployed key out."""
    assert "OpenAiApiKey" not in combined(TEMPLATE, {"Environment": "dev"}, NO_KEYS, {}, exists=True).passed


def test_defaults_are_passed_so_that_the_past_does_not_matter() -> None:
    passed = combined(
        TEMPLATE, {"Environment": "dev"}, NO_KEYS, {"AlarmEmail": "old@example.org"}, exists=True
    ).passed

    assert passed == {"Environment": "dev", "AlarmEmail": ""}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "parameter 'Environment' has neither a default nor a value"),
        ({"Environment": "dev", "Other": "1"}, "parameter 'Other' is not in the template"),
        ({"Environment": "dev", "OpenAiApiKey": "1"}, "sets the secret 'OpenAiApiKey', and shows it"),
    ],
)
def test_refuses_what_does_not_fit(config: dict[str, str], message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        combined(TEMPLATE, config, NO_KEYS, {}, exists=False)


@pytest.mark.parametrize(
    ("facts", "value", "expected"),
    [
        ({"Type": "Number", "MinValue": 1}, "0", "expected at least 1, found '0'"),
        (
            {"Type": "Number", "MinValue": "2", "MaxValue": 1000},
            "1001",
            "expected at most 1000, found '1001'",
        ),
        ({"Type": "Number"}, "many", "expected a number, found 'many'"),
        ({"Type": "Number", "AllowedValues": [7, 14]}, "8", "expected one of 7, 14, found '8'"),
        ({"Type": "String", "AllowedValues": [True, "no"]}, "yes", "expected one of true, no, found 'yes'"),
        ({"Type": "String", "MinLength": 3}, "ab", "expected at least 3 characters, found 'ab'"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]*"},
            "A",
            r"expected a value of the form \[a-z\]\*, found 'A'",
        ),
    ],
)
def test_refuses_a_value_that_cloudformation_would_refuse(
    facts: dict[str, object], value: str, expected: str
) -> None:
    """CloudFormation says so only after the consent and the build."""
    template = [Declared("Limit", None, secret=False, facts=facts)]

    with pytest.raises(UsageProblem, match=f"parameter 'Limit': {expected}; correct it in samconfig.toml"):
        combined(template, {"Limit": value}, NO_KEYS, {}, exists=False)


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        ({"Type": "Number", "MinValue": 1, "MaxValue": 5}, "5"),
        ({"Type": "Number", "AllowedValues": [7, 14]}, "14"),
        ({"Type": "String", "AllowedValues": [True]}, "true"),
        ({"Type": "String", "AllowedPattern": "(only Java"}, "anything"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,b"),
    ],
)
def test_leaves_every_other_value_to_cloudformation(facts: dict[str, object], value: str) -> None:
    template = [Declared("Limit", None, secret=False, facts=facts)]

    assert combined(template, {"Limit": value}, NO_KEYS, {}, exists=False).passed == {"Limit": value}


def test_shows_the_deployed_value_of_each_parameter_that_changes() -> None:
    previous = {"Environment": "dev", "AlarmEmail": "old@example.org", "OpenAiApiKey": "****"}
    rows = combined(TEMPLATE, {"Environment": "dev"}, KEY, previous, exists=True).rows
    filled = combined(
        TEMPLATE, {"Environment": "dev", "AlarmEmail": "a@example.org"}, KEY, {"AlarmEmail": ""}, exists=True
    ).rows

    assert [row.shown for row in rows] == ["dev", "(default) (now old@example.org)", "set (environment)"]
    assert filled[1].shown == "a@example.org (now empty)"


def test_file_is_private_and_gone_whatever_happens(tmp_path: Path) -> None:
    directory = tmp_path / "private"
    directory.mkdir()
    (directory / "parameters.yaml").write_text("left by a killed deployment")

    with pytest.raises(RuntimeError), private_file(directory, {"A": "1"}) as file:  # noqa: PT012
        assert json.loads(file.read_text()) == {"A": "1"}
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        raise RuntimeError

    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("text", ["Parameters: [", "- a list", "Parameters: {A: 1}"])
def test_unreadable_template_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)

    with pytest.raises(UsageProblem, match="cannot be read as a template"):
        declared(path)


def test_the_environments_own_variable_sets_parameters() -> None:
    said = {
        "PARAMETERS_STAGING": "CdnDomainName=images.example.com\n  SiteDomainName='app.example.com'",
        "PARAMETERS_PROD": "CdnDomainName=elsewhere.example.com",
    }

    assert ambient("staging", said) == {
        "CdnDomainName": "images.example.com",
        "SiteDomainName": "app.example.com",
    }
    assert ambient("dev", said) == {}
    assert ambient("prod-eu", {"PARAMETERS_PROD_EU": "A=1"}) == {"A": "1"}


@pytest.mark.parametrize("text", ["CdnDomainName", "A=1 B", "A='1"])
def test_a_variable_that_is_no_list_of_parameters_is_reported(text: str) -> None:
    with pytest.raises(UsageProblem, match=r"^\$PARAMETERS_STAGING: parameters"):
        ambient("staging", {"PARAMETERS_STAGING": text})
