"""AWS::WAFv2::WebACL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from readiness.environment import Environment

_REGION = "us-east-1"  # where WAF keeps whatever stands in front of CloudFront


@dataclass(frozen=True)
class WebAcl:
    """A live web ACL of scope CLOUDFRONT."""

    env: Environment = field(repr=False)
    arn: str

    @cached_property
    def _description(self) -> Mapping[str, Any]:
        name, id_ = self.arn.split("/")[-2:]
        client = self.env.client("wafv2", _REGION)
        return dict(client.get_web_acl(Name=name, Scope="CLOUDFRONT", Id=id_)["WebACL"])

    @property
    def rules(self) -> Sequence[Mapping[str, Any]]:
        return list(self._description["Rules"])

    @property
    def default_action(self) -> str:
        """What happens to a request that no rule matches: `Allow` or `Block`."""
        return str(next(iter(self._description["DefaultAction"])))

    @property
    def counting_rules(self) -> Sequence[str]:
        """Names of the rules that merely count, or of whose group some rule does."""
        return [rule["Name"] for rule in self.rules if _counts(rule)]

    @property
    def acting_rules(self) -> Sequence[str]:
        """Names of the rules that can stop a request; one that counts or allows cannot."""
        return [
            rule["Name"]
            for rule in self.rules
            if rule.get("Action", {}).keys() & {"Block", "Captcha", "Challenge"}
            or "None" in rule.get("OverrideAction", {})
        ]

    @property
    def flood_rules(self) -> Sequence[str]:
        """Names of the rules that stop an address which sends too many requests."""
        return [
            rule["Name"]
            for rule in self.rules
            if "RateBasedStatement" in rule.get("Statement", {}) and rule["Name"] in self.acting_rules
        ]


def _counts(rule: Mapping[str, Any]) -> bool:
    group = rule.get("Statement", {}).get("ManagedRuleGroupStatement", {})
    overridden = [one.get("ActionToUse", {}) for one in group.get("RuleActionOverrides", [])]
    excluded = bool(group.get("ExcludedRules"))  # an older way to have a group's rules count
    actions = (rule.get("Action", {}), rule.get("OverrideAction", {}), *overridden)
    return excluded or any("Count" in action for action in actions)
