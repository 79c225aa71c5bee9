"""Checks of functions on what no embedded AWS gets a function into."""

from __future__ import annotations

from typing import Any

import pytest

from readiness.aws.function import Function
from readiness.aws.rule import Rule, Schedule
from readiness.catalogue.checks import test_compute as checks
from readiness.catalogue.compute import Compute
from readiness.discovery.graph import Graph, Resource
from readiness.errors import NotApplicable, Unverified

GRAPH = Graph([Resource("AWS::Lambda::Function", "Api", "shop-api")])


class Told(Compute):
    """Functions as Lambda would describe them."""

    configuration: Any = None

    def function(self, resource: Resource) -> Function:
        function = Function(self.env, resource.physical_id)
        function.__dict__["configuration"] = {"FunctionName": resource.physical_id, **self.configuration}
        return function


def told(**configuration: Any) -> Told:
    env: Any = None
    compute = Told(env, GRAPH)
    object.__setattr__(compute, "configuration", configuration)
    return compute


def test_a_function_that_was_updated_runs() -> None:
    checks.test_functions_run_what_was_deployed(GRAPH, told(State="Active", LastUpdateStatus="Successful"))
    checks.test_functions_run_what_was_deployed(GRAPH, told(State="Inactive", LastUpdateStatus="Successful"))


@pytest.mark.parametrize(("state", "update"), [("Failed", "Successful"), ("Active", "Failed")])
def test_a_function_that_failed_to_start_or_to_update_is_named_with_the_reason(
    state: str, update: str
) -> None:
    failed = told(State=state, LastUpdateStatus=update, LastUpdateStatusReason="the key is disabled")

    with pytest.raises(AssertionError, match="the key is disabled"):
        checks.test_functions_run_what_was_deployed(GRAPH, failed)


@pytest.mark.parametrize("facts", [{"State": "Pending", "LastUpdateStatus": "InProgress"}, {}])
def test_a_function_that_is_not_done_or_says_nothing_is_not_judged(facts: dict[str, str]) -> None:
    with pytest.raises(Unverified):
        checks.test_functions_run_what_was_deployed(GRAPH, told(**facts))


def test_an_image_brings_its_own_runtime() -> None:
    checks.test_runtimes_stay_supported(GRAPH, told(PackageType="Image"))


def test_an_unknown_runtime_is_not_judged() -> None:
    with pytest.raises(Unverified, match="cobol1"):
        checks.test_runtimes_stay_supported(GRAPH, told(Runtime="cobol1"))


def test_variables_that_cannot_be_decrypted_are_not_judged() -> None:
    with pytest.raises(Unverified, match="kms:Decrypt"):
        checks.test_environments_hold_no_secret(GRAPH, told(Environment={"Error": {"Message": "denied"}}))


def test_a_stack_without_functions_has_nothing_to_judge() -> None:
    with pytest.raises(NotApplicable, match="AWS::Lambda::Function"):
        checks.test_runtimes_stay_supported(Graph([]), told())


def test_a_permission_of_an_alias_starts_a_function_as_well() -> None:
    env: Any = None
    function = Function(env, "shop-api")
    topic = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
    gateway = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}}
    function.__dict__.update(permissions=[gateway], permissions_of_qualifiers={"live": [topic]})

    assert list(told().started_by_events(function)) == ["sns.amazonaws.com"]


NIGHTLY = "arn:aws:events:us-east-1:123456789012:rule/nightly"


@pytest.mark.parametrize(
    ("state", "sources", "started"),
    [
        ("ENABLED", [NIGHTLY], True),
        ("DISABLED", [NIGHTLY], False),
        ("DISABLED", [NIGHTLY, f"{NIGHTLY}-too"], True),
        ("DISABLED", [], True),
    ],
)
def test_a_disabled_rule_starts_nothing(state: str, sources: list[str], started: bool) -> None:
    env: Any = None
    rule, function = Rule(env, "nightly"), Function(env, "shop-api")
    vars(rule)["description"] = {"Arn": NIGHTLY, "State": state}
    condition = {"Condition": {"ArnLike": {"AWS:SourceArn": sources}}} if sources else {}
    permission = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, **condition}
    vars(function).update(permissions=[permission], permissions_of_qualifiers={})
    compute = told()
    vars(compute)["_rules"] = {"Nightly": rule}

    assert bool(compute.started_by_events(function)) is started


def test_a_disabled_schedule_starts_nothing() -> None:
    env: Any = None
    schedule, function = Schedule(env, "nightly"), Function(env, "shop-api")
    vars(function).update(permissions=[], permissions_of_qualifiers={})
    compute = told()
    vars(compute)["_rules"] = {"Nightly": schedule}
    for state, started in (("ENABLED", ["scheduler.amazonaws.com"]), ("DISABLED", [])):
        target = {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:shop-api"}
        vars(schedule)["description"] = {"State": state, "Target": target}

        assert compute.started_by_events(function) == started
