"""Faults of the distributions and of what they serve: section cloudfront."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.faults.bench import Bench
from tests.faults.fault import fault
from verification.probes.api import Api

# What cannot be looked at while images do not come through the CDN.
SERVED_IMAGES = {
    *("CDN-02", "CDN-03", "CDN-04", "CDN-05", "CDN-06", "CDN-08", "CDN-11", "CDN-13", "CDN-14"),
    *("CDN-18", "CODE-09", "CODE-10", "SEC-13", "SEC-19", "SEC-22"),
}


def behaviours(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    return [configuration["DefaultCacheBehavior"], *configuration.get("CacheBehaviors", {}).get("Items", [])]


@fault("CDN-01", "the distribution is disabled", relatives=SERVED_IMAGES | {"CDN-12"})
def disabled_distribution(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration.update(Enabled=False)):
        yield


@fault("CDN-02", "the origin path is wrong", relatives=SERVED_IMAGES - {"CDN-02", "CDN-03"} | {"CDN-12"})
def wrong_origin_path(bench: Bench) -> Iterator[None]:
    def move(configuration: dict[str, Any]) -> None:
        configuration["Origins"]["Items"][0]["OriginPath"] = "/elsewhere"

    with bench.distribution_changed(move):
        # The edge would serve the images that it keeps, and which those are depends on what ran before.
        bench.stack.distribution.invalidate("/*")
        yield


@fault(
    "CDN-02",
    "the API hands out another CDN's addresses",
    # Some items look at a copy of an image under the distribution's own name.
    relatives=SERVED_IMAGES - {"CDN-02", "CDN-04", "CDN-05", "CDN-08", "CDN-11", "CDN-18", "SEC-19"},
)
def addresses_of_another_cdn(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", CDN_DOMAIN="d111111abcdef8.cloudfront.net"):
        yield


@fault("CDN-02", "images are stored without their type", relatives={"CDN-18", "CODE-09"})
def untyped_images(bench: Bench) -> Iterator[None]:
    with (
        images_removed(bench),
        bench.patched(
            "WorkerFunction",
            "pixel_prompt/storage.py",
            "ContentType=picture.media_type",
            'ContentType="binary/octet-stream"',
        ),
    ):
        yield


@contextmanager
def images_removed(bench: Bench) -> Iterator[None]:
    """Whatever is stored meanwhile as no image has to be is gone afterwards; it would turn the faults that follow."""
    before = {one.key for one in bench.stack.bucket.objects("images/")}
    try:
        yield
    finally:
        for one in bench.stack.bucket.objects("images/"):
            if one.key not in before:
                bench.client("s3").delete_object(Bucket=bench.physical("ImagesBucket"), Key=one.key)


@contextmanager
def _image(bench: Bench, **changes: Any) -> Iterator[None]:
    """The oldest stored image with another content or type, gone from the edges' memory before and after."""
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    if not (stored := bench.stack.bucket.objects("images/")):
        # Another worker has looked at the good application, so that this one's has not made an image yet.
        Api(bench.env, bench.stack.formation.output("ApiEndpoint")).generate("a harbour at noon")
        stored = bench.stack.bucket.objects("images/")
    key = min(stored, key=lambda one: one.modified).key
    answer = client.get_object(Bucket=bucket, Key=key)
    before = {name: answer[name] for name in ("ContentType", "CacheControl")} | {
        "Body": answer["Body"].read()
    }
    client.put_object(Bucket=bucket, Key=key, **{**before, **changes})
    bench.stack.distribution.invalidate(f"/{key}")
    try:
        yield
    finally:
        client.put_object(Bucket=bucket, Key=key, **before)
        bench.stack.distribution.invalidate(f"/{key}")


@fault("CDN-18", "an old image is answered as a document")
def image_as_document(bench: Bench) -> Iterator[None]:
    with _image(bench, ContentType="text/html"):
        yield


@fault("CDN-18", "an old image is a document that is answered as an image")
def document_as_image(bench: Bench) -> Iterator[None]:
    with _image(bench, Body=b"<!doctype html><title>Sign in</title>"):
        yield


@fault("CDN-18", "a document lies among the images")
def document_among_images(bench: Bench) -> Iterator[None]:
    client, bucket, key = bench.client("s3"), bench.physical("ImagesBucket"), "images/sign-in.html"
    client.put_object(
        Bucket=bucket, Key=key, Body=b"<!doctype html><title>Sign in</title>", ContentType="text/html"
    )
    try:
        yield
    finally:
        client.delete_object(Bucket=bucket, Key=key)


@fault("CDN-03", "plain HTTP is served")
def plain_cdn(bench: Bench) -> Iterator[None]:
    def allow_all(configuration: dict[str, Any]) -> None:
        for behaviour in behaviours(configuration):
            behaviour["ViewerProtocolPolicy"] = "allow-all"

    with bench.distribution_changed(allow_all):
        yield


def cache_policy(bench: Bench, change: Any, of: str = "ImageCachePolicy") -> Iterator[None]:
    """Change a cache policy, and give it back."""
    yield from _policy_changed(bench, of, "cache_policy", "CachePolicy", change)


def headers_policy(bench: Bench, change: Any, of: str = "ImageHeadersPolicy") -> Iterator[None]:
    """Change a response headers policy, and give it back."""
    yield from _policy_changed(bench, of, "response_headers_policy", "ResponseHeadersPolicy", change)


def _policy_changed(bench: Bench, of: str, method: str, kind: str, change: Any) -> Iterator[None]:
    client, id_ = bench.client("cloudfront"), bench.physical(of)
    get, update = getattr(client, f"get_{method}"), getattr(client, f"update_{method}")
    answer = get(Id=id_)
    before = answer[kind][f"{kind}Config"]
    altered = json.loads(json.dumps(before))
    change(altered)
    update(Id=id_, IfMatch=answer["ETag"], **{f"{kind}Config": altered})
    try:
        yield
    finally:
        update(Id=id_, IfMatch=get(Id=id_)["ETag"], **{f"{kind}Config": before})


@fault("CDN-04", "nothing is cached", relatives={"CDN-05", "CDN-06", "CDN-08", "CDN-11"})
def no_cache(bench: Bench) -> Iterator[None]:
    yield from cache_policy(bench, lambda policy: policy.update(MinTTL=0, DefaultTTL=0, MaxTTL=0))


@fault("CDN-15", "the edge keeps the page for a year")
def kept_for_a_year(bench: Bench) -> Iterator[None]:
    def lasting(policy: dict[str, Any]) -> None:
        policy.update(MinTTL=31536000, DefaultTTL=31536000, MaxTTL=31536000)

    yield from cache_policy(bench, lasting, "SiteCachePolicy")


@fault("CDN-15", "the page's distribution has no default root object")
def no_root_object(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda it: it.update(DefaultRootObject=""), of="SiteDistribution"):
        yield


@fault("CDN-06", "browsers may keep an image for a minute")
def short_lived_images(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/storage.py",
        "public, max-age=2592000, immutable",
        "public, max-age=60",
    ):
        yield


@fault("CDN-06", "the distribution keeps an image for a minute")
def short_lived_copies(bench: Bench) -> Iterator[None]:
    yield from cache_policy(bench, lambda policy: policy.update(MinTTL=0, DefaultTTL=60, MaxTTL=60))


@fault("CDN-07", "a job's status may be cached")
def cached_status(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/web.py",
        '"Cache-Control": "no-store"',
        '"Cache-Control": "public, max-age=60"',
    ):
        yield


@fault("CDN-08", "the query string is part of the cache key")
def query_in_the_key(bench: Bench) -> Iterator[None]:
    def add_queries(policy: dict[str, Any]) -> None:
        parameters = policy["ParametersInCacheKeyAndForwardedToOrigin"]
        parameters["QueryStringsConfig"] = {"QueryStringBehavior": "all"}

    yield from cache_policy(bench, add_queries)


@fault("CDN-13", "writes are let through")
def writable_cdn(bench: Bench) -> Iterator[None]:
    methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]

    def allow(configuration: dict[str, Any]) -> None:
        for behaviour in behaviours(configuration):
            behaviour["AllowedMethods"] = {
                **behaviour["AllowedMethods"],
                "Quantity": len(methods),
                "Items": methods,
            }

    with bench.distribution_changed(allow):
        yield
