"""CloudFront: distributions, their policies, access to origins and monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verification.embedded.fidelity.live import Live, Read, Type, tag_list


def _unwrapped(value: Any) -> Any:
    """Return CloudFront's structures without the wrappers `Quantity` and `Items`."""
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "Items" in value or "Quantity" in value:
        extra = {key: _unwrapped(item) for key, item in value.items() if key not in ("Items", "Quantity")}
        items = _unwrapped(value.get("Items") or [])
        return items if not extra else {"Items": items, **extra}
    return {key: _unwrapped(item) for key, item in value.items()}


def _behavior(value: Any) -> Any:
    """Return a cache behavior with `AllowedMethods` and `CachedMethods` side by side, as a template has them."""
    methods = value.get("AllowedMethods")
    if isinstance(methods, Mapping):
        return {**value, "AllowedMethods": methods["Items"], "CachedMethods": methods.get("CachedMethods")}
    return value


def _distribution(live: Live) -> Any:
    answer = live.ask("cloudfront", "get_distribution_config", Id=live.id)
    found = _unwrapped(answer.get("DistributionConfig") or {})
    found["IPV6Enabled"] = found.get("IsIPV6Enabled")
    if "DefaultCacheBehavior" in found:
        found["DefaultCacheBehavior"] = _behavior(found["DefaultCacheBehavior"])
    found["CacheBehaviors"] = [_behavior(one) for one in found.get("CacheBehaviors") or []]
    return found


def _distribution_tags(live: Live) -> Any:
    arn = f"arn:aws:cloudfront::{live.aws.account_id}:distribution/{live.id}"
    return tag_list(
        (live.ask("cloudfront", "list_tags_for_resource", Resource=arn).get("Tags") or {}).get("Items")
    )


def _cloudfront_policy(operation: str, outer: str, inner: str) -> Read:
    return lambda live: _unwrapped(
        (live.ask("cloudfront", operation, Id=live.id).get(outer) or {}).get(inner)
    )


def _monitoring(live: Live) -> Any:
    distribution = live.declared["DistributionId"]
    return live.ask("cloudfront", "get_monitoring_subscription", DistributionId=distribution).get(
        "MonitoringSubscription"
    )


def _type(properties: dict[str, Read], attributes: dict[str, Read] | None = None) -> Type:
    """Return a type whose declared properties, too, lose the wrappers."""
    return Type(
        properties,
        attributes or {},
        {name: lambda value, _properties: _unwrapped(value) for name in properties},
    )


TYPES: dict[str, Type] = {
    "AWS::CloudFront::Distribution": _type(
        {"DistributionConfig": _distribution, "Tags": _distribution_tags},
        {
            "DomainName": lambda live: live.ask("cloudfront", "get_distribution", Id=live.id)["Distribution"][
                "DomainName"
            ],
            "Id": lambda live: live.id,
        },
    ),
    "AWS::CloudFront::OriginAccessControl": _type(
        {
            "OriginAccessControlConfig": _cloudfront_policy(
                "get_origin_access_control", "OriginAccessControl", "OriginAccessControlConfig"
            )
        },
        {
            "Id": lambda live: live.id,
        },
    ),
    "AWS::CloudFront::CachePolicy": _type(
        {"CachePolicyConfig": _cloudfront_policy("get_cache_policy", "CachePolicy", "CachePolicyConfig")}
    ),
    "AWS::CloudFront::OriginRequestPolicy": _type(
        {
            "OriginRequestPolicyConfig": _cloudfront_policy(
                "get_origin_request_policy", "OriginRequestPolicy", "OriginRequestPolicyConfig"
            )
        }
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": _type(
        {
            "ResponseHeadersPolicyConfig": _cloudfront_policy(
                "get_response_headers_policy", "ResponseHeadersPolicy", "ResponseHeadersPolicyConfig"
            )
        }
    ),
    "AWS::CloudFront::MonitoringSubscription": _type(
        {
            "DistributionId": lambda live: live.declared["DistributionId"] if _monitoring(live) else None,
            "MonitoringSubscription": _monitoring,
        }
    ),
}
