"""Section CloudFront: images reach browsers, quickly and as they were made."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from verification import budgets
from verification.probes.api import Api, Job
from verification.probes.cdn import Cdn, path_of
from verification.stack import Stack

pytestmark = pytest.mark.cloudfront

_ATTEMPTS = 5
"""Neighbouring edge caches may each miss once before one of them hits."""


@pytest.mark.item("CDN-01")
def test_distribution_is_deployed(stack: Stack) -> None:
    """No image is served at all."""
    assert stack.distribution.enabled
    assert stack.distribution.status == "Deployed"
    assert socket.getaddrinfo(urlsplit(f"//{stack.distribution.domain_name}").hostname, 443)


@pytest.mark.item("CDN-02")
def test_image_is_served_as_stored(stack: Stack, cdn: Cdn, untouched_image: Callable[[], str]) -> None:
    """Users see a broken picture, or somebody else's."""
    path = path_of(untouched_image())
    image = cdn.get(path)

    assert image.status == HTTPStatus.OK, image
    assert image.headers["content-type"].startswith("image/"), image
    assert image.body == stack.bucket.object_bytes(path[1:]), f"{image!r} differs from the object"


@pytest.mark.item("CDN-03")
def test_plain_http_is_redirected(cdn: Cdn, job: Job) -> None:
    """What travels in clear can be read and replaced on its way."""
    path = path_of(job.image_urls[0])
    answer = cdn.get(path, scheme="http")

    assert answer.status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT), answer
    assert answer.headers["location"] == f"https://{cdn.domain}{path}"


@pytest.mark.item("CDN-04")
def test_second_request_hits_the_cache(cdn: Cdn, untouched_image: Callable[[], str]) -> None:
    """Every view would be fetched from the bucket, slowly and for money."""
    path = path_of(untouched_image())
    first = cdn.get(path)
    later = [cdn.get(path).headers.get("x-cache", "") for _ in range(_ATTEMPTS)]

    assert first.headers.get("x-cache", "").startswith("Miss"), first.headers
    assert any(answer.startswith(("Hit", "RefreshHit")) for answer in later), later


@pytest.mark.item("CDN-06")
def test_images_may_be_cached_for_long(cdn: Cdn, job: Job) -> None:
    """Returning visitors would download what they already have."""
    directives = cdn.get(path_of(job.image_urls[0])).headers.get("cache-control", "")
    age = re.search(r"max-age=(\d+)", directives)

    assert age and int(age[1]) >= budgets.IMAGE_CACHE.total_seconds(), directives
    assert "immutable" in directives


@pytest.mark.item("CDN-07")
def test_api_answers_are_never_cached(api: Api, job: Job) -> None:
    """A user would watch somebody else's job, or an old state of their own."""
    answers = [api.call("GET", path) for path in ("/health", f"/status/{job.id}", "/gallery/list")]

    assert [a for a in answers if "no-store" not in a.headers.get("cache-control", "")] == []


@pytest.mark.item("CDN-08")
def test_cache_key_ignores_queries_and_cookies(cdn: Cdn, untouched_image: Callable[[], str]) -> None:
    """Anyone could fill the cache with copies and send every request to the bucket."""
    path = path_of(untouched_image())
    cdn.get(path)
    varied = [
        cdn.get(f"{path}?variant={n}", headers={"Cookie": f"visitor={n}"}).headers.get("x-cache", "")
        for n in range(_ATTEMPTS)
    ]

    assert any(answer.startswith(("Hit", "RefreshHit")) for answer in varied), varied


@pytest.mark.item("CDN-13")
def test_cdn_lets_only_reads_through(stack: Stack, cdn: Cdn, job: Job) -> None:
    """A write that reaches the origin is one signature away from replacing an image."""
    allowed = {
        method
        for behaviour in stack.distribution.behaviours
        for method in behaviour["AllowedMethods"]["Items"]
    }
    path = path_of(job.image_urls[0])
    writes = [cdn.get(path, method=method) for method in ("PUT", "POST", "PATCH", "DELETE")]

    assert allowed <= {"GET", "HEAD", "OPTIONS"}
    assert [a for a in writes if a.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED)] == []
    assert cdn.get(path, method="HEAD").status == HTTPStatus.OK
