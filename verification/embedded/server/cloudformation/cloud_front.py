"""Overlay of AWS::CloudFront::Distribution: the members that CloudFront fills in where a template is silent.

Without them MiniStack takes an origin with an empty S3OriginConfig for a server of its own and dials it, and
GetDistributionConfig answers what UpdateDistribution refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation.hooks import Properties

require(provisioners, "_cf_distribution_config")

DEFAULTS: dict[str, Any] = {
    "Comment": "",
    "DefaultRootObject": "",
    "HttpVersion": "http1.1",
    "IPV6Enabled": False,
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "PriceClass": "PriceClass_All",
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
    "WebACLId": "",
}
DEFAULT_CERTIFICATE = {
    "SslSupportMethod": "vip",
    "MinimumProtocolVersion": "TLSv1",
    "CertificateSource": "cloudfront",
}
CUSTOM_ORIGIN: dict[str, Any] = {
    "HTTPPort": 80,
    "HTTPSPort": 443,
    "OriginKeepaliveTimeout": 5,
    "OriginReadTimeout": 30,
    "OriginSSLProtocols": ["TLSv1", "SSLv3"],
}


def install() -> None:
    """Lay the overlay over MiniStack."""
    render = provisioners._cf_distribution_config

    def configuration(properties: Properties, caller_reference: str) -> Any:
        declared = properties.get("DistributionConfig") or {}
        return render({**properties, "DistributionConfig": complete(declared)}, caller_reference)

    provisioners._cf_distribution_config = configuration


def complete(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a distribution's configuration with CloudFront's defaults."""
    made = {**DEFAULTS, **{name: value for name, value in declared.items() if value is not None}}
    certificate = made["ViewerCertificate"]
    if str(certificate.get("CloudFrontDefaultCertificate", False)).lower() == "true":
        made["ViewerCertificate"] = {**DEFAULT_CERTIFICATE, **certificate}
    else:
        # CloudFront says it either way, and clients rely on that.
        made["ViewerCertificate"] = {"CloudFrontDefaultCertificate": False, **certificate}
    if behaviour := made.get("DefaultCacheBehavior"):
        made["DefaultCacheBehavior"] = {"FieldLevelEncryptionId": "", **behaviour}
    made["Origins"] = [origin(one) for one in made.get("Origins") or []]
    return made


def origin(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return one origin; S3OriginConfig says by its presence that the origin is a bucket, however empty it is."""
    made: dict[str, Any] = {
        "OriginPath": "",
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginAccessControlId": "",
        **declared,
    }
    if "CustomOriginConfig" in made:
        made["CustomOriginConfig"] = {**CUSTOM_ORIGIN, **made["CustomOriginConfig"]}
    else:
        made["S3OriginConfig"] = {"OriginAccessIdentity": "", **(made.get("S3OriginConfig") or {})}
    return made
