"""readiness/probes/cdn.py"""

from __future__ import annotations

import gzip

import pytest

from readiness.errors import Unverified
from readiness.probes.cdn import Cdn, key_of
from tests.probes.server import Reply


def test_a_path_is_asked_for_as_a_browser_would(server, env):
    server.replies(Reply(200, b"png", {"Content-Type": "image/png"}))
    cdn = Cdn(env, server.url.removeprefix("http://"))

    answer = cdn.get("/images/j/a.png", scheme="http", method="HEAD", headers={"Origin": "https://x.example"})

    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["origin"]) == (
        "HEAD",
        "/images/j/a.png",
        "https://x.example",
    )


def test_a_compressed_body_can_be_had_as_it_was_sent(server, env):
    """CloudFront says no Content-Length of what it compresses."""
    squeezed = gzip.compress(b"word " * 1000)
    server.replies(Reply(200, squeezed, {"Content-Encoding": "gzip"}))
    cdn = Cdn(env, server.url.removeprefix("http://"))

    assert cdn.get("/", scheme="http", as_sent=True).body == squeezed
    assert cdn.get("/", scheme="http").body == b"word " * 1000


def test_tls_is_the_default(server, env):
    with pytest.raises(Unverified, match=r"GET https://.*SSLError"):
        Cdn(env, server.url.removeprefix("http://")).get("/images/a.png")


@pytest.mark.parametrize("query", ["", "?x=1#y"])
def test_an_image_of_this_cdn_is_known_by_its_path(env, query):
    assert (
        Cdn(env, "127.0.0.1:4431").path(f"https://127.0.0.1:4431/images/j/a.png{query}") == "/images/j/a.png"
    )


@pytest.mark.parametrize(
    "url", ["https://d1.cloudfront.net/images/a.png", "http://127.0.0.1:4431/images/a.png", "/a.png"]
)
def test_an_image_elsewhere_is_what_users_would_miss(env, url):
    with pytest.raises(AssertionError, match=r"does not lead to the CDN at https://127\.0\.0\.1:4431"):
        Cdn(env, "127.0.0.1:4431").path(url)


def test_the_key_of_an_image_is_its_path_without_the_slash():
    assert key_of("https://d1.cloudfront.net/images/j/a.png") == "images/j/a.png"
