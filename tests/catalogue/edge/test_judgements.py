"""Judgements that the embedded AWS cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import timedelta
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import pytest
from requests.structures import CaseInsensitiveDict

from readiness.aws.distribution import Distribution
from readiness.catalogue.checks import test_edge as checks
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import NotApplicable
from readiness.probes.cdn import Cdn
from readiness.probes.http import Answer
from tests.answering import Answering

EDGE = Resource("AWS::CloudFront::Distribution", "Edge", "E1")
GRAPH = Graph([EDGE])


class Account(Answering):
    """An account with a CloudFront that tells one configuration."""

    name = "prod"

    def __init__(
        self,
        configuration: dict[str, Any] | None = None,
        *,
        production: bool = True,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__({"cloudfront:GetDistribution": self._distribution, **more})
        self.configuration = configuration or {}
        self.settings = SimpleNamespace(production=production)

    def _distribution(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"Distribution": {"DistributionConfig": self.configuration, "DomainName": "edge.example"}}


def told(account: Account) -> dict[Resource, Distribution]:
    return {EDGE: Distribution(cast("Environment", account), "E1")}


def named(version: str) -> dict[Resource, Distribution]:
    own = {"Aliases": {"Items": ["app.example"]}, "ViewerCertificate": {"MinimumProtocolVersion": version}}
    return told(Account({"Enabled": True, **own}))


@pytest.mark.parametrize("version", ["TLSv1.2_2018", "TLSv1.2_2021", "TLSv1.3_2025"])
def test_modern_tls_passes(version: str) -> None:
    checks.test_own_names_take_modern_tls(GRAPH, named(version))


@pytest.mark.parametrize("version", ["SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"])
def test_old_tls_fails(version: str) -> None:
    with pytest.raises(AssertionError, match="Edge"):
        checks.test_own_names_take_modern_tls(GRAPH, named(version))


API = "abc.execute-api.us-east-1.amazonaws.com"
FILES = "pages.s3.us-east-1.amazonaws.com"
AT_THE_EDGE = {"LambdaFunctionAssociations": {"Quantity": 1, "Items": [{"EventType": "origin-request"}]}}


def unprotected(*domains: str, enabled: bool = True, **behaviour: Any) -> dict[str, Any]:
    """A distribution without a firewall."""
    return {
        "Enabled": enabled,
        "WebACLId": "",
        "Origins": {"Items": [{"Id": one, "DomainName": one} for one in domains]},
        "DefaultCacheBehavior": {"TargetOriginId": domains[0], **behaviour},
    }


@pytest.mark.parametrize("exposed", [unprotected(FILES, API), unprotected(FILES, **AT_THE_EDGE)])
def test_production_without_a_firewall_fails(exposed: dict[str, Any]) -> None:
    account = Account(exposed)
    with pytest.raises(AssertionError, match="Edge"):
        checks.test_production_has_a_firewall(cast("Environment", account), GRAPH, told(account))


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (Account(unprotected(API), production=False), "not declared as production"),
        (Account(unprotected(API, enabled=False)), "is enabled"),
        (Account(unprotected(FILES, "pages.s3-website-us-east-1.amazonaws.com")), "files of buckets alone"),
    ],
)
def test_a_firewall_is_asked_only_where_production_runs_something(account: Account, why: str) -> None:
    with pytest.raises(NotApplicable, match=why):
        checks.test_production_has_a_firewall(cast("Environment", account), GRAPH, told(account))


def test_a_disabled_distribution_is_left_to_the_item_that_names_it() -> None:
    served = unprotected("http.example", enabled=False, ViewerProtocolPolicy="allow-all")
    with pytest.raises(NotApplicable, match="enabled"):
        checks.test_every_behaviour_requires_https(GRAPH, told(Account(served)))
    with pytest.raises(AssertionError, match="Edge"):
        checks.test_every_distribution_is_deployed(GRAPH, told(Account(served)))


@pytest.mark.parametrize(
    ("domain", "bucket"),
    [
        ("pages.s3.eu-west-1.amazonaws.com", "pages"),
        ("my.pages.s3.amazonaws.com", "my.pages"),
        ("pages.s3-eu-west-1.amazonaws.com", "pages"),
        ("pages.s3-website-us-east-1.amazonaws.com", ""),
        ("abc.execute-api.us-east-1.amazonaws.com", ""),
    ],
)
def test_a_bucket_is_known_by_its_domain(domain: str, bucket: str) -> None:
    assert checks._bucket_of({"DomainName": domain}) == bucket


@pytest.mark.parametrize(
    ("status", "body", "told_of"),
    [
        (403, "Access Denied", ""),
        (404, "<h1>Not here</h1>", ""),
        (403, "<BucketName>pages</BucketName>", "names no bucket"),
        (500, "oops", "expected 403, 404"),
        (404, "Traceback (most recent call last):", "a Python stack"),
    ],
)
def test_a_missing_object_is_answered_without_names(
    monkeypatch: pytest.MonkeyPatch, status: int, body: str, told_of: str
) -> None:
    answer = Answer("GET /none", status, CaseInsensitiveDict(), body.encode(), timedelta(0))
    monkeypatch.setattr(Cdn, "get", lambda *_, **__: answer)
    origin = {"Id": "pages", "DomainName": "pages.s3.amazonaws.com"}
    served = {
        "Enabled": True,
        "Origins": {"Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "pages"},
    }
    account = Account(served)
    graph = Graph([EDGE, Resource("AWS::S3::Bucket", "Pages", "pages")])
    refused = pytest.raises(AssertionError, match=told_of) if told_of else nullcontext()

    with refused:
        checks.test_a_missing_object_reveals_nothing(cast("Environment", account), graph, told(account))


API = "abc.execute-api.us-east-1.amazonaws.com"
WRITES = {"Items": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]}
NOTHING = "the cache policy that takes nothing into its key"
QUERIES = "the cache policy that takes query strings into its key"


def _cache_policy(asked: Mapping[str, Any]) -> dict[str, Any]:
    key = {"QueryStringsConfig": {"QueryStringBehavior": "all" if asked["Id"] == QUERIES else "none"}}
    return {"CachePolicy": {"CachePolicyConfig": {"ParametersInCacheKeyAndForwardedToOrigin": key}}}


def edge(
    routes: Mapping[str, str] = MappingProxyType({"POST /entries": "JWT", "GET /entries": "NONE"}),
) -> Account:
    """CloudFront before an HTTP API whose writes have an authorizer."""
    listed = [
        {"RouteKey": key, "AuthorizationType": kind, "Target": "integrations/none"}
        for key, kind in routes.items()
    ]
    return Account(
        more={
            "cloudfront:GetCachePolicy": _cache_policy,
            "apigatewayv2:GetApi": {"ProtocolType": "HTTP"},
            "apigatewayv2:GetRoutes": {"Items": listed},
            "apigatewayv2:GetStages": {"Items": [{"StageName": "$default", "AutoDeploy": True}]},
            "apigatewayv2:GetAuthorizers": {"Items": []},
            "apigatewayv2:GetIntegrations": {"Items": []},
        }
    )


def _judged(account: Account, behaviour: dict[str, Any], **origin: Any) -> None:
    account.configuration = {
        "Enabled": True,
        "Origins": {"Items": [{"Id": "api", "DomainName": API, **origin}]},
        "DefaultCacheBehavior": {"TargetOriginId": "elsewhere"},
        "CacheBehaviors": {
            "Items": [
                {"PathPattern": "/public/*", "TargetOriginId": "api", "CachePolicyId": NOTHING},
                {"PathPattern": "/entries*", "TargetOriginId": "api", **behaviour},
            ]
        },
    }
    graph = Graph([EDGE, Resource("AWS::ApiGatewayV2::Api", "Api", "abc")])
    checks.test_apis_get_the_name_and_the_credentials_that_they_ask_for(
        cast("Environment", account), graph, told(account)
    )


@pytest.mark.parametrize(
    ("behaviour", "origin"),
    [
        ({"OriginRequestPolicyId": "AllViewerExceptHostHeader", "CachePolicyId": NOTHING}, {}),
        ({"CachePolicyId": QUERIES}, {}),
        ({"ForwardedValues": {"QueryString": False, "Headers": {"Quantity": 1}}}, {}),
        ({"CachePolicyId": NOTHING, "FunctionAssociations": {"Quantity": 1}}, {}),
        ({"CachePolicyId": NOTHING}, {"CustomHeaders": {"Quantity": 1}}),
        # Nobody calls the write by it.
        ({"CachePolicyId": NOTHING, "AllowedMethods": {"Items": ["GET", "HEAD"]}}, {}),
        ({"CachePolicyId": NOTHING}, {"OriginPath": "/live"}),
    ],
)
def test_an_api_that_gets_its_callers_token_passes(behaviour: dict[str, Any], origin: dict[str, Any]) -> None:
    _judged(edge(), {"AllowedMethods": WRITES, **behaviour}, **origin)


@pytest.mark.parametrize(
    "settings", [{"CachePolicyId": NOTHING}, {"ForwardedValues": {"QueryString": False}}]
)
def test_an_api_that_never_gets_a_token_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=r"(?s)Edge.*/entries\*.*POST /entries never gets"):
        _judged(edge(), {"AllowedMethods": WRITES, **settings})


def test_a_protected_read_is_named_where_no_read_is_open() -> None:
    with pytest.raises(AssertionError, match="GET /entries never gets"):
        _judged(edge({"GET /entries": "JWT"}), {"CachePolicyId": NOTHING})
    _judged(edge({"GET /entries": "JWT", "GET /entries/open": "NONE"}), {"CachePolicyId": NOTHING})
