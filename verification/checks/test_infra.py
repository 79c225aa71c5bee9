"""Section Infrastructure: the stack stands, and stands up."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from verification import budgets
from verification.environment import Environment
from verification.probes.api import Api
from verification.resources.http_api import Throttle
from verification.stack import Stack

pytestmark = pytest.mark.infra


@pytest.mark.item("INF-01")
def test_stack_is_complete(stack: Stack) -> None:
    """A stack that rolled back runs something else than what was released."""
    failed = [resource for resource in stack.formation.resources.values() if "FAILED" in resource.status]

    assert stack.formation.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
    assert failed == []


@pytest.mark.item("INF-02")
def test_health_names_this_environment(api: Api, env: Environment) -> None:
    """Everything else may look right while users of one environment reach another."""
    health = api.call("GET", "/health")

    assert health.status == HTTPStatus.OK, health
    assert health.json()["environment"] == env.name


@pytest.mark.item("INF-03")
def test_outputs_point_at_live_resources(stack: Stack) -> None:
    """People and scripts follow the outputs, wherever they lead."""
    assert {
        name: stack.formation.output(name) for name in ("ApiEndpoint", "S3BucketName", "CloudFrontDomain")
    } == {
        "ApiEndpoint": stack.http_api.endpoint,
        "S3BucketName": stack.bucket.live_name,
        "CloudFrontDomain": stack.distribution.domain_name,
    }


@pytest.mark.item("INF-05")
def test_every_route_is_throttled(stack: Stack) -> None:
    """One client could use up the account's concurrency for everybody."""
    expected = Throttle(rate=budgets.API_RATE, burst=budgets.API_BURST)

    assert {
        route: throttle for route, throttle in stack.http_api.throttles.items() if throttle != expected
    } == {}
    assert stack.http_api.route_keys, f"{stack.http_api!r} has no route"


@pytest.mark.item("INF-12")
def test_requests_are_traced(stack: Stack) -> None:
    """Nobody can say where the time went."""
    assert {f.name: f.tracing_mode for f in (stack.api, stack.worker) if f.tracing_mode != "Active"} == {}


@pytest.mark.item("INF-13")
def test_table_can_be_restored(stack: Stack) -> None:
    """One wrong delete would lose every job, one busy hour would be refused."""
    assert stack.table.point_in_time_recovery == "ENABLED"
    assert stack.table.billing_mode == "PAY_PER_REQUEST"


@pytest.mark.item("INF-17")
def test_stack_survives_a_slip(stack: Stack, env: Environment) -> None:
    """Deleting the wrong stack would delete the users' images with it."""
    policy = stack.formation.template["Resources"]["ImagesBucket"].get("DeletionPolicy")

    assert policy in ("Retain", "RetainExceptOnCreate")
    assert stack.formation.termination_protection or env.name != "prod", f"{stack.formation!r} can be deleted"
