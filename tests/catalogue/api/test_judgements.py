"""Judgements that the embedded AWS cannot show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import timedelta
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import quote

import pytest
from requests.structures import CaseInsensitiveDict

from readiness.aws.api import Authorizer, Route
from readiness.aws.custom_domain import CustomDomain
from readiness.aws.function_url import FunctionUrl
from readiness.aws.rest_api import RestApi
from readiness.catalogue.apis import Apis, filled, is_harmless
from readiness.catalogue.checks import test_api as checks
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import NotApplicable, Unverified
from readiness.probes.disclosure import disclosed
from readiness.probes.http import Answer
from tests.answering import Answering

REST = Resource("AWS::ApiGateway::RestApi", "Rest", "abc")


def gateway(
    stage: dict[str, Any],
    plans: Sequence[dict[str, Any]] = (),
    preflight: dict[str, Any] | None = None,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Environment:
    """An account with one REST API, which has one method."""
    methods = {"GET": {"apiKeyRequired": True}, **({"OPTIONS": preflight} if preflight else {})}
    answers = {
        "apigateway:GetAccount": {"throttleSettings": {"rateLimit": 10_000.0, "burstLimit": 5_000}},
        "apigateway:GetStages": {"item": [{"stageName": "Prod", "deploymentId": "one", **stage}]},
        "apigateway:GetResources": {"items": [{"path": "/entries", "resourceMethods": methods}]},
        "apigateway:GetUsagePlans": {"items": [*plans]},
    }
    return cast("Environment", Answering({**answers, **more}))


def apis(
    stage: dict[str, Any],
    plans: list[dict[str, Any]] | None = None,
    preflight: dict[str, Any] | None = None,
    *others: Resource,
) -> Apis:
    return Apis(gateway(stage, plans or [], preflight), Graph([REST, *others]))


THROTTLED = {"*/*": {"throttlingRateLimit": 10.0, "throttlingBurstLimit": 20}}


def test_a_rest_stage_as_it_should_be() -> None:
    plan = {"apiStages": [{"apiId": "abc", "stage": "Prod"}]}
    found = apis({"tracingEnabled": True, "methodSettings": THROTTLED}, [plan])

    checks.test_rest_stages_are_traced(found)
    checks.test_every_route_is_throttled(found)
    checks.test_api_keys_can_be_used(found)


@pytest.mark.parametrize(("level", "whole"), [("INFO", True), ("OFF", False)])
def test_a_rest_stage_that_logs_whole_requests_fails(level: str, whole: bool) -> None:
    settings = {"entries~1{id}/GET": {"dataTraceEnabled": True, "loggingLevel": level}}

    with pytest.raises(AssertionError, match=r"entries/\{id\}/GET") if whole else nullcontext():
        checks.test_no_stage_logs_whole_requests(apis({"methodSettings": settings}))


def test_an_untraced_rest_stage_fails() -> None:
    with pytest.raises(AssertionError, match="Rest"):
        checks.test_rest_stages_are_traced(apis({"tracingEnabled": False}))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"*/*": {"throttlingRateLimit": -1, "throttlingBurstLimit": -1}},
        {"*/*": {"throttlingRateLimit": 10_000.0, "throttlingBurstLimit": 100}},
        {"*/*": {"throttlingRateLimit": 50.0, "throttlingBurstLimit": 5_000}},
        {"~1other/GET": THROTTLED["*/*"]},
    ],
)
def test_an_unthrottled_rest_stage_fails(settings: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="GET /entries"):
        checks.test_every_route_is_throttled(apis({"methodSettings": settings}))


@pytest.mark.parametrize(
    ("rate", "burst", "named"),
    [
        (0.0, 20, "refuse every request"),
        (10.0, 0, "refuse every request"),
        (10.0, 4, "at least 5"),
        (100.0, 20, "at least 50"),
    ],
)
def test_limits_that_refuse_what_they_allow_fail(rate: float, burst: int, named: str) -> None:
    settings = {"*/*": {"throttlingRateLimit": rate, "throttlingBurstLimit": burst}}
    with pytest.raises(AssertionError, match=named):
        checks.test_every_route_is_throttled(apis({"methodSettings": settings}))


def test_a_burst_of_half_the_rate_passes() -> None:
    settings = {"*/*": {"throttlingRateLimit": 5_000.0, "throttlingBurstLimit": 2_500}}
    checks.test_every_route_is_throttled(apis({"methodSettings": settings}))


def test_a_stage_that_sam_adds_is_said_to_be_one() -> None:
    """Nobody finds it in the template: `OpenApiVersion` is what keeps SAM from making it."""
    added = apis({"stageName": "Stage"})
    for check in (checks.test_every_route_is_throttled, checks.test_rest_stages_are_traced):
        with pytest.raises(AssertionError, match="OpenApiVersion"):
            check(added)

    declared = Resource("AWS::ApiGateway::Stage", "RestStage", "Stage")
    with pytest.raises(AssertionError, match="found that it is not; set"):
        checks.test_rest_stages_are_traced(apis({"stageName": "Stage"}, None, None, declared))


@pytest.mark.parametrize("closed", [{"authorizationType": "COGNITO_USER_POOLS"}, {"apiKeyRequired": True}])
def test_a_preflight_that_requires_credentials_fails(closed: dict[str, Any]) -> None:
    found = apis({}, preflight=closed)

    with pytest.raises(AssertionError, match="OPTIONS /entries require"):
        checks.test_preflights_are_answered_as_declared(found.env, found)


def test_an_open_preflight_passes() -> None:
    found = apis({}, preflight={"authorizationType": "NONE"})

    checks.test_preflights_are_answered_as_declared(found.env, found)


def test_a_rest_api_without_preflights_is_not_judged() -> None:
    found = apis({})

    with pytest.raises(NotApplicable, match="CORS"):
        checks.test_preflights_are_answered_as_declared(found.env, found)


def test_a_key_without_a_usage_plan_fails() -> None:
    other = {"apiStages": [{"apiId": "another", "stage": "Prod"}]}
    with pytest.raises(AssertionError, match="usage plan"):
        checks.test_api_keys_can_be_used(apis({}, [other]))


def test_an_api_that_serves_nothing_needs_no_usage_plan() -> None:
    with pytest.raises(NotApplicable, match="stage that serves"):
        checks.test_api_keys_can_be_used(apis({"deploymentId": ""}))


def test_a_method_is_read_with_its_authorization() -> None:
    rest = RestApi(gateway({}), "abc")

    assert [(str(route), route.is_protected) for route in rest.routes] == [("GET /entries", True)]


def test_what_could_take_something_away_is_not_asked() -> None:
    assert not is_harmless(Route("DELETE", "/entries", "NONE"))
    assert is_harmless(Route("DELETE", "/entries/{id}", "NONE"))
    assert "{" not in filled("/entries/{id}/{rest+}")


@pytest.mark.parametrize(
    ("body", "signs"),
    [
        ("not found", 0),
        ('{"message": "look at /var/log"}', 0),
        ('{"message": "File \\"/var/task/app.py\\", line 3"}', 1),
        ("Traceback (most recent call last):", 1),
        ("Error: no\n    at handler (/var/task/index.js:3:9)", 2),
    ],
)
def test_the_inside_of_a_server_is_recognised(body: str, signs: int) -> None:
    answer = Answer("GET /", 500, CaseInsensitiveDict(), body.encode(), timedelta(0))

    assert len(disclosed(answer)) == signs


DOMAIN = Resource("AWS::ApiGatewayV2::DomainName", "Name", "api.example")


def named(policy: str, *, disabled: bool = False) -> Environment:
    """An account whose API has a name of its own."""
    return gateway(
        {},
        more={
            "apigatewayv2:GetDomainName": {"DomainNameConfigurations": [{"SecurityPolicy": policy}]},
            "apigatewayv2:GetApiMappings": {"Items": [{"ApiId": "abc", "Stage": "Prod"}]},
            "apigateway:GetRestApi": {"disableExecuteApiEndpoint": disabled},
        },
    )


def domain_of(env: Environment) -> dict[Resource, CustomDomain]:
    return {DOMAIN: CustomDomain(env, "api.example")}


def test_a_domain_with_old_tls_fails() -> None:
    env = named("TLS_1_0")
    with pytest.raises(AssertionError, match="TLS_1_0"):
        checks.test_custom_domains_take_modern_tls(env, Graph([DOMAIN]), domain_of(env))


def test_an_endpoint_beside_a_domain_fails_unless_it_is_disabled() -> None:
    graph = Graph([REST, DOMAIN])
    for disabled in (True, False):
        env = named("TLS_1_2", disabled=disabled)
        refused = nullcontext() if disabled else pytest.raises(AssertionError, match="Rest")
        with refused:
            checks.test_custom_domains_cannot_be_bypassed(graph, Apis(env, graph), domain_of(env))


def answering(monkeypatch: pytest.MonkeyPatch, status: int, **headers: str) -> None:
    """Have every request answered alike."""
    told = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    answer = Answer("GET /", status, told, b"", timedelta(0))
    monkeypatch.setattr("readiness.catalogue.checks.test_api.exchange", lambda *_, **__: answer)


@pytest.mark.parametrize(("status", "holds"), [(401, True), (403, True), (200, False), (500, False)])
def test_a_protected_route_that_allows_unauthenticated_callers_fails(
    monkeypatch: pytest.MonkeyPatch, status: int, holds: bool
) -> None:
    answering(monkeypatch, status)
    monkeypatch.setattr(Apis, "base", lambda *_: "https://api.example")
    with nullcontext() if holds else pytest.raises(AssertionError, match="without credentials"):
        checks.test_protected_routes_refuse_unauthenticated_callers(cast("Environment", None), apis({}))


def by_token(**authorizer: str) -> Apis:
    """An API whose method has an authorizer of Lambda's."""
    method = {"authorizationType": "CUSTOM", "authorizerId": "a1"}
    guarded = {
        "apigateway:GetResources": {"items": [{"path": "/entries", "resourceMethods": {"GET": method}}]},
        "apigateway:GetAuthorizers": {"items": [{"id": "a1", **authorizer}]},
    }
    return Apis(gateway({}, more=guarded), Graph([REST]))


TOKEN = {"type": "TOKEN", "identitySource": "method.request.header.X-Key"}


@pytest.mark.parametrize("expression", ["", r"^key-[0-9a-f]{8}$"])
def test_an_authorizer_that_lets_any_token_in_fails(monkeypatch: pytest.MonkeyPatch, expression: str) -> None:
    """API Gateway itself refuses a request without a token, or with one of another form."""

    def answer(_env: Environment, method: str, url: str, **sent: Any) -> Answer:
        token = sent["headers"].get("X-Key", "")
        status = 200 if token and re.fullmatch(expression or ".*", token) else 401
        return Answer(f"{method} {url}", status, CaseInsensitiveDict(), b"", timedelta(0))

    monkeypatch.setattr("readiness.catalogue.checks.test_api.exchange", answer)
    monkeypatch.setattr(Apis, "base", lambda *_: "https://api.example")
    with pytest.raises(AssertionError, match="with a made-up token"):
        checks.test_protected_routes_refuse_unauthenticated_callers(
            cast("Environment", None), by_token(**TOKEN, identityValidationExpression=expression)
        )


def test_an_authorizer_that_no_token_can_be_made_up_for_is_not_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, 401)
    monkeypatch.setattr(Apis, "base", lambda *_: "https://api.example")
    with pytest.raises(Unverified, match=r"allow\|deny"):
        checks.test_protected_routes_refuse_unauthenticated_callers(
            cast("Environment", None), by_token(**TOKEN, identityValidationExpression="allow|deny")
        )


@pytest.mark.parametrize(
    ("sources", "headers", "parameters"),
    [
        (["method.request.header.Authorization"], ["Authorization"], []),
        (["$request.header.X-Key", "$request.querystring.key", "$context.routeKey"], ["X-Key"], ["key"]),
        (["method.request.querystring.key", " method.request.header.X-Key"], ["X-Key"], ["key"]),
        ([], [], []),
    ],
)
def test_an_authorizer_says_where_it_reads(
    sources: list[str], headers: list[str], parameters: list[str]
) -> None:
    asked = Authorizer.asking(sources)

    assert (asked.headers, asked.parameters) == (headers, parameters)


def test_a_token_stands_wherever_the_authorizer_reads_it() -> None:
    sources = "method.request.header.X-Key,method.request.querystring.key"
    found = by_token(type="REQUEST", identitySource=sources)
    (route,) = found.api(REST).routes

    query, headers = found.made_up(REST, route)

    assert query == f"?key={quote(headers['X-Key'])}"
    assert [*by_token(type="REQUEST").made_up(REST, route)[1]] == ["Authorization"]


@pytest.mark.parametrize(
    ("allowed", "told_of"),
    [
        ("https://app.example", ""),
        ("https://other.example", "lets https://app.example in"),
        ("*", "unknown origin"),
    ],
)
def test_a_preflight_that_is_not_as_declared_fails(
    monkeypatch: pytest.MonkeyPatch, allowed: str, told_of: str
) -> None:
    answering(monkeypatch, 204, access_control_allow_origin=allowed)
    url = Resource("AWS::Lambda::Url", "Url", "arn:aws:lambda:us-east-1:111122223333:function:one")
    cors = {"AllowOrigins": ["https://app.example"], "AllowMethods": ["GET"]}
    found = Apis(cast("Environment", None), Graph([url]))
    live = FunctionUrl(cast("Environment", None), url.physical_id)
    vars(live)["description"] = {"FunctionUrl": "https://url.example/", "AuthType": "NONE", "Cors": cors}
    vars(found)["urls"] = {url: live}
    with pytest.raises(AssertionError) if told_of else nullcontext() as refused:
        checks.test_preflights_are_answered_as_declared(cast("Environment", None), found)
    assert told_of in " ".join(str(refused.value if refused else "").replace('"\n', "").split())
