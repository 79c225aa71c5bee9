"""verification/probes/page.py"""

from __future__ import annotations

from datetime import timedelta

import pytest
from requests.structures import CaseInsensitiveDict

from readiness.probes.http import Answer
from verification.probes.page import Page, is_hashed

HTML = """<!doctype html><html><head>
<meta http-equiv="Content-Security-Policy" content="default-src &#39;self&#39;; img-src https://d1.cloudfront.net data:">
<link rel="icon" href="/favicon.svg"><link rel="stylesheet" href="/assets/index-D5zKrfcB.css">
<link rel="modulepreload" href="/assets/runtime-BmqsPAZT.js"><link rel="preconnect" href="https://api.example">
<script type="module" src="/assets/index-JsWOcPvz.js"></script><script src="https://else.example/x.js"></script>
"""


def page(html=HTML, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Page(Answer("GET /", 200, CaseInsensitiveDict(named), html.encode(), timedelta(0)))


def test_assets_are_what_the_page_loads_from_itself():
    assert page().assets == [
        "/assets/index-JsWOcPvz.js",
        "/assets/index-D5zKrfcB.css",
        "/assets/runtime-BmqsPAZT.js",
    ]


def test_a_page_obeys_its_header_and_itself():
    both = page(Content_Security_Policy="connect-src https:; default-src 'none'")

    assert both.may_reach("connect-src") == [{"https:"}, {"'self'"}]
    assert both.may_reach("img-src") == [{"'none'"}, {"d1.cloudfront.net", "data:"}]
    assert [policy.get("frame-ancestors") for policy in both.policies] == [None, None]


def test_a_policy_that_is_silent_allows_everything():
    assert page("<p>", Content_Security_Policy="img-src 'self'").may_reach("connect-src") == [{"*"}]


def test_of_two_directives_the_first_counts():
    assert page("<p>", Content_Security_Policy="img-src 'self'; img-src *").may_reach("img-src") == [
        {"'self'"}
    ]


def test_a_page_without_a_policy_has_none():
    assert page("<p>").policies == []


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        ("assets/index-JsWOcPvz.js", True),
        ("assets/Modal-CsA3yZn-.css", True),
        ("assets/worker.js", False),
        ("index-JsWOcPvz.js", False),
    ],
)
def test_hashed_files_are_known_by_their_names(key, hashed):
    assert is_hashed(key) is hashed
