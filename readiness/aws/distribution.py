"""AWS::CloudFront::Distribution."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from readiness import budgets
from readiness.environment import Environment
from readiness.errors import Unverified
from readiness.progress import waiting


@dataclass(frozen=True)
class Distribution:
    """A live distribution."""

    env: Environment = field(repr=False)
    id: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("cloudfront").get_distribution(Id=self.id)["Distribution"])

    @property
    def configuration(self) -> Mapping[str, Any]:
        return dict(self.description["DistributionConfig"])

    @property
    def arn(self) -> str:
        return str(self.description["ARN"])

    @property
    def status(self) -> str:
        return str(self.description["Status"])

    @property
    def enabled(self) -> bool:
        return bool(self.configuration["Enabled"])

    @property
    def domain_name(self) -> str:
        return str(self.description["DomainName"])

    @property
    def root_object(self) -> str:
        """The key of the object that it serves for `/`, '' without one."""
        return str(self.configuration.get("DefaultRootObject", ""))

    @property
    def names(self) -> Sequence[str]:
        """Its own, beside CloudFront's."""
        return list(self.configuration.get("Aliases", {}).get("Items") or [])

    @property
    def public_domain(self) -> str:
        """The name that users are given: the first of its own names, else CloudFront's."""
        return str(self.names[0] if self.names else self.domain_name)

    @property
    def web_acl_id(self) -> str:
        """ARN of the web ACL in front, '' for none."""
        return str(self.configuration.get("WebACLId") or "")

    @property
    def minimum_protocol_version(self) -> str:
        """For example `TLSv1.2_2021`; `TLSv1` with CloudFront's own certificate."""
        return str(self.configuration["ViewerCertificate"].get("MinimumProtocolVersion", "unknown"))

    @property
    def log_bucket_name(self) -> str:
        """Where access logs go, '' for nowhere."""
        logging = self.configuration.get("Logging") or {}
        return str(logging["Bucket"]).partition(".s3.")[0] if logging.get("Enabled") else ""

    @property
    def log_prefix(self) -> str:
        return str((self.configuration.get("Logging") or {}).get("Prefix", ""))

    @property
    def origins(self) -> Sequence[Mapping[str, Any]]:
        return list(self.configuration["Origins"]["Items"])

    @cached_property
    def origin_access_controls(self) -> Sequence[Mapping[str, Any]]:
        """The access control of each origin; an origin without one contributes nothing."""
        client = self.env.client("cloudfront")
        ids = [
            origin["OriginAccessControlId"] for origin in self.origins if origin.get("OriginAccessControlId")
        ]
        answers = [client.get_origin_access_control(Id=id_) for id_ in ids]
        return [answer["OriginAccessControl"]["OriginAccessControlConfig"] for answer in answers]

    @cached_property
    def longest_ttls(self) -> Sequence[timedelta]:
        """How long each behaviour's cache policy lets an object be cached at most."""
        client = self.env.client("cloudfront")
        policies = {behaviour["CachePolicyId"] for behaviour in self.behaviours}
        answers = [
            client.get_cache_policy(Id=id_)["CachePolicy"]["CachePolicyConfig"] for id_ in sorted(policies)
        ]
        return [
            timedelta(seconds=policy.get("MaxTTL", 31_536_000)) for policy in answers
        ]  # CloudFront's default

    @cached_property
    def cors_origins(self) -> Mapping[str, frozenset[str]]:
        """The origins that each behaviour allows to read an answer, by its path pattern; none without a policy."""
        client = self.env.client("cloudfront")
        policies = {one.get("ResponseHeadersPolicyId", "") for one in self.behaviours} - {""}
        answers = {id_: client.get_response_headers_policy(Id=id_) for id_ in sorted(policies)}
        allowed = {"": frozenset[str]()} | {
            id_: frozenset(
                one["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
                .get("CorsConfig", {})
                .get("AccessControlAllowOrigins", {})
                .get("Items", [])
            )
            for id_, one in answers.items()
        }
        return {
            one.get("PathPattern", "*"): allowed[one.get("ResponseHeadersPolicyId", "")]
            for one in self.behaviours
        }

    @property
    def behaviours(self) -> Sequence[Mapping[str, Any]]:
        """The default cache behaviour, then those by path pattern."""
        return [
            self.configuration["DefaultCacheBehavior"],
            *self.configuration.get("CacheBehaviors", {}).get("Items", []),
        ]

    def default_ttl(self, behaviour: Mapping[str, Any]) -> timedelta:
        """How long an answer is kept that says nothing of it: the default, or the minimum where that is longer."""
        policy = behaviour.get("CachePolicyId")
        settings = self._cache_policy(policy) if policy else behaviour
        seconds = [settings.get(name, default) for name, default in (("MinTTL", 0), ("DefaultTTL", 86_400))]
        return timedelta(seconds=max(seconds) if settings.get("MaxTTL") != 0 else 0)

    def least_ttl(self, behaviour: Mapping[str, Any]) -> timedelta:
        """How long an answer is kept at least, even one that says `no-cache`."""
        policy = behaviour.get("CachePolicyId")
        settings = self._cache_policy(policy) if policy else behaviour
        return timedelta(seconds=settings.get("MinTTL", 0))

    def withholds_everything(self, behaviour: Mapping[str, Any]) -> bool:
        """Whether no header of the viewer's own, no query string and no cookie reaches the origin."""
        if behaviour.get("OriginRequestPolicyId"):
            return False
        if policy := behaviour.get("CachePolicyId"):
            key = self._cache_policy(policy).get("ParametersInCacheKeyAndForwardedToOrigin", {})
            return all(
                key.get(f"{kind}sConfig", {}).get(f"{kind}Behavior", "none") == "none"
                for kind in ("Header", "Cookie", "QueryString")
            )
        passed = behaviour.get("ForwardedValues") or {}
        return not (
            passed.get("QueryString")
            or passed.get("Headers", {}).get("Quantity")
            or passed.get("Cookies", {}).get("Forward", "none") != "none"
        )

    def _cache_policy(self, id_: str) -> Mapping[str, Any]:
        if id_ not in self._policies:
            answer = self.env.client("cloudfront").get_cache_policy(Id=id_)
            self._policies[id_] = answer["CachePolicy"]["CachePolicyConfig"]
        return self._policies[id_]

    @cached_property
    def _policies(self) -> dict[str, Mapping[str, Any]]:
        """The cache policies that were read."""
        return {}

    @property
    def replaced_errors(self) -> Mapping[int, int]:
        """The status that a viewer gets for an origin's, where an error page replaces the answer."""
        return {
            int(one["ErrorCode"]): int(one["ResponseCode"])
            for one in self._error_responses
            if one.get("ResponseCode")
        }

    @property
    def _error_responses(self) -> Sequence[Mapping[str, Any]]:
        return list(self.configuration.get("CustomErrorResponses", {}).get("Items") or [])

    @property
    def error_ttls(self) -> Mapping[int, timedelta]:
        """How long each error is kept, by its status; CloudFront keeps the others for ten seconds."""
        return {
            int(one["ErrorCode"]): timedelta(seconds=one.get("ErrorCachingMinTTL", 10))
            for one in self._error_responses
        }

    @cached_property
    def delivers_logs(self) -> bool:
        """Whether CloudWatch Logs delivers its access logs, to a log group, a bucket or a stream."""
        client = self.env.client("logs", "us-east-1")  # where all of CloudFront's deliveries are
        sources = {
            one["name"]
            for page in client.get_paginator("describe_delivery_sources").paginate()
            for one in page["deliverySources"]
            if self.arn in one.get("resourceArns", [])
        }
        return bool(sources) and any(
            one["deliverySourceName"] in sources
            for page in client.get_paginator("describe_deliveries").paginate()
            for one in page["deliveries"]
        )

    @waiting("an invalidation to reach the edges")
    def invalidate(self, path: str) -> timedelta:
        """Have every edge forget one path; how long that took.

        Raises:
            Unverified: it was still in progress when the deadline had passed.
        """
        client, started = self.env.client("cloudfront"), time.monotonic()
        made = client.create_invalidation(
            DistributionId=self.id,
            InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": [path]},
                "CallerReference": f"verify-{uuid.uuid4().hex}",
            },
        )["Invalidation"]
        while made["Status"] != "Completed":
            waited = timedelta(seconds=time.monotonic() - started)
            if waited > self.env.patience(budgets.INVALIDATION_DEADLINE):
                raise Unverified(f"invalidation {made['Id']} of {path} is {made['Status']} after {waited}")
            time.sleep(random.uniform(1, 3))  # noqa: S311  # jitter, not a secret
            made = client.get_invalidation(DistributionId=self.id, Id=made["Id"])["Invalidation"]
        return timedelta(seconds=time.monotonic() - started)
