"""A page hosted behind a distribution, and the application's own page in a browser on a bad day.

The first part looks at the hosting alone. The second deploys the application and takes minutes: scripts/test.sh runs
it with --all, and by hand it is `pytest tests/embedded/test_page.py -m further`.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Locator, ViewportSize

from readiness.probes.wire import LIVE, Answered
from tests import registry
from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed
from tests.faults.bench import Bench, Checkout
from tests.faults.bench import deployed as deployed_application
from verification import budgets
from verification.embedded.cloud import Cloud
from verification.probes import browser as browsers
from verification.probes.api import Api
from verification.probes.browser import DESKTOP, Browser, Visit

pytestmark = pytest.mark.embedded

PAGE = b"<!doctype html>" + b"<p>page</p>" * 200
TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: cloudfront.amazonaws.com}
            Action: s3:GetObject
            Resource: !Sub ${Bucket.Arn}/*
          - Effect: Allow
            Principal: {Service: cloudfront.amazonaws.com}
            Action: s3:ListBucket
            Resource: !GetAtt Bucket.Arn
            Condition:
              StringEquals:
                aws:SourceArn: !Sub arn:aws:cloudfront::${AWS::AccountId}:distribution/${Page}
  Access:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        {Name: !Ref AWS::StackName, OriginAccessControlOriginType: s3, SigningBehavior: always, SigningProtocol: sigv4}
  Asking:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig:
        Name: !Ref AWS::StackName
        MinTTL: 0
        DefaultTTL: 0
        MaxTTL: 31536000
        ParametersInCacheKeyAndForwardedToOrigin:
          EnableAcceptEncodingGzip: true
          EnableAcceptEncodingBrotli: true
          QueryStringsConfig: {QueryStringBehavior: none}
          HeadersConfig: {HeaderBehavior: none}
          CookiesConfig: {CookieBehavior: none}
  Page:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig: &configuration
        Enabled: true
        DefaultRootObject: index.html
        Origins:
          - Id: s3
            DomainName: !GetAtt Bucket.RegionalDomainName
            OriginAccessControlId: !Ref Access
            S3OriginConfig: {}
        DefaultCacheBehavior:
          TargetOriginId: s3
          ViewerProtocolPolicy: redirect-to-https
          Compress: true
          CachePolicyId: !Ref Asking
        CustomErrorResponses:
          - {ErrorCode: 404, ResponseCode: 200, ResponsePagePath: /index.html, ErrorCachingMinTTL: 0}
  Other:
    Type: AWS::CloudFront::Distribution
    Properties: {DistributionConfig: *configuration}
Outputs:
  Bucket: {Value: !Ref Bucket}
  Page: {Value: !GetAtt Page.DomainName}
  Other: {Value: !GetAtt Other.DomainName}
"""


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as stack:
        s3, bucket = cloud.client("s3"), stack.outputs["Bucket"]
        s3.put_object(
            Bucket=bucket, Key="index.html", Body=PAGE, ContentType="text/html", CacheControl="no-cache"
        )
        s3.put_object(
            Bucket=bucket,
            Key="assets/a.js",
            Body=b"1" * 2000,
            ContentType="text/javascript",
            CacheControl="public, max-age=31536000, immutable",
        )
        yield stack
        for key in ("index.html", "assets/a.js"):
            s3.delete_object(Bucket=bucket, Key=key)


def ask(
    cloud: Running, stack: Stack, path: str, output: str = "Page", method: str = "GET"
) -> requests.Response:
    return requests.request(
        method, f"https://{stack.outputs[output]}{path}", verify=cloud.state.ca_bundle, timeout=10
    )


@pytest.mark.parametrize("path", ["/", "/index.html", "/gallery/one", "/assets/none.js"])
def test_whatever_is_no_file_is_the_page(cloud, stack, path):
    answer = ask(cloud, stack, path)

    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_and_its_files_are_compressed(cloud, stack):
    assert ask(cloud, stack, "/").headers["content-encoding"] == "gzip"
    assert ask(cloud, stack, "/assets/a.js").headers["content-encoding"] == "gzip"


def test_a_new_page_is_seen_at_once(cloud, stack):
    ask(cloud, stack, "/gallery/two")
    client, new = cloud.client("s3"), PAGE + b"<p>new</p>"
    client.put_object(
        Bucket=stack.outputs["Bucket"],
        Key="index.html",
        Body=new,
        ContentType="text/html",
        CacheControl="no-cache",
    )
    try:
        assert ask(cloud, stack, "/").content == new
        assert ask(cloud, stack, "/gallery/two").content == new
    finally:
        client.put_object(
            Bucket=stack.outputs["Bucket"],
            Key="index.html",
            Body=PAGE,
            ContentType="text/html",
            CacheControl="no-cache",
        )


def test_a_refusal_stays_one(cloud, stack):
    assert ask(cloud, stack, "/", method="PUT").status_code == 403


def test_a_caller_that_may_not_list_the_bucket_does_not_learn_what_is_absent(cloud, stack):
    """Both have addresses of their own; only the first one may list."""
    assert stack.outputs["Page"] != stack.outputs["Other"]
    assert ask(cloud, stack, "/assets/a.js", "Other").status_code == 200
    assert ask(cloud, stack, "/gallery/one", "Other").status_code == 403


# The application's own page, in a browser

PHONE = ViewportSize(width=budgets.PHONE[0], height=budgets.PHONE[1])
WHILE = timedelta(seconds=60)
DOWN = "recraft"
"""A vendor with one model, so that its trouble costs one image."""
(ITS_MODEL,) = registry.of(DOWN)

OpenPage = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The application with its page, deployed as a user deploys it; gone with this process."""
    checkout = Checkout.of_this_tree(tmp_path_factory.mktemp("checkout") / "app")
    cloud = Cloud(f"page-{os.getpid()}")
    with deployed_application(checkout, cloud):
        yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def browser(bench: Bench) -> Iterator[Browser]:
    output = bench.stack.formation.output
    others = [output("ApiEndpoint"), f"https://{output('CloudFrontDomain')}"]
    with browsers.started(bench.env, output("SiteUrl"), others) as started:
        yield started


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> OpenPage:
    """Opens the page; what stood on the screen at the end is a picture in the test's folder."""

    def keep(name: str, picture: bytes) -> None:
        (tmp_path / f"{re.sub(r'[^a-z0-9]+', '-', name)}.jpg").write_bytes(picture)

    return partial(browser.visit, keep=keep)


def api(bench: Bench) -> Api:
    return Api(bench.env, bench.stack.formation.output("ApiEndpoint"))


def images(tab: Visit) -> Locator:
    return tab.page.locator("main .grid img")


def send(tab: Visit) -> str:
    """Type a prompt that nobody else has, and press the button."""
    prompt = f"a tide pool at noon, number {uuid.uuid4().hex}"
    field = tab.page.get_by_label("Prompt", exact=True)
    assert tab.shows(field, budgets.PAGE_DEADLINE)
    field.fill(prompt)
    generate(tab)
    return prompt


def generate(tab: Visit) -> None:
    tab.page.get_by_role("button", name="Generate").click()


@pytest.mark.further
@pytest.mark.parametrize(
    ("screen", "slow"), [(DESKTOP, False), (PHONE, False), (PHONE, True)], ids=["desktop", "360px", "slow-3g"]
)
def test_a_prompt_becomes_nine_images_and_a_gallery(
    visit: OpenPage, screen: ViewportSize, slow: bool
) -> None:
    with visit(None, screen=screen, phone=screen is PHONE) as tab:
        if slow:
            tab.throttle(
                kbit_per_second=budgets.SLOW_3G_KBIT_PER_SECOND, round_trip=budgets.SLOW_3G_ROUND_TRIP
            )
        tab.go("/")
        prompt = send(tab)
        made = tab.loaded(images(tab), budgets.MODELS, WHILE)
        assert tab.overflow() == ""
        tab.page.get_by_role("link", name="Gallery", exact=True).click()
        entry = tab.page.get_by_role("link", name=prompt)
        assert tab.shows(entry, WHILE)
        entry.click()
        assert tab.shows(tab.page.get_by_role("heading", name=prompt), WHILE)
        kept = tab.loaded(images(tab), budgets.MODELS, WHILE)

        assert len(set(made)) == budgets.MODELS
        assert sorted(kept) == sorted(made)
        assert (tab.overflow(), tab.complaints) == ("", [])


@pytest.mark.further
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "360px"])
def test_one_provider_down_costs_one_image_and_says_why(
    visit: OpenPage, bench: Bench, screen: ViewportSize, tmp_path: Path
) -> None:
    with visit(screen=screen, phone=screen is PHONE) as tab:
        with bench.provider_fault(DOWN, "server_error"):
            send(tab)
            made = tab.loaded(images(tab), budgets.MODELS - 1, WHILE)
            told = tab.page.get_by_text("8 images of 9 are ready; 1 model failed")
            assert tab.shows(told, WHILE), tab.page.locator("main").inner_text()
        assert len(set(made)) == budgets.MODELS - 1

        failed = tab.page.get_by_role("listitem").filter(has_text="Failed")
        assert failed.count() == 1
        assert failed.get_by_role("heading").inner_text() == ITS_MODEL.name
        job = api(bench).look(urlsplit(tab.page.url).path.rpartition("/")[2])
        (reason,) = (result["error"]["message"] for result in job.results if result.get("error"))
        assert failed.get_by_role("paragraph").first.inner_text() == reason
        assert tab.axe() == []
        tab.page.screenshot(path=tmp_path / "one-down.png", full_page=True)

        address = tab.page.url
        retried = tab.posts("/generate")
        failed.get_by_role("button", name=f"Try again with {ITS_MODEL.name}").click()
        whole = tab.loaded(images(tab), budgets.MODELS, WHILE)
        (answer,) = retried
        assert answer.request.post_data_json["models"] == [ITS_MODEL.id]
        (result,) = api(bench).look(answer.json()["jobId"]).results
        assert set(whole) - set(made) == {result["imageUrl"]}
        assert set(made) < set(whole)
        place = tab.page.get_by_role("listitem").filter(has_text=ITS_MODEL.name)
        assert place.get_by_role("img").get_attribute("src") == result["imageUrl"]
        assert (failed.count(), tab.page.url, tab.axe()) == (0, address, [])

        tab.page.reload()
        assert sorted(tab.loaded(images(tab), budgets.MODELS, WHILE)) == sorted(whole)


@pytest.mark.further
def test_a_model_that_fails_again_says_why_and_can_be_asked_once_more(
    visit: OpenPage, bench: Bench, tmp_path: Path
) -> None:
    with visit(screen=PHONE, phone=True, answering=True) as tab:
        with bench.provider_fault(DOWN, "server_error"):
            send(tab)
            assert tab.shows(tab.page.get_by_text("8 images of 9 are ready; 1 model failed"), WHILE)
            again = tab.page.get_by_role("button", name=f"Try again with {ITS_MODEL.name}")
            again.click()
            assert tab.shows(tab.page.get_by_text("Trying 1 model again"))
            assert tab.shows(again, WHILE)
        made = tab.loaded(images(tab), budgets.MODELS - 1, WHILE)
        assert len(made) == budgets.MODELS - 1

        tab.answer("POST", "/generate", Answered(BROKEN, 500), LIVE)
        again.click()
        alert = tab.page.get_by_role("alert")
        assert tab.shows(alert)
        assert "Reference" in alert.inner_text(), alert.inner_text()
        kept = [image.get_attribute("src") for image in images(tab).all()]
        assert (sorted(kept), tab.overflow(), tab.axe()) == (sorted(made), "", [])
        tab.page.screenshot(path=tmp_path / "refused.png", full_page=True)

        again.click()
        assert len(tab.loaded(images(tab), budgets.MODELS, WHILE)) == budgets.MODELS


REFUSED = {"error": {"code": "rate_limited", "message": "Too many requests", "correlationId": "c-limit"}}
BROKEN = {"error": {"code": "internal_error", "message": "no", "correlationId": "c-broken"}}


@pytest.mark.further
def test_a_refusal_shows_the_time_left_and_ends(visit: OpenPage) -> None:
    headers = {
        "Retry-After": "8",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
    }
    with visit(answering=True) as tab:
        tab.answer("POST", "/generate", Answered(REFUSED, 429, headers=headers), LIVE)
        send(tab)
        alert = tab.page.get_by_role("alert")
        assert tab.shows(alert)
        assert re.fullmatch(r"0:0[0-8]", alert.get_by_role("timer").inner_text())
        button = tab.page.get_by_role("button", name="Generate")
        assert button.get_attribute("aria-disabled") == "true"
        assert tab.axe() == []

        assert tab.until(lambda: button.get_attribute("aria-disabled") == "false", budgets.PAGE_DEADLINE)
        generate(tab)
        assert len(tab.loaded(images(tab), budgets.MODELS, WHILE)) == budgets.MODELS


@pytest.mark.further
def test_a_failing_service_is_reported_with_a_reference_and_the_prompt_stays(visit: OpenPage) -> None:
    with visit(answering=True) as tab:
        tab.answer("POST", "/generate", Answered(BROKEN, 500), LIVE)
        prompt = send(tab)
        alert = tab.page.get_by_role("alert")
        assert tab.shows(alert)
        assert "Reference" in alert.inner_text(), alert.inner_text()
        assert tab.page.get_by_label("Prompt", exact=True).input_value() == prompt
        assert tab.axe() == []

        generate(tab)
        assert len(tab.loaded(images(tab), budgets.MODELS, WHILE)) == budgets.MODELS


@pytest.mark.further
def test_an_error_outside_of_any_part_is_reported_and_stops_nothing(visit: OpenPage) -> None:
    with visit() as tab:
        reports = tab.posts("/log")
        assert tab.shows(tab.page.get_by_label("Prompt", exact=True))
        tab.page.evaluate("() => { setTimeout(() => { throw new Error('forced'); }); }")
        assert tab.until(lambda: reports, budgets.PAGE_DEADLINE)
        assert "forced" in (reports[0].request.post_data or "")

        send(tab)
        assert len(tab.loaded(images(tab), budgets.MODELS, WHILE)) == budgets.MODELS


@pytest.mark.further
@pytest.mark.parametrize("path", ["/", "/gallery"])
def test_no_page_is_white_though_its_script_never_comes(visit: OpenPage, path: str) -> None:
    """The first page's words stand at its own address alone, and the way to load the page again comes by itself."""
    with visit(None) as tab:
        tab.page.route(re.compile(r"/assets/index-.*\.js$"), lambda route: route.abort())
        tab.go(path)
        assert tab.shows(tab.page.get_by_text("Pixel Prompt is loading."))
        assert tab.page.get_by_role("navigation").is_visible()
        heading, button = tab.page.get_by_role("heading", level=1), tab.page.get_by_role("button")
        # Until its styles have come there is nothing on the screen, whatever the document says of it.
        assert tab.until(lambda: not button.count(), budgets.PAGE_DEADLINE)
        assert heading.count() == (path == "/")
        assert tab.page.get_by_role("textbox").count() == 0

        assert tab.shows(tab.page.get_by_role("button", name="Load the page again"))
        tab.page.unroute_all()
        button.click()
        assert tab.shows(tab.page.get_by_role("switch", name="Dark theme"))
        assert urlsplit(tab.page.url).path == path


@pytest.mark.further
def test_no_page_is_white_without_javascript(browser: Browser, tmp_path: Path) -> None:
    context = browser.engine.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(browser.site)
        page.screenshot(path=tmp_path / "no-script.png")
        assert "needs JavaScript" in page.locator("noscript p").inner_text()
        assert page.locator("noscript p").is_visible()
        assert page.get_by_role("heading", level=1).is_visible()
        assert not page.get_by_text("is loading").is_visible()
        assert page.get_by_role("button").count() == page.get_by_role("textbox").count() == 0
    finally:
        context.close()


@pytest.mark.further
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "360px"])
def test_axe_is_content_with_every_page_in_both_themes(
    visit: OpenPage, bench: Bench, screen: ViewportSize, tmp_path: Path
) -> None:
    made = api(bench).generate("a harbour at dawn", verification=False).id
    found = []
    with visit(None, screen=screen, phone=screen is PHONE, answering=True) as tab:

        def look(name: str) -> None:
            for dark in (False, True):
                tab.prefer(dark=dark)
                tab.page.screenshot(
                    path=tmp_path / f"{name}-{'dark' if dark else 'light'}.png", full_page=True
                )
                found.extend((name, dark, violation) for violation in tab.axe())
            tab.prefer(dark=False)

        def open_(path: str, sign: str) -> None:
            tab.go(path)
            assert tab.shows(tab.page.locator(sign), budgets.PAGE_DEADLINE), path

        open_("/", "form textarea")
        look("start")
        tab.page.keyboard.press("?")
        assert tab.shows(tab.page.get_by_role("dialog"))
        look("help")
        open_(f"/job/{made}", "main li img")
        look("job")
        open_("/gallery", "main li img")
        look("gallery")
        open_(f"/gallery/{made}", "main li img")
        look("entry")
        tab.page.locator("main li img").first.click()
        assert tab.shows(tab.page.get_by_role("dialog").locator("img"))
        look("large")
        open_("/no-such-page", "main a[href]")
        look("absent")
        tab.answer("GET", "/gallery/list", Answered({"galleries": []}), Answered(BROKEN, 500))
        open_("/gallery", "main a[href]")
        look("empty")
        open_("/gallery", "[role=alert]")
        look("failed")

    assert found == []
