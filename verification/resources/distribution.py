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

from verification import budgets
from verification.environment import Environment
from verification.errors import Unverified
from verification.progress import waiting


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

    @property
    def behaviours(self) -> Sequence[Mapping[str, Any]]:
        """The default cache behaviour, then those by path pattern."""
        return [
            self.configuration["DefaultCacheBehavior"],
            *self.configuration.get("CacheBehaviors", {}).get("Items", []),
        ]

    @waiting("an invalidation to reach the edges")
    def invalidate(self, path: str) -> timedelta:
        """Have every edge forget one path; how long that took.

        Raises:
            Unverified: it was still in progress when the deadline had passed.
        """
        client, started = self.env.client("cloudfront"), time.monotonic()
        batch = {"Paths": {"Quantity": 1, "Items": [path]}, "CallerReference": f"verify-{uuid.uuid4().hex}"}
        made = client.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)["Invalidation"]
        while made["Status"] != "Completed":
            waited = timedelta(seconds=time.monotonic() - started)
            if waited > self.env.patience(budgets.INVALIDATION_DEADLINE):
                raise Unverified(f"invalidation {made['Id']} of {path} is {made['Status']} after {waited}")
            time.sleep(random.uniform(1, 3))  # noqa: S311  # jitter, not a secret
            made = client.get_invalidation(DistributionId=self.id, Id=made["Id"])["Invalidation"]
        return timedelta(seconds=time.monotonic() - started)
