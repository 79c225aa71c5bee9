"""HTTP APIs, REST APIs and function URLs."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

import pytest

from readiness import budgets
from readiness.aws.api import Route, Stage
from readiness.aws.custom_domain import CustomDomain
from readiness.aws.http_api import HttpApi
from readiness.aws.log_group import LogGroup
from readiness.aws.rest_api import RestApi
from readiness.catalogue.apis import Apis, filled, is_harmless, method_of
from readiness.catalogue.judging import every, findings
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import Missing, NotApplicable, Unverified
from readiness.probes.disclosure import disclosed
from readiness.probes.http import Answer, exchange
from readiness.probes.tls import accepts

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_READS = ("GET", "HEAD")
_DOMAINS = ("AWS::ApiGatewayV2::DomainName", "AWS::ApiGateway::DomainName")


@pytest.fixture(scope="session")
def apis(env: Environment, graph: Graph) -> Apis:
    """The stack's APIs and function URLs."""
    return Apis(env, graph)


@pytest.mark.config
@pytest.mark.item("HTTP-01")
def test_every_route_is_throttled(apis: Apis) -> None:
    """One caller uses up what the whole account may take a second, or callers within the limit are refused."""

    def judge(resource: Resource) -> Iterator[str]:
        setting = "MethodSettings" if isinstance(apis.api(resource), RestApi) else "DefaultRouteSettings"
        for stage in apis.stages(resource):
            unset = [name for name, one in stage.throttles.items() if one.rate is None or one.burst is None]
            if unset:
                advice = _against(apis, resource, stage, f"set both in {setting}")
                yield (
                    f"expected a rate and a burst limit for each route of stage {stage.name}, found none for "
                    f"{', '.join(unset)}; {advice}"
                )
            for name, one in stage.throttles.items():
                if one.rate is None or one.burst is None:
                    continue
                if not one.rate or not one.burst:
                    yield (
                        f"expected limits above 0 for {name} of stage {stage.name}, found a rate of {one.rate:g} and a burst of "
                        f"{one.burst}, which refuse every request; raise ThrottlingRateLimit and ThrottlingBurstLimit"
                    )
                elif one.burst < (least := budgets.LEAST_BURST_SHARE * one.rate):
                    yield (
                        f"expected a burst limit of at least {least:g} for {name} of stage {stage.name}, half its rate of "
                        f"{one.rate:g} a second, found {one.burst}; raise ThrottlingBurstLimit"
                    )

    assert findings(apis.served_with_sockets, judge) == {}


def _against(apis: Apis, resource: Resource, stage: Stage, change: str) -> str:
    """The change to make; for a stage that SAM adds, how to be without it."""
    if not apis.is_added(resource, stage):
        return change
    return "SAM adds this stage: set OpenApiVersion: 3.0.1 of the API or in Globals, deploy, and delete the stage"


@pytest.mark.infra
@pytest.mark.item("HTTP-02")
def test_every_stage_logs_its_requests(env: Environment, apis: Apis) -> None:
    """Operators cannot tell who asked for what when something went wrong."""

    def judge(resource: Resource) -> Iterator[str]:
        for stage in apis.stages(resource):
            if not stage.access_log:
                setting = (
                    "AccessLogSetting" if isinstance(apis.api(resource), RestApi) else "AccessLogSettings"
                )
                advice = _against(apis, resource, stage, f"set {setting}")
                yield f"expected an access log of stage {stage.name}, found none; {advice}"
            elif stage.log_group:
                try:
                    _ = LogGroup(env, stage.log_group).description
                except Missing:
                    yield (
                        f"expected the access log of stage {stage.name} in a log group that exists, found {stage.log_group}, "
                        "which does not; declare it"
                    )

    assert findings(apis.served_with_sockets, judge) == {}


@pytest.mark.security
@pytest.mark.item("HTTP-17")
def test_no_stage_logs_whole_requests(apis: Apis) -> None:
    """Each token and each body that a user sends is in a log."""
    able = [
        one
        for one in apis.served_with_sockets
        if not (isinstance(api := apis.api(one), HttpApi) and api.speaks_http)
    ]
    if not able:
        raise NotApplicable(
            "the stack has no REST API and no WebSocket API; HTTP APIs cannot log whole requests"
        )

    def judge(resource: Resource) -> Iterator[str]:
        for stage in apis.stages(resource):
            if stage.logs_whole:
                yield (
                    f"expected no request to be logged whole in stage {stage.name}, found DataTraceEnabled for "
                    f"{', '.join(stage.logs_whole)}; set it to false"
                )

    assert findings(able, judge) == {}


@pytest.mark.infra
@pytest.mark.item("HTTP-03")
def test_rest_stages_are_traced(apis: Apis) -> None:
    """A slow request cannot be followed to what made it slow."""
    rest = [one for one in apis.served if isinstance(apis.api(one), RestApi)]
    if not rest:
        raise NotApplicable(
            "the stack has no REST API with a stage that serves something; HTTP APIs cannot be traced"
        )

    def judge(resource: Resource) -> Iterator[str]:
        for stage in apis.stages(resource):
            if stage.traced is False:
                advice = _against(apis, resource, stage, "set TracingEnabled")
                yield f"expected stage {stage.name} to be traced, found that it is not; {advice}"

    assert findings(rest, judge) == {}


@pytest.mark.infra
@pytest.mark.item("HTTP-04")
def test_every_route_leads_somewhere(apis: Apis) -> None:
    """Each request of the route is answered with a server error."""
    assert findings(apis.served_with_sockets, apis.broken_integrations) == {}


@pytest.mark.infra
@pytest.mark.item("HTTP-05")
def test_the_latest_deployment_is_served(apis: Apis) -> None:
    """Routes that the template declares are not there for users."""

    def judge(resource: Resource) -> Iterator[str]:
        api = apis.api(resource)
        manual = [stage for stage in api.stages if not stage.auto_deploy]
        if empty := [stage.name for stage in manual if not stage.deployment]:
            yield f"expected a deployment on each stage, found none on {', '.join(empty)}; set DeploymentId or AutoDeploy"
        newest = api.newest_deployment
        if not api.stages:
            yield "expected a stage, found none; add one"
        # One that lags behind on purpose, as before a promotion, has another stage ahead of it.
        elif manual == list(api.stages) and newest and newest not in {one.deployment for one in manual}:
            yield f"expected the latest deployment {newest} on a stage, found it on none; set DeploymentId to it"

    assert findings(apis.with_sockets, judge) == {}


def _cors(apis: Apis) -> Mapping[Resource, Mapping[str, object]]:
    """The CORS configuration of each HTTP API and function URL that has one."""
    found: dict[Resource, Mapping[str, object]] = {one: url.cors for one, url in apis.urls.items()}
    for resource in apis.resources if apis.has_apis else []:
        api = apis.api(resource)
        if isinstance(api, HttpApi) and apis.stages(resource):
            found[resource] = api.cors
    return {one: cors for one, cors in found.items() if cors}


def _words(cors: Mapping[str, object], name: str) -> Sequence[str]:
    values = cors.get(name)
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


@pytest.mark.security
@pytest.mark.item("HTTP-06")
def test_no_other_origin_gets_credentials(apis: Apis) -> None:
    """Any page that a signed-in user opens can read that user's data."""
    if not (declared := _cors(apis)):
        raise NotApplicable("no HTTP API and no function URL of the stack has a CORS configuration")

    def judge(resource: Resource) -> Iterator[str]:
        cors = declared[resource]
        wide = [one for one in _words(cors, "AllowOrigins") if "*" in one]
        if wide and cors.get("AllowCredentials"):
            yield (
                f"expected named origins where credentials are allowed, found {', '.join(wide)}; name the origins, or set "
                "AllowCredentials to false"
            )

    assert findings(declared, judge) == {}


@pytest.mark.security
@pytest.mark.item("HTTP-07")
def test_preflights_are_answered_as_declared(env: Environment, apis: Apis) -> None:
    """Browsers refuse the page's own requests, or accept requests of any site."""
    declared = {one: cors for one, cors in _cors(apis).items() if one in apis.urls or apis.base(one)}
    rest = _preflights(apis)
    if not declared and not rest:
        raise NotApplicable("nothing that answers under an address of AWS's has a CORS configuration")

    def judge(resource: Resource) -> Iterator[str]:
        if resource in rest:
            yield from _closed(rest[resource])
            return
        cors = declared[resource]
        origins, methods = _words(cors, "AllowOrigins"), _words(cors, "AllowMethods")
        routes = apis.asked(resource)
        if not origins or not methods or not routes:
            return
        url = apis.base(resource) + filled(routes[0].path)
        headers = [one for one in _words(cors, "AllowHeaders") if one != "*"]
        asked = {"Access-Control-Request-Method": "GET" if "*" in methods else methods[0]}
        if headers:
            asked["Access-Control-Request-Headers"] = ",".join(one.lower() for one in headers)
        for origin in (one for one in origins if "*" not in one):
            answer = exchange(env, "OPTIONS", url, headers={"Origin": origin, **asked})
            if answer.headers.get("access-control-allow-origin") not in (origin, "*"):
                yield f"expected a preflight that lets {origin} in, found {answer!r} without it; add the origin to the CORS configuration"
        if not any("*" in one for one in origins):
            unknown = f"https://{uuid.uuid4().hex}.example"
            answer = exchange(env, "OPTIONS", url, headers={"Origin": unknown, **asked})
            if (allowed := answer.headers.get("access-control-allow-origin")) in (unknown, "*"):
                yield f"expected a preflight that refuses an unknown origin, found that it allows {allowed}; name the origins"

    assert findings([*declared, *rest], judge) == {}


def _preflights(apis: Apis) -> Mapping[Resource, Sequence[Route]]:
    """The OPTIONS methods of each REST API that has some."""
    found = {
        one: [route for route in apis.api(one).routes if route.method == "OPTIONS"]
        for one in (apis.resources if apis.has_apis else [])
        if isinstance(apis.api(one), RestApi) and apis.stages(one)
    }
    return {one: routes for one, routes in found.items() if routes}


def _closed(preflights: Sequence[Route]) -> Iterator[str]:
    if closed := [str(route) for route in preflights if route.is_protected]:
        yield (
            f"expected preflights without credentials, since browsers send none, found that {', '.join(closed)} require them; "
            "set AddDefaultAuthorizerToCorsPreflight: false in SAM's Auth, or AuthorizationType: NONE"
        )


def _faults(answer: Answer) -> Iterator[str]:
    """Yield each fault of an answer to an unauthenticated caller: a server error, or internal details."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        yield f"expected no server error, found {answer.status} for {answer.request}; handle a request without input"
    for sign in disclosed(answer):
        yield f"expected no internal details of the server, found {sign} in the answer to {answer.request}; answer in words of your own"


@pytest.mark.infra
@pytest.mark.item("HTTP-08")
def test_every_open_read_answers(env: Environment, apis: Apis) -> None:
    """Users see an error where the template promises an answer."""

    def judge(resource: Resource) -> Iterator[str]:
        for route in apis.asked(resource):
            if not route.is_protected and method_of(route) in _READS:
                yield from _faults(exchange(env, method_of(route), apis.base(resource) + filled(route.path)))

    assert findings(apis.reachable(), judge) == {}


@pytest.mark.infra
@pytest.mark.item("HTTP-09")
def test_every_open_write_answers_an_empty_body(
    env: Environment, apis: Apis, evidence: dict[str, object]
) -> None:
    """Any caller can make the API fail, and raise its alarms."""

    def judge(resource: Resource) -> Iterator[str]:
        for route in apis.asked(resource):
            if route.is_protected or method_of(route) in _READS:
                continue
            if not is_harmless(route):
                evidence[f"{resource}: {route}"] = "not asked: it names no single thing that it changes"
                continue
            yield from _faults(
                exchange(env, method_of(route), apis.base(resource) + filled(route.path), body=b"")
            )

    assert findings(apis.reachable(urls=False), judge) == {}


@pytest.mark.security
@pytest.mark.item("HTTP-10")
def test_protected_routes_refuse_unauthenticated_callers(env: Environment, apis: Apis) -> None:
    """Any caller can read and do what only users may."""
    protected = [
        one
        for one in apis.reachable(urls=False)
        if any(route.is_protected and is_harmless(route) for route in apis.asked(one))
    ]
    if not protected:
        raise NotApplicable("no API has a route with an authorizer or an API key")

    def status(resource: Resource, route: Route, query: str, headers: Mapping[str, str]) -> int:
        url = apis.base(resource) + filled(route.path) + query
        return exchange(env, method_of(route), url, headers=headers, body=b"").status

    def judge(resource: Resource) -> Iterator[str]:
        doubts: list[Unverified] = []
        for route in apis.asked(resource):
            if not route.is_protected or not is_harmless(route):
                continue
            what, found = "without credentials", status(resource, route, "", {})
            if found in _REFUSED and route.authorization not in ("NONE", "AWS_IAM"):
                # An authorizer that takes any token refuses only those who bring none.
                try:
                    what, found = (
                        "with a made-up token",
                        status(resource, route, *apis.made_up(resource, route)),
                    )
                except Unverified as doubt:
                    doubts.append(doubt)
            if found not in _REFUSED:
                yield f"expected 401 or 403 for {route} {what}, found {found}; correct its authorizer, then deploy the stage"
        if doubts:
            raise doubts[0]

    assert findings(protected, judge) == {}


@pytest.mark.infra
@pytest.mark.item("HTTP-11")
def test_an_unknown_path_is_no_server_error(env: Environment, apis: Apis) -> None:
    """A user who mistypes an address raises alarms, and learns what the server is made of."""

    def judge(resource: Resource) -> Iterator[str]:
        yield from _faults(exchange(env, "GET", f"{apis.base(resource)}/{uuid.uuid4().hex}"))

    assert findings(apis.reachable(), judge) == {}


@pytest.mark.security
@pytest.mark.item("HTTP-12")
def test_writes_are_protected_where_their_path_is(apis: Apis, evidence: dict[str, object]) -> None:
    """Any caller changes what only users may read."""

    def judge(resource: Resource) -> Iterator[str]:
        routes = apis.api(resource).routes
        guarded = {route.path for route in routes if route.is_protected}
        for route in routes:
            if route.is_protected or route.method in (*_READS, "OPTIONS"):
                continue
            if route.path in guarded:
                yield (
                    f"expected an authorizer on {route}, found none although other methods of {route.path} have one; set its "
                    "authorizer"
                )
            else:
                evidence[f"{resource}: {route}"] = "open to every caller"

    assert findings(apis.served, judge) == {}


@pytest.mark.config
@pytest.mark.item("HTTP-13")
def test_api_keys_can_be_used(apis: Apis) -> None:
    """Every caller is refused, with a key or without."""
    keyed = [
        one
        for one in apis.served
        if isinstance(apis.api(one), RestApi) and any(route.key_required for route in apis.api(one).routes)
    ]
    if not keyed:
        raise NotApplicable("no REST API that is served asks for an API key")

    def judge(resource: Resource) -> Iterator[str]:
        api = apis.api(resource)
        assert isinstance(api, RestApi)
        served = {stage.name for stage in apis.stages(resource)}
        if not served & api.usage_plan_stages:
            yield (
                f"expected a usage plan for a stage of {', '.join(sorted(served))}, found none; add an AWS::ApiGateway::UsagePlan "
                "with the stage in ApiStages"
            )

    assert findings(keyed, judge) == {}


@pytest.mark.security
@pytest.mark.item("HTTP-14")
def test_function_urls_ask_for_a_signature(apis: Apis) -> None:
    """Any caller starts the function, past every throttle, firewall and log of an API."""
    if not apis.urls:
        raise NotApplicable("the stack has no function URL")

    def judge(resource: Resource) -> Iterator[str]:
        if apis.urls[resource].authorization == "NONE":
            yield (
                "expected AuthType AWS_IAM, found NONE; set AWS_IAM and let a distribution sign for the public, or leave the item "
                "out with the reason"
            )

    assert findings(apis.urls, judge) == {}


@pytest.fixture(scope="session")
def domains(env: Environment, graph: Graph) -> Mapping[Resource, CustomDomain]:
    """Every custom domain of the stack."""
    return {one: CustomDomain(env, one.physical_id) for one in graph.of(*_DOMAINS)}


@pytest.mark.security
@pytest.mark.item("HTTP-15")
def test_custom_domains_take_modern_tls(
    env: Environment, graph: Graph, domains: Mapping[Resource, CustomDomain]
) -> None:
    """Earlier versions of TLS have known weaknesses."""

    def judge(resource: Resource) -> Iterator[str]:
        domain = domains[resource]
        if old := [one for one in domain.security_policies if one == "TLS_1_0"]:
            yield f"expected TLS_1_2 or later, found {', '.join(old)}; set SecurityPolicy"
        elif accepts(env, domain.name, ssl.TLSVersion.TLSv1_1):
            yield f"expected {domain.name} to refuse TLS 1.1, found that it takes it; set SecurityPolicy to TLS_1_2"

    assert findings(every(graph, *_DOMAINS), judge) == {}


@pytest.mark.security
@pytest.mark.item("HTTP-16")
def test_custom_domains_cannot_be_bypassed(
    graph: Graph, apis: Apis, domains: Mapping[Resource, CustomDomain]
) -> None:
    """A caller who knows the API's own address gets past the domain's certificate policy and firewall."""
    every(graph, *_DOMAINS)
    mapped = {id_ for domain in domains.values() for id_ in domain.api_ids}
    fronted = [one for one in apis.served if one.physical_id in mapped]
    if not fronted:
        raise NotApplicable("no API of the stack is mapped to a custom domain of the stack")

    def judge(resource: Resource) -> Iterator[str]:
        if not apis.api(resource).endpoint_disabled:
            yield "expected a disabled execute-api endpoint behind a custom domain, found it open; set DisableExecuteApiEndpoint"

    assert findings(fronted, judge) == {}
