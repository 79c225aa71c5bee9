"""AWS::CloudFront::Distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from verification.environment import Environment


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

    @property
    def behaviours(self) -> Sequence[Mapping[str, Any]]:
        """The default cache behaviour, then those by path pattern."""
        return [
            self.configuration["DefaultCacheBehavior"],
            *self.configuration.get("CacheBehaviors", {}).get("Items", []),
        ]
