"""docs/*-policy*.json allow whatever a deployment, an update, a deletion and the benchmarks send, SAM's own calls included.

For a verification tests/faults/test_policies.py does the same: it runs under exactly its policy.

The embedded AWS records each call with what IAM would ask about it; moto's evaluator of policies judges it. What
CloudFormation itself calls in the deployer's name stays inside the embedded AWS: for that the policies have CloudFormation's
schemas (ADR 15).
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from benchmarks import reference
from readiness.environment import Environment, named_by_iam
from tests.embedded.checkout import Checkout, checkout
from verification.application import ROOT, settings
from verification.stack import Stack

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("permissions")]

# AWS: "No permissions are required to perform this operation", and no policy can take it away.
FREE = {"sts:GetCallerIdentity"}


@dataclass(frozen=True, order=True)
class Call:
    """What IAM is asked."""

    action: str
    resource: str


def denied(calls: Sequence[Call], policies: Sequence[str]) -> list[Call]:
    """The calls that no policy allows. One about `*` is allowed where its action is, on whatever resource."""
    parsed = [IAMPolicy(policy) for policy in policies]
    everywhere = {
        action
        for policy in policies
        for statement in json.loads(policy)["Statement"]
        for action in _listed(statement["Action"])
    }
    return sorted(
        call
        for call in set(calls)
        if call.action not in FREE
        and not (call.resource == "*" and call.action in everywhere)
        and not any(
            policy.is_action_permitted(call.action, call.resource) is PermissionResult.PERMITTED
            for policy in parsed
        )
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


class Record:
    """The embedded AWS's record of calls."""

    def __init__(self, here: Checkout) -> None:
        self._here = here

    def _ask(self, method: str) -> list[dict[str, str]]:
        url = f"{self._here.state.endpoint.replace('https:', 'http:')}/_embedded/calls"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            found: list[dict[str, str]] = json.loads(answer.read())
            return found

    def begin(self) -> None:
        self._ask("PUT")

    def end(self) -> list[Call]:
        """What the administrator's key signed; the functions have keys of their own."""
        own = [call for call in self._ask("DELETE") if call["key"] == self._here.state.access_key_id]
        assert [call["request"] for call in own if not call["action"]] == []
        return [Call(named_by_iam(call["action"]), call["resource"]) for call in own]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with checkout(tmp_path_factory.mktemp("permissions"), "permissions") as made:
        yield made


def deploy(here: Checkout, *words: str) -> None:
    done = here.deploy(*words)
    assert done.status == 0, done.err + done.out[-2000:]


@pytest.fixture(scope="module")
def measuring(here: Checkout, deploying: list[Call]) -> list[Call]:
    """What the benchmarks do that a verification does not: they make functions of their own."""
    state = here.state
    session = boto3.Session(state.access_key_id, state.secret_access_key, region_name=state.region)
    env = Environment(settings("staging"), session, state.endpoint, state.ca_bundle, state.pid)
    api = Stack(env).api
    record = Record(here)
    record.begin()
    with reference.bare_function(env, like=api) as bare:
        bare.warm_invocations({}, 1)
        reference.forget_functions(env)
    return record.end()


@pytest.fixture(scope="module")
def deploying(here: Checkout) -> list[Call]:
    """A first deployment with its page, and an update."""
    record = Record(here)
    record.begin()
    deploy(here, "--frontend")
    deploy(here, "--parameter", "GlobalHourlyLimit=999")
    return record.end()


@pytest.fixture(scope="module")
def deleting(here: Checkout, deploying: list[Call], measuring: list[Call]) -> list[Call]:
    """The end of the stack, after whatever needs it."""
    record = Record(here)
    record.begin()
    deploy(here, "--delete")
    return record.end()


def policies(*patterns: str) -> list[str]:
    found = [file for pattern in patterns for file in sorted((ROOT / "docs").glob(pattern))]
    return [file.read_text(encoding="utf-8") for file in found]


def test_the_deployers_policies_allow_each_call(deploying: list[Call], deleting: list[Call]) -> None:
    assert len({call.action for call in deploying}) > 10, "the record is no record"
    assert denied([*deploying, *deleting], policies("deployer-policy*.json")) == []


def test_the_policies_of_who_measures_allow_each_call(measuring: list[Call]) -> None:
    lacking = denied(measuring, policies("verifier-policy.json"))

    assert {"lambda:ListFunctions", "lambda:CreateFunction", "lambda:DeleteFunction"} <= {
        call.action for call in lacking
    }
    assert denied(measuring, policies("verifier-policy.json", "benchmarks-policy.json")) == []


def test_what_a_call_needs_is_missed_when_it_is_taken_away(
    deploying: list[Call], deleting: list[Call]
) -> None:
    """The evaluation was seen to look at actions and at resources."""
    recorded, deployers = [*deploying, *deleting], policies("deployer-policy*.json")

    fewer = [_without(text, "s3:DeleteObject") for text in deployers]
    assert {call.action for call in denied(recorded, fewer)} == {"s3:DeleteObject"}
    elsewhere = [text.replace("aws-sam-cli-managed-default", "another") for text in deployers]
    missed = denied(recorded, elsewhere)
    assert missed
    assert all("aws-sam-cli-managed-default" in call.resource for call in missed)


def _without(policy: str, action: str) -> str:
    document: dict[str, Any] = json.loads(policy)
    for statement in document["Statement"]:
        statement["Action"] = [one for one in _listed(statement["Action"]) if one != action]
    return json.dumps(document)
