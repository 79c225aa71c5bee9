"""The SAM CLI's command lines and the environment its process gets. Neither contains a secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from readiness import secret_parameters
from readiness.environment import Environment

# SAM asks CloudFormation for news every 5 s, which is most of a deployment to an emulator.
_EMULATED_POLL_DELAY_S = "0.5"
# Set by our scripts for our own interpreter, or they make SAM print what it must not.
_UNWANTED = ("PYTHONPATH", "PYTHONSAFEPATH", "SAM_DEBUG")


def build() -> list[str]:
    return ["sam", "build"]


def deploy(environment: Environment, parameters: Path) -> list[str]:
    """Deploy without a question: the plan was shown and agreed to. No change is no failure."""
    return [
        "sam",
        "deploy",
        "--config-env",
        environment.name,
        "--stack-name",
        environment.stack_name,
        "--region",
        environment.region,
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--parameter-overrides",
        parameters.as_uri(),
    ]


def delete(environment: Environment) -> list[str]:
    """Delete the stack, and the packages that were uploaded for it."""
    return [
        "sam",
        "delete",
        "--stack-name",
        environment.stack_name,
        "--region",
        environment.region,
        "--no-prompts",
    ]


def variables(environment: Environment, ambient: Mapping[str, str]) -> dict[str, str]:
    """Return the child's environment: the same account, region and endpoint that the preflight checked.

    An environment on an embedded AWS gets its credentials alone; a real one keeps the ordinary chain,
    which can renew them during a long deployment.
    """
    result = {
        name: value for name, value in secret_parameters.without(ambient).items() if name not in _UNWANTED
    }
    result |= {
        "AWS_REGION": environment.region,
        "AWS_DEFAULT_REGION": environment.region,
    }
    if environment.emulated:
        result.setdefault("SAM_CLI_POLL_DELAY", _EMULATED_POLL_DELAY_S)
    credentials = environment.session.get_credentials()
    if environment.endpoint_url is None or credentials is None:
        return result
    result = {
        name: value
        for name, value in result.items()
        if not name.startswith("AWS_ENDPOINT_URL") and name not in ("AWS_PROFILE", "AWS_SESSION_TOKEN")
    }
    return result | {
        "AWS_ENDPOINT_URL": environment.endpoint_url,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        **({"AWS_CA_BUNDLE": environment.ca_bundle} if environment.ca_bundle else {}),
    }
