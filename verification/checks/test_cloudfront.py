"""Section CloudFront: images reach browsers, quickly and as they were made."""

from __future__ import annotations

import re
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

import pytest

from readiness import budgets as general
from readiness.errors import Unverified
from readiness.probes.cdn import Cdn, key_of
from readiness.probes.http import Answer
from readiness.samples import Samples
from verification import budgets, served
from verification.probes import images
from verification.probes.api import Api, Job
from verification.probes.commands import Source
from verification.probes.page import Page, is_hashed
from verification.served import BuiltFile
from verification.stack import Stack

pytestmark = pytest.mark.cloudfront


@pytest.mark.item("CDN-01")
def test_distribution_is_deployed(stack: Stack, cdn: Cdn, site: Cdn) -> None:
    """No image, or no page, is served at all."""
    assert [one for one in stack.distributions if not one.enabled] == []
    moving = {one.id: one.status for one in stack.distributions if one.status == "InProgress"}
    assert {
        one.id: one.status for one in stack.distributions if one.status not in ("Deployed", "InProgress")
    } == {}
    assert [edge for edge in (cdn, site) if not edge.resolves] == [], "no address is known by this name"
    for edge in (cdn, site):
        assert edge.get("/").status  # whatever it says, over a connection whose certificate was verified
    if moving:
        raise Unverified(
            f"a change is still on its way to the edges ({moving}); run again in a quarter of an hour"
        )


@pytest.mark.item("CDN-02")
def test_image_is_served_as_stored(stack: Stack, cdn: Cdn, job: Job, listed_job: Job) -> None:
    """Users see a broken picture, or the picture of another user."""
    url = job.sample_url
    image = cdn.get(cdn.path(url))
    stored = stack.bucket.content_type(key_of(url))

    assert image.status == HTTPStatus.OK, image
    assert image.headers["content-type"] == stored, image
    assert stored.startswith("image/"), image
    assert image.body == stack.bucket.object_bytes(key_of(url)), f"{image!r} differs from the object"
    assert not {*job.image_urls} & {*listed_job.image_urls}, (
        "two jobs store an image at one address, which browsers may keep permanently"
    )


@pytest.mark.item("CDN-03")
def test_plain_http_is_redirected(stack: Stack, cdn: Cdn, site: Cdn, shown_job: Job) -> None:
    """Anyone on the network path can read and replace unencrypted traffic."""
    assert {
        f"{distribution.id} {behaviour.get('PathPattern', 'default')}": behaviour["ViewerProtocolPolicy"]
        for distribution in stack.distributions
        for behaviour in distribution.behaviours
        if behaviour["ViewerProtocolPolicy"] != "redirect-to-https"
    } == {}
    for edge, path in ((cdn, cdn.path(shown_job.sample_url)), (site, "/")):
        answer = edge.get(path, scheme="http")

        assert answer.status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT), answer
        assert answer.headers["location"] == f"https://{edge.domain}{path}"


@pytest.mark.item("CDN-04")
def test_second_request_hits_the_cache(cdn: Cdn, untouched_image: Callable[[], str]) -> None:
    """Every view would be fetched from the bucket, slowly and for money."""
    path = cdn.path(untouched_image())
    first = cdn.get(path)
    later = [cdn.get(path).headers.get("x-cache", "") for _ in range(budgets.EDGE_ATTEMPTS)]

    assert first.headers.get("x-cache", "").startswith("Miss"), first.headers
    assert any(answer.startswith("Hit") for answer in later), later


@pytest.mark.item("CDN-05")
def test_a_hit_is_faster_than_a_miss(cdn: Cdn, untouched_image: Callable[[], str]) -> None:
    """A cache that is no faster than its origin is only cost."""
    paths = [cdn.path(untouched_image()) for _ in range(budgets.EDGE_IMAGES)]
    cdn.get(paths[0], method="HEAD")  # the connection is opened before anything is timed
    hits_and_misses = []
    for path in paths[1:]:
        # Only the first answer is certain to come from the bucket: another cache of the edge may ask the region's.
        first = cdn.get(path)
        later = (cdn.get(path) for _ in range(budgets.EDGE_ATTEMPTS))
        hit = next((answer for answer in later if answer.headers.get("x-cache", "").startswith("Hit")), None)
        if hit and first.headers.get("x-cache", "").startswith("Miss"):
            hits_and_misses.append((hit.elapsed, first.elapsed))
    hits = Samples.of("hit", (hit for hit, _ in hits_and_misses))
    misses = Samples.of("miss", (miss for _, miss in hits_and_misses))

    assert hits.median < misses.median, f"{hits}, {misses}"
    assert hits.most < budgets.EDGE_HIT, hits


@pytest.mark.item("CDN-06")
def test_images_may_be_cached_for_long(stack: Stack, cdn: Cdn, shown_job: Job) -> None:
    """Returning visitors would download what they already have."""
    directives = cdn.get(cdn.path(shown_job.sample_url)).headers.get("cache-control", "")
    age = re.search(r"max-age=(\d+)", directives)

    assert age and int(age[1]) >= budgets.IMAGE_CACHE.total_seconds(), directives
    assert {"public", "immutable"} <= {directive.strip() for directive in directives.split(",")}
    assert [ttl for ttl in stack.distribution.longest_ttls if ttl < budgets.IMAGE_CACHE] == []


@pytest.mark.item("CDN-07")
def test_api_answers_are_never_cached(api: Api, shown_job: Job) -> None:
    """A user would see the job of another user, or an old state of their own."""
    answers = [
        *(api.call("GET", path) for path in ("/health", f"/status/{shown_job.id}", "/gallery/list")),
        api.call("GET", f"/gallery/{shown_job.id}"),
        api.call("GET", "/status/no-such-job"),
        api.call("DELETE", "/health"),
        api.call("POST", "/generate", json_body={}),
    ]

    assert [a for a in answers if "no-store" not in a.headers.get("cache-control", "")] == []
    assert [a for a in answers if {"age", "x-cache"} & {name.lower() for name in a.headers}] == []
    assert [a.status for a in answers[:4]] == [HTTPStatus.OK] * 4


@pytest.mark.item("CDN-08")
def test_cache_key_ignores_queries_and_cookies(cdn: Cdn, untouched_image: Callable[[], str]) -> None:
    """Anyone could fill the cache with copies and send every request to the bucket."""
    path = cdn.path(untouched_image())
    cdn.get(path)
    variants = range(budgets.EDGE_ATTEMPTS)
    by_query = [cdn.get(f"{path}?variant={n}").headers.get("x-cache", "") for n in variants]
    by_cookie = [cdn.get(path, headers={"Cookie": f"v={n}"}).headers.get("x-cache", "") for n in variants]

    assert any(answer.startswith("Hit") for answer in by_query), by_query
    assert any(answer.startswith("Hit") for answer in by_cookie), by_cookie


@pytest.mark.item("CDN-09")
def test_text_is_compressed(site: Cdn, page: Page) -> None:
    """Text would be three to five times as large, which is felt on a phone and paid for as transfer."""
    plain = {path: site.get(path, headers={"Accept-Encoding": "identity"}) for path in ("/", *page.assets)}
    texts = {path: answer for path, answer in plain.items() if len(answer.body) >= budgets.COMPRESSED_BYTES}
    if not texts:
        raise Unverified(f"{site!r}: nothing the page names is large enough to be compressed: {plain}")
    squeezed = {path: site.get(path, headers={"Accept-Encoding": "gzip, br"}, as_sent=True) for path in texts}

    assert [answer for answer in texts.values() if "content-encoding" in answer.headers] == []
    assert {
        path: answer.headers.get("content-encoding", "as it is")
        for path, answer in squeezed.items()
        if answer.headers.get("content-encoding") not in ("gzip", "br")
    } == {}
    assert [path for path in texts if len(squeezed[path].body) >= len(texts[path].body)] == []


@pytest.mark.item("CDN-11")
def test_an_invalidation_takes_effect(stack: Stack, cdn: Cdn, untouched_image: Callable[[], str]) -> None:
    """An image that was taken down would be served for another week."""
    url = untouched_image()
    path = cdn.path(url)
    if not any(
        cdn.get(path).headers.get("x-cache", "").startswith("Hit") for _ in range(budgets.EDGE_ATTEMPTS)
    ):
        raise Unverified(f"{path} is in no cache to be forgotten by; see CDN-04")

    time.sleep(_TELLING_AGE)
    asked = time.monotonic()
    took = stack.distribution.invalidate(path)
    until = time.monotonic() + budgets.FORGOTTEN_WITHIN.total_seconds()
    # Each of an edge's caches has to forget; one that never had it says nothing about the others.
    while (
        old := [
            answer
            for answer in (cdn.get(path) for _ in range(budgets.EDGE_ATTEMPTS))
            if _age(answer) > time.monotonic() - asked + 1
        ]
    ) and time.monotonic() < until:
        time.sleep(1)
    after = cdn.get(path)

    assert old == [], f"{took} and {budgets.FORGOTTEN_WITHIN} after the invalidation: {old[0].headers}"
    assert after.body == stack.bucket.object_bytes(key_of(url)), f"{after!r} differs from the object"


_TELLING_AGE = 3.0  # seconds by which a copy from before an invalidation is older than one from after it


def _age(answer: Answer) -> int:
    """How many seconds a copy has been in the cache that answered with it, 0 when the origin was asked.

    Raises:
        Unverified: the cache does not say.
    """
    if not answer.headers.get("x-cache", "").startswith("Hit"):
        return 0
    if "age" not in answer.headers:
        raise Unverified(f"{answer!r} comes from a cache and does not say its age: {answer.headers}")
    return int(answer.headers["age"])


@pytest.mark.item("CDN-10")
def test_latest_change_reached_the_edges_in_time(stack: Stack, evidence: dict[str, object]) -> None:
    """A fix, or the rollback of a mistake, would take as long to reach users."""
    began, took = stack.formation.latest_change("Distribution")
    evidence["latest change"] = f"began {began:%Y-%m-%d %H:%M:%S %Z}, took {took.total_seconds():.1f} s"

    assert took < budgets.DISTRIBUTION_DEPLOYMENT, f"the change that began {began} took {took}"


@pytest.mark.item("CDN-12")
def test_errors_are_short_lived_and_reveal_nothing(stack: Stack, cdn: Cdn) -> None:
    """One request before an image is stored would hide it from all users; error pages would reveal internal names."""
    assert {
        f"{distribution.id}: {status}": kept
        for distribution in stack.distributions
        for status, kept in distribution.error_ttls.items()
        if kept > general.ERROR_CACHE
    } == {}
    key = f"images/verification-{uuid.uuid4().hex}.png"
    asked = time.monotonic()
    missing = cdn.get(f"/{key}")
    errors = [missing, cdn.get(f"/verification-{uuid.uuid4().hex}.txt"), cdn.get(f"/{key}", method="POST")]
    with stack.bucket.temporary_object(key, b"stored after it was asked for"):
        while (later := cdn.get(f"/{key}")).status != HTTPStatus.OK:
            if time.monotonic() - asked > general.ERROR_CACHE.total_seconds():
                break
            time.sleep(0.5)

    assert [answer for answer in errors if answer.status < HTTPStatus.BAD_REQUEST] == []
    assert later.status == HTTPStatus.OK, f"{later!r}, though it has been stored"
    assert [
        answer
        for answer in errors
        if any(
            name in f"{dict(answer.headers)} {answer.body.decode('utf-8', 'replace')}"
            for name in (stack.bucket.name, key)
        )
    ] == []


@pytest.mark.item("CDN-14")
def test_latency_by_edge_is_recorded(cdn: Cdn, shown_job: Job, evidence: dict[str, object]) -> None:
    """Users far from the developers may wait long for each image, and the developers would not notice."""
    path = cdn.path(shown_job.sample_url)
    cdn.get(path)  # opens the connection, and fills the cache
    samples = [cdn.get(path) for _ in range(budgets.EDGE_SAMPLES)]
    edges = [sample.headers.get("x-amz-cf-pop", "") for sample in samples]
    for edge in sorted(set(edges)):
        own = [sample for sample, name in zip(samples, edges, strict=True) if name == edge]
        times_ms = [sample.elapsed.total_seconds() * 1000 for sample in own]
        hits = sum(sample.headers.get("x-cache", "").startswith("Hit") for sample in own)
        evidence[f"edge {edge or 'unnamed'}"] = (
            f"median {statistics.median(times_ms):.1f} ms of {len(own)} ({hits} hits): "
            + ", ".join(f"{time_ms:.1f}" for time_ms in times_ms)
        )

    assert [sample for sample in samples if sample.status != HTTPStatus.OK] == []
    assert "" not in edges, f"{cdn!r} does not say which edge answered (x-amz-cf-pop)"


@pytest.mark.item("CDN-13")
def test_cdn_lets_only_reads_through(stack: Stack, cdn: Cdn, site: Cdn, shown_job: Job) -> None:
    """A write that reaches the origin is one signature away from replacing an image, or the page."""
    allowed = {
        method
        for distribution in stack.distributions
        for behaviour in distribution.behaviours
        for method in behaviour["AllowedMethods"]["Items"]
    }
    path = f"/images/{uuid.uuid4()}.png"  # no user's image, in case a write succeeds
    writes = [
        edge.get(path, method=method) for edge in (cdn, site) for method in ("PUT", "POST", "PATCH", "DELETE")
    ]

    assert allowed <= {"GET", "HEAD", "OPTIONS"}
    assert [a for a in writes if a.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED)] == []
    assert cdn.get(cdn.path(shown_job.sample_url), method="HEAD").status == HTTPStatus.OK


@pytest.mark.item("CDN-15")
def test_page_is_hosted_whole(stack: Stack, site: Cdn) -> None:
    """A bookmark answers 404, a new release stays unseen, or a page names files that are no longer there."""
    first = site.get("/")
    assert first.status == HTTPStatus.OK, f"{site!r} serves no page"
    page = Page(first)
    deep = site.get(f"/gallery/{uuid.uuid4()}")
    files = {path: site.get(path) for path in page.assets}
    lasting = f"max-age={int(budgets.ASSET_CACHE.total_seconds())}"
    stored = stack.site_bucket.keys("")

    assert page.answer.status == deep.status == HTTPStatus.OK, deep
    assert page.answer.headers["content-type"].startswith("text/html"), page.answer
    assert deep.body == page.answer.body, f"{deep!r} is another page than the first"
    assert {a.headers.get("cache-control") for a in (page.answer, deep, site.get("/index.html"))} == {
        "no-cache"
    }
    assert files, f"{page.answer!r} loads nothing"
    assert [path for path in files if not is_hashed(path.removeprefix("/"))] == []
    assert [answer for path, answer in files.items() if not _is_whole(answer, path)] == []
    assert [path for path in files if path.removeprefix("/") not in stored] == [], "only a cache still has it"
    assert {
        path: answer.headers.get("cache-control")
        for path, answer in files.items()
        if not {lasting, "immutable"} <= set(answer.headers.get("cache-control", "").split(", "))
    } == {}
    edge = stack.site_distribution
    assert edge.root_object == "index.html", (
        f"without it, {edge!r} serves a listing of the bucket; set its DefaultRootObject"
    )
    assert {
        str(behaviour.get("PathPattern", "*")): str(least)
        for behaviour in edge.behaviours
        if (least := edge.least_ttl(behaviour)) > timedelta(0)
    } == {}, f"{edge!r} keeps an old page although it says no-cache; set MinTTL of its cache policy to 0"
    assert [key for key in stored if key.endswith(".map")] == []
    assert [path for path, answer in files.items() if b"sourceMappingURL=" in answer.body] == []


def _is_whole(answer: Answer, path: str) -> bool:
    """Whether a file that the page loads is one, and not the page in its place."""
    expected = "text/css" if path.endswith(".css") else "text/javascript"
    return answer.status == HTTPStatus.OK and answer.headers.get("content-type", "").startswith(expected)


@pytest.mark.item("CDN-16")
def test_page_is_served_as_built(
    stack: Stack, site: Cdn, built: Sequence[BuiltFile], source: Source, evidence: dict[str, object]
) -> None:
    """Visitors would run unreviewed code, or get files that their browser caches or interprets wrongly."""
    release = source.release(stack.env.exchanges)
    evidence["built"] = (
        f"{len(built)} files of {sum(file.size for file in built)} bytes, from {release.commit}"
    )
    if stack.page_key and (first := site.get("/")).status != HTTPStatus.OK:
        raise Unverified(f"{first!r}: expected the page", cause=f"{site!r} does not serve the page")
    found = served.differences(stack.site_bucket, site, built)
    served.require_this_commit(stack, release, found)

    assert [difference.text for difference in found] == []


@pytest.mark.item("CDN-17")
def test_bucket_has_only_files_of_the_page(
    stack: Stack, site: Cdn, built: Sequence[BuiltFile], source: Source
) -> None:
    """Every file in the page's bucket is published under the page's own domain name."""
    assert stack.page_key
    found = served.unexpected_objects(stack.site_bucket, site, built, source)
    served.require_this_commit(stack, source.release(stack.env.exchanges), found)

    assert [difference.text for difference in found] == []


@pytest.mark.item("CDN-18")
# The images of the run's own job are among the newest, where it may make one.
@pytest.mark.usefixtures("shown_job")
def test_images_are_images(stack: Stack, cdn: Cdn, evidence: dict[str, object]) -> None:
    """A user who follows a link to a document at an image's address would see it under the service's domain name."""
    wanted = {"Range": f"bytes=0-{images.FIRST_BYTES - 1}", "Accept-Encoding": "identity"}
    sample = images.sample(stack.bucket)
    answers = {one.key: cdn.get(f"/{quote(one.key)}", headers=wanted) for one in sample}
    fetched = {
        key: (answer.headers.get("content-type", ""), images.kind_of(answer.body))
        for key, answer in answers.items()
        if answer.status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
    }
    evidence["images"] = f"{len(fetched)} served of {len(sample)} that were checked"
    if not fetched:
        raise Unverified(
            f"{cdn!r} serves none of {len(sample)} images of {stack.bucket!r}",
            cause=f"{cdn!r} serves no image",
        )

    assert [
        f"{key} is served as {media_type!r}, and begins as {kind or 'no image that the application makes'}"
        for key, (media_type, kind) in fetched.items()
        if media_type != kind
    ] == []
