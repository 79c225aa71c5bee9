"""Distributions, CloudFront's policies and web ACLs, live and declared in the same form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from readiness.catalogue.undeclared.subject import Document, Subject
from readiness.discovery.template import UNKNOWN

_RENAMED: Final = {"IsIPV6Enabled": "IPV6Enabled", "CustomHeaders": "OriginCustomHeaders"}
"""What CloudFront calls otherwise than CloudFormation."""
_LOCATIONS: Final = "Locations"
"""How a template calls the items of the one list that says more than them, which is that of countries."""
_OF_WEB_ACL: Final = (
    "AssociationConfig",
    "CaptchaConfig",
    "ChallengeConfig",
    "CustomResponseBodies",
    "DataProtectionConfig",
    "DefaultAction",
    "Description",
    "OnSourceDDoSProtectionConfig",
    "TokenDomains",
)
_OF_SHIELD: Final = "ShieldMitigationRuleGroup_"
"""How the rule is named that Shield Advanced adds. Source: WAF Developer Guide, "Protecting the application layer with
the Shield Advanced rule group"."""


def distribution(subject: Subject) -> Document:
    """A distribution's configuration without the wrappers `Quantity` and `Items`, methods side by side as in a template."""
    found = _unwrapped(
        subject.ask("cloudfront", "get_distribution_config", Id=subject.id).get("DistributionConfig") or {}
    )
    return {"DistributionConfig": found}


def policy(method: str, outer: str, inner: str) -> Callable[[Subject], Document]:
    """What CloudFront keeps beside a distribution, without the wrappers `Quantity` and `Items`."""

    def read(subject: Subject) -> Document:
        found = subject.ask("cloudfront", method, Id=subject.id).get(outer) or {}
        return {inner: _unwrapped(found.get(inner) or {})}

    return read


def _unwrapped(value: Any) -> Any:
    """Return a structure of CloudFront without the wrappers `Quantity` and `Items`, in the template's words."""
    if isinstance(value, list):
        return [_unwrapped(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if "Quantity" in value:
        others = {name: one for name, one in value.items() if name not in ("Quantity", "Items", "Enabled")}
        items = [_unwrapped(one) for one in value.get("Items", [])]
        return {_LOCATIONS: items, **_unwrapped(others)} if others else items
    found = {name: _unwrapped(one) for name, one in value.items()}
    for old, new in _RENAMED.items():
        if old in found:
            found[new] = found.pop(old)
    methods = found.get("AllowedMethods")
    if isinstance(methods, Mapping):
        found |= {"AllowedMethods": methods[_LOCATIONS], "CachedMethods": methods.get("CachedMethods", [])}
    return found


def declared(kind: str, properties: Document) -> Document:
    """Properties of CloudFront's policies and of web ACLs that their services return in another form."""
    if kind.startswith("AWS::CloudFront::") and kind.endswith("Policy"):
        return {name: _declared_policy(one) for name, one in properties.items()}
    if kind == "AWS::WAFv2::WebACL" and "Rules" in properties:
        return {"Rules": _declared_rule(properties["Rules"])}
    return {}


def _declared_policy(value: Any) -> Any:
    """Return a declared policy of CloudFront without the wrapper `Items`, which a template gives to some lists."""
    if isinstance(value, list):
        return [_declared_policy(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"Items"}:
        return _declared_policy(value["Items"])
    return {name: _declared_policy(one) for name, one in value.items()}


def web_acl(subject: Subject) -> Document:
    """A web ACL, whose physical id is `name|id|scope`, without the rule that Shield Advanced adds."""
    name, _, rest = subject.id.partition("|")
    id_, _, scope = rest.partition("|")
    found: Document = subject.ask("wafv2", "get_web_acl", Name=name, Id=id_, Scope=scope).get("WebACL", {})
    rules = [_text(one) for one in found.get("Rules", []) if not one["Name"].startswith(_OF_SHIELD)]
    return {**{member: found.get(member) for member in _OF_WEB_ACL}, "Rules": rules}


def _text(value: Any) -> Any:
    """Return a part of a rule with the strings that it searches for as text, which boto3 returns as bytes."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list):
        return [_text(one) for one in value]
    return {name: _text(one) for name, one in value.items()} if isinstance(value, Mapping) else value


def _declared_rule(value: Any) -> Any:
    """Return a part of a declared rule with `SearchString`, which is what WAF returns for `SearchStringBase64`, too."""
    if isinstance(value, list):
        return [_declared_rule(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        **{name: _declared_rule(one) for name, one in value.items() if name != "SearchStringBase64"},
        **({"SearchString": UNKNOWN} if "SearchStringBase64" in value else {}),
    }
