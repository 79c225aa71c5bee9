"""verification/probes/cdn.py"""

from __future__ import annotations

import pytest

from tests.probes.server import Reply
from verification.errors import Unverified
from verification.probes.cdn import Cdn, path_of


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


def test_tls_is_spoken_unless_told_otherwise(server, env):
    with pytest.raises(Unverified, match=r"GET https://.*SSLError"):
        Cdn(env, server.url.removeprefix("http://")).get("/images/a.png")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://d1.cloudfront.net/images/j/a.png", "/images/j/a.png"),
        ("https://127.0.0.1:4431/images/j/a.png?x=1#y", "/images/j/a.png"),
    ],
)
def test_the_path_of_an_image_leaves_the_domain_behind(url, path):
    assert path_of(url) == path
