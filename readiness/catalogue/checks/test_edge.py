"""Distributions: what the public gets from the edge."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

import botocore.exceptions
import pytest

from readiness import budgets
from readiness.aws.api import Route
from readiness.aws.bucket import Bucket
from readiness.aws.distribution import Distribution
from readiness.aws.policy import read
from readiness.aws.web_acl import WebAcl
from readiness.catalogue.apis import Apis, filled, method_of
from readiness.catalogue.compute import HTTP_API, REST_API
from readiness.catalogue.judging import every, findings
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import Missing, NotApplicable, Unverified
from readiness.probes.cdn import Cdn
from readiness.probes.disclosure import disclosed
from readiness.probes.http import Answer

_DISTRIBUTION = "AWS::CloudFront::Distribution"
_BUCKET_NAME = re.compile(r"(?P<name>.+?)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$")
_WEBSITE = re.compile(r"\.s3-website[.-]")
_API = re.compile(r"\.(?:execute-api|lambda-url)\.")
_READS = ("GET", "HEAD")
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_NO_TLS = re.compile(r"SSLv3|TLSv1(?:_2016|\.1_2016)?")
_ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
"""The managed origin request policy AllViewer. Source: CloudFront Developer Guide, "Use managed origin request policies"."""
_NAMED_BY_AWS = re.compile(r"\.(?:execute-api|lambda-url)\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$")
_FRESH = {"no-cache", "no-store", "private", "max-age=0"}
"""What a page says that no cache may keep. Source: RFC 9111, section 5.2.2."""
_ATTEMPTS = 4  # an edge has several caches, each of which fetches an object once
_SMALLEST_COMPRESSED = 1000  # Source: CloudFront Developer Guide, "Serve compressed files"


@pytest.fixture(scope="session")
def distributions(env: Environment, graph: Graph) -> Mapping[Resource, Distribution]:
    """Every distribution of the stack."""
    return {one: Distribution(env, one.physical_id) for one in graph.of(_DISTRIBUTION)}


@pytest.fixture(scope="session")
def roots(env: Environment, distributions: Mapping[Resource, Distribution]) -> Mapping[Resource, Answer]:
    """What the root of each enabled distribution answers, as the network carries it; only where that is a page."""
    found = {}
    for resource, one in distributions.items():
        if one.enabled:
            answer = Cdn(env, one.domain_name).get("/", headers={"Accept-Encoding": "gzip, br"}, as_sent=True)
            if answer.status == HTTPStatus.OK and answer.headers.get("content-type", "").startswith(
                "text/html"
            ):
                found[resource] = answer
    return found


def _pages(graph: Graph, roots: Mapping[Resource, Answer]) -> Sequence[Resource]:
    every(graph, _DISTRIBUTION)
    if not roots:
        raise NotApplicable("the root of no distribution answers with an HTML page")
    return list(roots)


def _enabled(graph: Graph, distributions: Mapping[Resource, Distribution]) -> Mapping[Resource, Distribution]:
    """Return the enabled distributions. EDGE-01 names the disabled ones.

    Raises:
        NotApplicable: the stack has none.
    """
    if not (
        found := {
            one: distributions[one] for one in every(graph, _DISTRIBUTION) if distributions[one].enabled
        }
    ):
        raise NotApplicable("no distribution of the stack is enabled")
    return found


def _serves_files_alone(distribution: Distribution) -> bool:
    """Whether each origin is a bucket, and no function runs at the edge."""
    return all(
        _bucket_of(origin) or _WEBSITE.search(str(origin["DomainName"])) for origin in distribution.origins
    ) and not any(
        behaviour.get("LambdaFunctionAssociations", {}).get("Items") for behaviour in distribution.behaviours
    )


def _bucket_of(origin: Mapping[str, Any]) -> str:
    """The name of the bucket that an origin is, '' for any other server and for a website of S3."""
    domain = str(origin["DomainName"])
    found = None if _WEBSITE.search(domain) else _BUCKET_NAME.match(domain)
    return found["name"] if found else ""


def _origin(distribution: Distribution, behaviour: Mapping[str, Any]) -> Mapping[str, Any]:
    """The origin of a behaviour, empty for a group of origins."""
    found = (one for one in distribution.origins if one["Id"] == behaviour["TargetOriginId"])
    return next(found, {"DomainName": ""})


def _writes(behaviour: Mapping[str, Any]) -> set[str]:
    """The methods that write and that a behaviour lets through; without a list it lets GET and HEAD through."""
    return {*behaviour.get("AllowedMethods", {}).get("Items", [])} & _WRITES


def _leads_to_an_api(distribution: Distribution) -> bool:
    """Whether a behaviour asks API Gateway or a function's URL, or passes writes to another server than a bucket."""
    for behaviour in distribution.behaviours:
        origin = _origin(distribution, behaviour)
        if _API.search(str(origin["DomainName"])) or (_writes(behaviour) and not _bucket_of(origin)):
            return True
    return False


def _path(behaviour: Mapping[str, Any]) -> str:
    return str(behaviour.get("PathPattern") or "the default behaviour")


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-01")
def test_every_distribution_is_deployed(graph: Graph, distributions: Mapping[Resource, Distribution]) -> None:
    """Nothing is served, or what was changed is not in force."""

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        if not one.enabled:
            yield "expected an enabled distribution, found a disabled one; set Enabled to true"
        elif one.status == "InProgress":
            raise Unverified("a change is still on its way to the edges; run again in a quarter of an hour")
        elif one.status != "Deployed":
            yield f"expected status Deployed, found {one.status}; deploy the stack again"

    assert findings(every(graph, _DISTRIBUTION), judge) == {}


@pytest.mark.security
@pytest.mark.item("EDGE-02")
def test_every_behaviour_requires_https(graph: Graph, distributions: Mapping[Resource, Distribution]) -> None:
    """An attacker on the network path can read and replace unencrypted traffic."""

    def judge(resource: Resource) -> Iterator[str]:
        for behaviour in distributions[resource].behaviours:
            if (policy := behaviour["ViewerProtocolPolicy"]) == "allow-all":
                yield (
                    f"expected redirect-to-https or https-only for {_path(behaviour)}, found {policy}; set ViewerProtocolPolicy"
                )

    assert findings(_enabled(graph, distributions), judge) == {}


@pytest.mark.security
@pytest.mark.item("EDGE-03")
def test_own_names_take_modern_tls(graph: Graph, distributions: Mapping[Resource, Distribution]) -> None:
    """Earlier versions of TLS have known weaknesses."""
    named = [one for one, live in _enabled(graph, distributions).items() if live.names]
    if not named:
        raise NotApplicable(
            "no enabled distribution has a name of its own; CloudFront's own certificate takes any version"
        )

    def judge(resource: Resource) -> Iterator[str]:
        version = distributions[resource].minimum_protocol_version
        if _NO_TLS.fullmatch(version):
            yield f"expected TLSv1.2_2021 or later, found {version}; set MinimumProtocolVersion"

    assert findings(named, judge) == {}


@pytest.mark.security
@pytest.mark.item("EDGE-04")
def test_origins_are_asked_over_https(graph: Graph, distributions: Mapping[Resource, Distribution]) -> None:
    """The way from the edge to the origin leads through the internet."""

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        for origin in one.origins:
            policy = (origin.get("CustomOriginConfig") or {}).get("OriginProtocolPolicy", "https-only")
            if _WEBSITE.search(str(origin["DomainName"])):
                continue
            in_clear = any(
                behaviour["ViewerProtocolPolicy"] == "allow-all"
                for behaviour in one.behaviours
                if behaviour["TargetOriginId"] == origin["Id"]
            )
            if policy == "http-only" or (policy == "match-viewer" and in_clear):
                yield f"expected https-only for origin '{origin['Id']}', found {policy}; set OriginProtocolPolicy"

    assert findings(_enabled(graph, distributions), judge) == {}


@pytest.mark.security
@pytest.mark.item("EDGE-05")
def test_buckets_get_reads_alone(graph: Graph, distributions: Mapping[Resource, Distribution]) -> None:
    """A write that reaches the bucket is one signature away from replacing what is served."""

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        for behaviour in one.behaviours:
            writes = sorted(_writes(behaviour))
            if writes and _bucket_of(_origin(one, behaviour)):
                yield (
                    f"expected GET, HEAD and OPTIONS for {_path(behaviour)}, found {', '.join(writes)} too; set AllowedMethods"
                )

    assert findings(_enabled(graph, distributions), judge) == {}


@pytest.mark.security
@pytest.mark.item("EDGE-06")
def test_pages_carry_security_headers(graph: Graph, roots: Mapping[Resource, Answer]) -> None:
    """Another site shows the page within its own, or leads a browser to plain HTTP."""

    def judge(resource: Resource) -> Iterator[str]:
        headers = roots[resource].headers
        framed = "frame-ancestors" in headers.get("content-security-policy", "")
        lacks = {
            "Strict-Transport-Security": not headers.get("strict-transport-security"),
            "X-Content-Type-Options: nosniff": headers.get("x-content-type-options", "").lower() != "nosniff",
            "X-Frame-Options": not framed and not headers.get("x-frame-options"),
        }
        if missing := [name for name, absent in lacks.items() if absent]:
            yield f"expected security headers on the page, found no {', no '.join(missing)}; set ResponseHeadersPolicyId"

    assert findings(_pages(graph, roots), judge) == {}


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-07")
def test_the_cache_serves_what_is_stored(
    env: Environment, graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """Users see a broken file, or each request goes to the bucket, slowly and for money."""
    served = _with_bucket(graph, distributions)

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        behaviour = one.behaviours[0]
        bucket = Bucket(env, _bucket_of(_origin(one, behaviour)))
        origin_path = str(_origin(one, behaviour).get("OriginPath") or "").strip("/")
        root = f"{origin_path}/" if origin_path else ""
        key, body = (
            f"{_served_prefix(one, bucket, root)}verification-{uuid.uuid4().hex}.txt",
            uuid.uuid4().hex.encode(),
        )
        with ExitStack() as stack:
            stack.enter_context(bucket.temporary_object(f"{root}{key}", body))
            answers = [Cdn(env, one.domain_name).get(f"/{key}") for _ in range(_ATTEMPTS)]
        first = answers[0]
        if first.status != HTTPStatus.OK or first.body != body:
            yield f"expected the object as it is stored, found {first!r} for {key}; allow the distribution to read in the bucket's policy"
        elif one.default_ttl(behaviour) > timedelta(0) and not any(
            answer.headers.get("x-cache", "").startswith(("Hit", "RefreshHit")) for answer in answers[1:]
        ):
            yield "expected a later request to be a hit, found none; give the behaviour a cache policy that caches"

    assert findings(served, judge) == {}


def _served_prefix(distribution: Distribution, bucket: Bucket, root: str) -> str:
    """Return a prefix of paths that the default behaviour serves and the bucket's policy lets a distribution read.

    Many policies open one prefix alone, such as `images/`. Return '' where the policy opens the root or no such prefix,
    so that a distribution that may read nothing is found. `root` is the origin's path in the bucket, with a slash at
    its end, or ''.
    """
    patterns = [
        resource.partition("/")[2]
        for statement in read(bucket.policy_statements)
        if statement.allows and statement.covers("s3:GetObject")
        for resource in statement.resources
    ]
    prefixes = [
        literal.removeprefix(root)
        for pattern in patterns
        if pattern.endswith("*") and "?" not in pattern and "*" not in (literal := pattern[:-1])
        if literal.startswith(root)
    ]
    others = [_pattern(one) for one in distribution.behaviours[1:]]
    served = [
        prefix
        for prefix in prefixes
        if not any(fnmatchcase(f"/{prefix}verification-.txt", one) for one in others)
    ]
    return min(served, key=len, default="")


def _with_bucket(graph: Graph, distributions: Mapping[Resource, Distribution]) -> Sequence[Resource]:
    """Return the enabled distributions that serve a bucket of the stack by default, without signed URLs."""
    own = {one.physical_id for one in graph.of("AWS::S3::Bucket")}
    found = [
        resource
        for resource, one in _enabled(graph, distributions).items()
        if _bucket_of(_origin(one, one.behaviours[0])) in own
        and not one.behaviours[0].get("TrustedKeyGroups", {}).get("Enabled")
        and not one.behaviours[0].get("TrustedSigners", {}).get("Enabled")
    ]
    if not found:
        raise NotApplicable("no distribution's default behaviour serves a bucket of the stack to any caller")
    return found


@pytest.mark.security
@pytest.mark.item("EDGE-08")
def test_a_missing_object_reveals_nothing(
    env: Environment, graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """An error page shows attackers the names of internal resources."""

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        name = _bucket_of(_origin(one, one.behaviours[0]))
        answer = Cdn(env, one.domain_name).get(f"/verification-{uuid.uuid4().hex}.txt")
        text = f"{dict(answer.headers)} {answer.body.decode('utf-8', 'replace')}"
        if answer.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, *one.replaced_errors.values()}:
            yield f"expected 403, 404 or a declared page, found {answer!r}; set CustomErrorResponses"
        if name in text:
            yield "expected an error that names no bucket, found the bucket's name in it; set CustomErrorResponses"
        for sign in disclosed(answer):
            yield f"expected no internal details of the server, found {sign}; set CustomErrorResponses"

    assert findings(_with_bucket(graph, distributions), judge) == {}


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-09")
def test_errors_are_cached_briefly(graph: Graph, distributions: Mapping[Resource, Distribution]) -> None:
    """Users still get an error that is already fixed."""

    def judge(resource: Resource) -> Iterator[str]:
        for code, kept in distributions[resource].error_ttls.items():
            if kept > budgets.EDGE_ERROR_CACHE:
                yield f"expected error {code} to be kept for at most {budgets.EDGE_ERROR_CACHE}, found {kept}; lower ErrorCachingMinTTL"

    assert findings(_enabled(graph, distributions), judge) == {}


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-10")
def test_pages_are_compressed(graph: Graph, roots: Mapping[Resource, Answer]) -> None:
    """Text is three to five times as large, which is felt on a phone and paid for as transfer."""

    def judge(resource: Resource) -> Iterator[str]:
        answer = roots[resource]
        if len(answer.body) >= _SMALLEST_COMPRESSED and "content-encoding" not in answer.headers:
            yield f"expected a compressed page, found {len(answer.body)} bytes as they are; set Compress to true"

    assert findings(_pages(graph, roots), judge) == {}


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-11")
def test_every_distribution_logs_its_requests(
    env: Environment, graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """Operators cannot tell who asked for what when something went wrong."""

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        if not one.log_bucket_name:
            if not one.delivers_logs:
                yield "expected access logs, found none; set Logging, or add an AWS::Logs::Delivery"
        elif (there := _is_there(bucket := Bucket(env, one.log_bucket_name))) is False:
            yield f"expected a bucket for access logs, found that {bucket.name} does not exist; declare it"
        elif there and not bucket.takes_access_lists:
            yield (
                f"expected ACLs on in {bucket.name}, since CloudFront delivers its logs through one, found BucketOwnerEnforced; "
                "set ObjectOwnership to BucketOwnerPreferred"
            )

    assert findings(_enabled(graph, distributions), judge) == {}


def _is_there(bucket: Bucket) -> bool | None:
    """Return whether a bucket exists, None where access to a bucket of another account is denied."""
    try:
        return bool(bucket.live_name)
    except Missing:
        return False
    except botocore.exceptions.ClientError as problem:
        if problem.response["Error"]["Code"] in ("403", "301"):
            return None
        raise


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-17")
def test_error_pages_hide_no_error_of_an_api(
    graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """A client reads a page instead of the API's error, and an outage looks like success."""
    able = [one for one in _enabled(graph, distributions) if _leads_to_an_api(distributions[one])]
    if not able:
        raise NotApplicable("no distribution of the stack leads to an API")

    def judge(resource: Resource) -> Iterator[str]:
        for error, status in distributions[resource].replaced_errors.items():
            if status < HTTPStatus.BAD_REQUEST:
                yield (
                    f"expected an API's {error} to stay an error, found that an error page replaces it with status {status} for "
                    "every behaviour; rewrite the page's addresses in a CloudFront Function instead"
                )

    assert findings(able, judge) == {}


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-12")
def test_behaviours_that_take_writes_do_not_cache(
    graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """A user gets another user's answer, or an old one."""

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        for behaviour in one.behaviours:
            if not _writes(behaviour) or _bucket_of(_origin(one, behaviour)):
                continue
            if (kept := one.default_ttl(behaviour)) > timedelta(0):
                yield f"expected nothing to be kept for {_path(behaviour)}, found {kept}; use the policy CachingDisabled"

    assert findings(_enabled(graph, distributions), judge) == {}


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-16")
def test_pages_that_forbid_caching_are_not_cached(
    graph: Graph, distributions: Mapping[Resource, Distribution], roots: Mapping[Resource, Answer]
) -> None:
    """Users get the page of an old release."""
    fresh = [
        resource
        for resource in _pages(graph, roots)
        if _FRESH & set(re.split(r"\s*,\s*", roots[resource].headers.get("cache-control", "").lower()))
    ]
    if not fresh:
        raise NotApplicable("the page at the root of no distribution forbids caching")

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        if (least := one.least_ttl(one.behaviours[0])) > budgets.FRESH_PAGE_CACHED:
            said = roots[resource].headers["cache-control"]
            yield f"expected the edge to obey '{said}', found that it keeps each page for at least {least}; set MinTTL to 0"

    assert findings(fresh, judge) == {}


@pytest.mark.cloudfront
@pytest.mark.item("EDGE-15")
def test_apis_get_the_name_and_the_credentials_that_they_ask_for(
    env: Environment, graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """Every call through the distribution would be refused."""
    apis = Apis(env, graph)
    before_apis = [
        resource
        for resource, one in _enabled(graph, distributions).items()
        if any(_NAMED_BY_AWS.search(str(origin["DomainName"])) for origin in one.origins)
    ]
    if not before_apis:
        raise NotApplicable("no distribution has an API or a function URL for an origin")

    def judge(resource: Resource) -> Iterator[str]:
        one = distributions[resource]
        for behaviour in one.behaviours:
            named = _NAMED_BY_AWS.search(str(_origin(one, behaviour)["DomainName"]))
            if named and behaviour.get("OriginRequestPolicyId") == _ALL_VIEWER:
                yield (
                    f"expected the viewer's Host to stay at the edge for {_path(behaviour)}, found the policy AllViewer, with which "
                    "the API answers 403; use AllViewerExceptHostHeader"
                )
            if not named or not one.withholds_everything(behaviour) or _edits_requests(one, behaviour):
                continue
            if refused := _refused(list(_called_by(apis, one, behaviour))):
                yield (
                    f"expected headers, cookies or query strings to pass {_path(behaviour)}, found that none does, so that "
                    f"{', '.join(refused)} never gets a token; set OriginRequestPolicyId to AllViewerExceptHostHeader"
                )

    assert findings(before_apis, judge) == {}


def _refused(routes: Sequence[Route]) -> Sequence[str]:
    """Return the routes that need credentials. Protected reads beside open reads may have other callers, and are left out."""
    open_reads = any(not route.is_protected and method_of(route) in _READS for route in routes)
    return [
        str(route)
        for route in routes
        if route.needs_token and not (open_reads and method_of(route) in _READS)
    ]


def _edits_requests(distribution: Distribution, behaviour: Mapping[str, Any]) -> bool:
    """Whether something at the edge may add credentials: a function, or a header of the origin's own."""
    return bool(
        behaviour.get("LambdaFunctionAssociations", {}).get("Quantity")
        or behaviour.get("FunctionAssociations", {}).get("Quantity")
        or _origin(distribution, behaviour).get("CustomHeaders", {}).get("Quantity")
    )


def _called_by(apis: Apis, distribution: Distribution, behaviour: Mapping[str, Any]) -> Iterator[Route]:
    """The routes of the stack's API behind a behaviour that a viewer reaches by it, and not by one before it."""
    origin = _origin(distribution, behaviour)
    id_ = str(origin["DomainName"]).partition(".")[0]
    prefix = str(origin.get("OriginPath") or "")
    default, *others = distribution.behaviours
    methods = {*behaviour.get("AllowedMethods", {}).get("Items", _READS)}
    for resource in apis.graph.of(HTTP_API, REST_API):
        if resource.physical_id != id_:
            continue
        for stage in apis.stages(resource):
            start = "" if stage.name == "$default" else f"/{stage.name}"
            for route in apis.api(resource).routes:
                path = start + filled(route.path, "x")
                if not path.startswith(f"{prefix}/") or method_of(route) not in methods:
                    continue
                taken = (one for one in others if fnmatchcase(path[len(prefix) :], _pattern(one)))
                if next(taken, default) is behaviour:
                    yield route


def _pattern(behaviour: Mapping[str, Any]) -> str:
    """A path pattern in which `*` and `?` alone have a meaning, as in CloudFront's."""
    return "/" + str(behaviour["PathPattern"]).lstrip("/").replace("[", "[[]")


@pytest.mark.security
@pytest.mark.item("EDGE-13")
def test_every_origin_exists(
    env: Environment, graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """An attacker who registers the name of a deleted bucket or host serves content under your domain."""

    def judge(resource: Resource) -> Iterator[str]:
        for origin in distributions[resource].origins:
            domain = str(origin["DomainName"])
            if name := _bucket_of(origin):
                if _is_there(Bucket(env, name)) is False:
                    yield f"expected a bucket behind origin '{origin['Id']}', found that {name} does not exist; take the origin out"
            # Names of AWS's services belong to resources, which no other account can take; DNS does not know private ones.
            elif (
                not domain.endswith((".amazonaws.com", ".on.aws"))
                and "VpcOriginConfig" not in origin
                and not Cdn(env, domain).resolves
            ):
                yield f"expected a host behind origin '{origin['Id']}', found that {domain} does not resolve; remove the origin"

    assert findings(_enabled(graph, distributions), judge) == {}


@pytest.mark.security
@pytest.mark.item("EDGE-14")
def test_production_has_a_firewall(
    env: Environment, graph: Graph, distributions: Mapping[Resource, Distribution]
) -> None:
    """A flood or a known attack reaches the application, and is paid for."""
    enabled = _enabled(graph, distributions)
    if not env.settings.production:
        raise NotApplicable(f"'{env.name}' is not declared as production")
    attackable = [one for one, live in enabled.items() if not _serves_files_alone(live)]
    if not attackable:
        raise NotApplicable("every enabled distribution serves files of buckets alone, and runs no function")

    def judge(resource: Resource) -> Iterator[str]:
        arn = distributions[resource].web_acl_id
        if not arn:
            yield "expected a web ACL, found none; set WebACLId"
        elif arn.startswith("arn:") and not WebAcl(env, arn).acting_rules:
            yield "expected a web ACL with a rule that can stop a request, found none that can; set a rule's action to Block"

    assert findings(attackable, judge) == {}
