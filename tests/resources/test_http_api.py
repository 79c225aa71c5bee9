"""readiness/aws/http_api.py"""

from __future__ import annotations

import pytest

from readiness.aws.http_api import HttpApi, Throttle
from readiness.errors import Missing


@pytest.fixture
def gateway(env):
    return env.client("apigatewayv2")


@pytest.fixture
def api(env, gateway, unique):
    return HttpApi(env, gateway.create_api(Name=unique, ProtocolType="HTTP")["ApiId"])


def staged(env, *routes, **stage):
    """An API whose routes and stage have been read."""
    api = HttpApi(env, "a1")
    vars(api).update(route_keys=list(routes), stage=stage)
    return api


def test_what_is_configured_is_read(api, gateway):
    gateway.create_stage(ApiId=api.id, StageName="$default", AutoDeploy=True)
    gateway.create_route(ApiId=api.id, RouteKey="GET /health")
    gateway.create_route(ApiId=api.id, RouteKey="POST /generate")

    assert api.endpoint.startswith(f"https://{api.id}.execute-api.")
    assert api.stage["StageName"] == "$default"
    assert sorted(api.route_keys) == ["GET /health", "POST /generate"]


def test_an_api_without_routes_has_none(api):
    assert api.route_keys == []


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({}, Throttle(None, None)),
        ({"DefaultRouteSettings": None, "RouteSettings": None}, Throttle(None, None)),
        (
            {"DefaultRouteSettings": {"ThrottlingRateLimit": 50.0, "ThrottlingBurstLimit": 100}},
            Throttle(50.0, 100),
        ),
        (
            {
                "DefaultRouteSettings": {"ThrottlingRateLimit": 50.0, "ThrottlingBurstLimit": 100},
                "RouteSettings": {"GET /health": {"ThrottlingRateLimit": 5.0}},
            },
            Throttle(5.0, 100),
        ),
        (
            {"RouteSettings": {"POST /other": {"ThrottlingRateLimit": 5.0, "ThrottlingBurstLimit": 1}}},
            Throttle(None, None),
        ),
    ],
    ids=["nothing", "null", "default", "own over default", "another's"],
)
def test_what_is_in_force_on_a_route(env, stage, expected):
    assert staged(env, "GET /health", **stage).throttles == {"GET /health": expected}


def test_settings_of_routes_that_do_not_exist_are_left_out(env):
    assert staged(env, RouteSettings={"GET /gone": {"ThrottlingRateLimit": 5.0}}).throttles == {}


@pytest.mark.parametrize("fact", ["endpoint", "stage", "route_keys"])
def test_an_api_that_does_not_exist_is_missing(env, fact):
    with pytest.raises(Missing, match="NotFoundException"):
        getattr(HttpApi(env, "nevermade"), fact)


def test_an_api_without_default_stage_is_missing_it(api):
    with pytest.raises(Missing, match="GetStage: NotFoundException"):
        _ = api.stage


def test_a_stage_may_have_a_name_when_it_is_the_only_one(api, gateway):
    gateway.create_stage(ApiId=api.id, StageName="live")

    assert api.stage["StageName"] == "live"
    assert api.base_url == f"{api.endpoint}/live"


def test_no_stage_is_chosen_from_several(api, gateway):
    for name in ("live", "next"):
        gateway.create_stage(ApiId=api.id, StageName=name)

    with pytest.raises(Missing):
        _ = api.stage
