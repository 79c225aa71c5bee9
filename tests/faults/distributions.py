"""Faults of the distributions' settings: certificate, error answers, paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("SEC-20", "the distribution uses CloudFront's own certificate")
def default_certificate(bench: Bench) -> Iterator[None]:
    own = {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    }
    with bench.distribution_changed(lambda configuration: configuration.update(ViewerCertificate=own)):
        yield


def _refusals(**settings: Any) -> Callable[[dict[str, Any]], None]:
    """Other settings for the answer to what may not be read."""

    def change(configuration: dict[str, Any]) -> None:
        for entry in configuration["CustomErrorResponses"]["Items"]:
            if entry["ErrorCode"] == HTTPStatus.FORBIDDEN:
                entry.update(settings)

    return change


@fault("CDN-12", "an error is remembered for a minute")
def long_lived_errors(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(_refusals(ErrorCachingMinTTL=60)):
        yield


@fault("CDN-12", "the error page names the bucket", relatives={"CDN-18"})
def telling_error_page(bench: Bench) -> Iterator[None]:
    client, bucket, key = bench.client("s3"), bench.physical("ImagesBucket"), "images/refused.html"
    text = f"There is no such image in {bucket}.".encode()
    client.put_object(Bucket=bucket, Key=key, Body=text, ContentType="text/html", CacheControl="no-store")
    page = _refusals(ResponsePagePath=f"/{key}", ResponseCode="403")
    try:
        with bench.distribution_changed(page):
            yield
    finally:
        client.delete_object(Bucket=bucket, Key=key)


@fault("CDN-03", "one path may be asked for over plain HTTP")
def plain_path(bench: Bench) -> Iterator[None]:
    def add(configuration: dict[str, Any]) -> None:
        own = {
            **configuration["DefaultCacheBehavior"],
            "PathPattern": "plain/*",
            "ViewerProtocolPolicy": "allow-all",
        }
        configuration["CacheBehaviors"] = {"Quantity": 1, "Items": [own]}

    with bench.distribution_changed(add):
        yield


@fault("CDN-12", "an origin's failure is remembered for a day")
def lasting_failures(bench: Bench) -> Iterator[None]:
    def keep(configuration: dict[str, Any]) -> None:
        for entry in configuration["CustomErrorResponses"]["Items"]:
            if entry["ErrorCode"] == HTTPStatus.BAD_GATEWAY:
                entry["ErrorCachingMinTTL"] = 86_400

    with bench.distribution_changed(keep, of="SiteDistribution"):
        yield
