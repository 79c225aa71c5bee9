"""verification/probes/browser.py"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import signal
import ssl
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Error

from readiness.environment import Environment, Settings
from readiness.errors import Unverified
from readiness.probes.wire import LIVE, Answered
from tests.probes.server import Reply, StubServer
from verification.probes.browser import started, trusted_keys

HEAD = "<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>t</title>"
SOON = timedelta(milliseconds=300)
PATIENT = timedelta(seconds=20)
PHONE = {"width": 360, "height": 640}
PIXEL = (
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # one transparent point
)


def page(body: str, **headers: str) -> Reply:
    return Reply(body=f"{HEAD}<main>{body}</main>".encode(), headers={"Content-Type": "text/html", **headers})


@pytest.fixture(scope="module")
def site():
    stub = StubServer()
    yield stub
    stub.close()


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """Servers that show certificates of two authorities; each with the file that vouches for it."""
    made = [_secured(tmp_path_factory.mktemp("tls")) for _ in range(2)]
    yield made
    for stub, _ in made:
        stub.close()


@pytest.fixture(scope="module")
def browser(site, secured):
    (trusted, bundle), (stranger, _) = secured
    # Nothing was in its way, whatever else this machine does: waits end when their time is up.
    with started(unmanaged(bundle), site.url, [trusted.url, stranger.url], lambda _: timedelta()) as one:
        yield one


def unmanaged(bundle=None):
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return Environment(Settings("staging", "some-stack", "us-east-1"), session, ca_bundle=bundle)


def test_pictures_of_what_was_seen_are_kept(site, browser) -> None:
    site.answer = lambda request: page("<h1>here</h1>")
    kept = {}
    with browser.visit("/some/where", keep=kept.__setitem__) as visit:
        assert visit.shows(visit.page.locator("h1"), PATIENT)
        assert not visit.shows(visit.page.locator("h2"), SOON)

    ((name, picture),) = kept.items()
    assert (name, picture[:3]) == ("/some/where 1280 px", b"\xff\xd8\xff")


def test_a_page_that_is_an_error_is_a_failure_and_no_answer_is_none(site, browser) -> None:
    site.answer = lambda request: Reply(status=503)
    with browser.visit(None) as visit:
        with pytest.raises(AssertionError, match="/gone -> 503"):
            visit.go("/gone")
        site.answer = lambda request: None
        with pytest.raises(Unverified, match="could not open"):
            visit.go("/silent", patience=SOON)


def test_a_picture_that_cannot_be_taken_spoils_no_verdict(browser) -> None:
    kept = {}

    def find_out() -> None:
        with browser.visit(None, keep=kept.__setitem__) as visit:
            visit.page.close()
            raise Unverified("what was found")

    with pytest.raises(Unverified, match="what was found"):
        find_out()
    assert kept == {}


def test_errors_of_scripts_and_breaches_of_the_policy_are_noted(site, browser) -> None:
    policy = {"Content-Security-Policy": "img-src 'none'"}
    site.answer = lambda request: page(f"<img src='{PIXEL}'><script>throw Error('oops')</script>", **policy)
    with browser.visit("/") as visit:
        assert visit.until(lambda: len(visit.complaints) > 1, PATIENT)

    assert any("oops" in line for line in visit.complaints)
    assert any("Content Security Policy" in line for line in visit.complaints)


def test_what_reaches_beyond_a_phone_is_named_and_small_targets_are_measured(site, browser) -> None:
    site.answer = lambda request: page(
        "<div class=wide style='width:400px'>x</div><button style='width:20px;height:30px;padding:0' aria-label=Go></button>"
        "<a href=# style='position:absolute;top:-99px'>Skip</a><a href=# hidden>Gone</a>"
    )
    with browser.visit("/", screen=PHONE, phone=True) as visit:
        (target,) = visit.targets()
        assert "div.wide" in visit.overflow()

    assert (target.what, target.width, target.height) == ("button Go", 20, 30)


def test_a_page_that_fits_does_not_overflow(site, browser) -> None:
    site.answer = lambda request: page("<p>fits</p>")
    with browser.visit("/", screen=PHONE, phone=True) as visit:
        assert visit.overflow() == ""


def test_images_count_once_they_have_decoded(site, browser) -> None:
    site.answer = lambda request: page(f"<img src='{PIXEL}'><img src='{PIXEL}'><img src='data:image/gif,no'>")
    with browser.visit("/") as visit:
        images = visit.page.locator("img")
        assert visit.loaded(images, 2, PATIENT) == [PIXEL, PIXEL]
        assert len(visit.loaded(images, 3, SOON)) == 2


def test_a_slow_line_is_slow(site, browser) -> None:
    site.answer = lambda request: page("<p>" + "x" * 20_000 + "</p>")
    with browser.visit(None) as visit:
        visit.throttle(kbit_per_second=400, round_trip=timedelta(milliseconds=400))
        visit.go("/")
        visit.page.wait_for_load_state()
        took = visit.page.evaluate("() => performance.getEntriesByType('navigation')[0].responseEnd")

    assert took > 700  # 160 kbit at 400 kbit/s, and one trip


def test_axe_names_what_is_wrong_in_the_theme_that_is_on(site, browser) -> None:
    site.answer = lambda request: page(
        "<style>@media (prefers-color-scheme: dark) { p { color: #333; background: #222 } }</style>"
        "<h1>here</h1><p>text</p><button></button>"
    )
    with browser.visit("/") as visit:
        light = {violation.rule for violation in visit.axe() if violation.impact in ("serious", "critical")}
        visit.prefer(dark=True)
        dark = {violation.rule for violation in visit.axe() if violation.impact in ("serious", "critical")}

    assert (light, dark) == ({"button-name"}, {"button-name", "color-contrast"})


# Answers in the API's stead

API = "/api/status"
ASK = f"async (method) => (await (await fetch('{API}?a=1', {{ method }})).json())"


@pytest.fixture
def api(site):
    """The site says `live` whenever its API is asked."""
    site.answer = lambda request: (
        Reply.json("live") if request.path.startswith("/api") else page("<h1>here</h1>")
    )
    site.asked.clear()
    return site


@contextmanager
def answering(browser, answer, path="/"):
    with browser.visit(None, answering=True) as visit:
        visit.answer("GET", API, answer)
        visit.go(path)
        yield visit


def test_the_api_is_answered_for_one_method_and_path_in_turn(api, browser) -> None:
    with browser.visit("/", answering=True) as visit:
        visit.answer("GET", API, Answered("first", after=SOON), LIVE)
        said = [visit.page.evaluate(ASK, method) for method in ("POST", "GET", "GET", "GET")]

    assert said == ["live", "first", "live", "live"]


def test_a_request_that_the_page_makes_while_it_loads_is_answered(api, browser) -> None:
    script = f"<script>fetch('{API}').then((r) => r.json()).then((said) => document.title = said)</script>"
    api.answer = lambda request: page(script)
    with answering(browser, Answered("here")) as visit:
        assert visit.until(lambda: visit.page.title() == "here", PATIENT)

    assert [request.path for request in api.asked if request.path.startswith("/api")] == []


def test_a_held_back_answer_holds_nothing_else_back(api, browser) -> None:
    with answering(browser, Answered("late", after=timedelta(seconds=2))) as visit:
        visit.answer("GET", "/api/other", Answered("soon"))
        order = visit.page.evaluate(f"""async () => {{
            const order = [];
            const ask = async (path) => order.push(await (await fetch(path)).json());
            await Promise.all([ask('{API}'), ask('/api/other'), ask('/api/live')]);
            return order;
        }}""")

    assert sorted(order[:2]) == ["live", "soon"]
    assert order[2] == "late"


def test_what_is_never_answered_delays_no_other_request(api, browser) -> None:
    with answering(browser, Answered(after=None)) as visit:
        visit.page.evaluate(f"() => void fetch('{API}')")
        assert not visit.shows(visit.page.locator("h2"), SOON)


def test_another_answer_takes_the_place_of_an_earlier_one(api, browser) -> None:
    with answering(browser, Answered("one")) as visit:
        first = visit.page.evaluate(ASK, "GET")
        visit.answer("GET", API, Answered("two"))
        assert (first, visit.page.evaluate(ASK, "GET")) == ("one", "two")


def test_a_request_that_reaches_the_network_after_all_makes_the_check_unverified(api, browser) -> None:
    def look() -> None:
        with answering(browser, Answered("here")) as visit:
            # As an interception does that comes late: the browser hands the request to the network.
            visit.page.route("**/api/**", lambda route: route.continue_())
            assert visit.page.evaluate(ASK, "GET") == "here", "the page shows something else"

    with pytest.raises(
        Unverified, match=rf"meant to answer GET .*{API}.*run again.*page shows something else"
    ):
        look()


def test_so_it_is_though_the_check_found_nothing_wrong(api, browser) -> None:
    def look() -> None:
        with answering(browser, Answered("here")) as visit:
            visit.page.route("**/api/**", lambda route: route.continue_())
            visit.page.evaluate(ASK, "GET")

    with pytest.raises(Unverified, match="it went to the network"):
        look()


def test_so_it_is_when_a_redirect_leads_to_what_is_answered(api, browser) -> None:
    def reply(request):
        if request.path == "/api/old":
            return Reply(status=302, headers={"Location": API})
        return Reply.json("live") if request.path == API else page("")

    def look() -> None:
        with answering(browser, Answered("here")) as visit:
            assert visit.page.evaluate("async () => (await (await fetch('/api/old')).json())") == "here"

    api.answer = reply
    with pytest.raises(Unverified, match="it went to the network"):
        look()


def test_so_it_is_for_a_websocket(api, browser) -> None:
    def look() -> None:
        with answering(browser, Answered("here")) as visit:
            ends = "new Promise((over) => Object.assign(new WebSocket(url), { onopen: over, onerror: over }))"
            visit.page.evaluate(f"async (url) => void await {ends}", f"ws{api.url.removeprefix('http')}{API}")

    with pytest.raises(Unverified, match="a WebSocket"):
        look()


def test_a_request_that_the_network_fails_is_none_of_the_answers(api, browser) -> None:
    def look() -> None:
        with answering(browser, Answered("here")) as visit:
            visit.page.route("**/api/**", lambda route: route.abort("connectionrefused"))
            visit.page.evaluate(f"() => fetch('{API}').catch(() => 'failed')")

    with pytest.raises(Unverified, match="CONNECTION_REFUSED"):
        look()


def test_what_the_pages_own_policy_blocks_has_been_to_no_network(api, browser) -> None:
    api.answer = lambda request: page("", **{"Content-Security-Policy": "connect-src 'none'"})
    with answering(browser, Answered("here")) as visit:
        assert visit.page.evaluate(f"() => fetch('{API}').catch(() => 'blocked')") == "blocked"


def test_an_answer_that_comes_after_its_request_is_a_mistake_of_the_check(api, browser) -> None:
    def look() -> None:
        with browser.visit("/", answering=True) as visit:
            visit.page.evaluate(f"() => void fetch('{API}')")
            assert visit.until(lambda: any(request.path == API for request in api.asked), PATIENT)
            visit.answer("GET", API, Answered("too late"))

    api.answer = lambda request: None if request.path == API else page("")
    with pytest.raises(Unverified, match=rf"had already sent GET .*{API}"):
        look()


def test_only_a_visit_that_says_so_answers(api, browser) -> None:
    with browser.visit("/") as visit, pytest.raises(ValueError, match="answering=True"):
        visit.answer("GET", API, Answered("here"))


def test_a_page_cannot_ask_past_the_answers_by_a_service_worker(api, browser) -> None:
    worker = "self.onfetch = (e) => e.respondWith(fetch(e.request)); self.onactivate = () => clients.claim();"

    def reply(request):
        if request.path == "/worker.js":
            return Reply(body=worker.encode(), headers={"Content-Type": "text/javascript"})
        return Reply.json("live") if request.path == API else page("")

    api.answer = reply
    controlled = """() => {
        navigator.serviceWorker.register('/worker.js').catch(() => {});
        const soon = new Promise((over) => setTimeout(over, 300));
        return Promise.race([soon, new Promise((over) => { navigator.serviceWorker.oncontrollerchange = over; })])
            .then(() => Boolean(navigator.serviceWorker.controller));
    }"""
    with answering(browser, Answered("here")) as visit:
        assert not visit.page.evaluate(controlled)
        assert visit.page.evaluate(ASK, "GET") == "here"


def test_without_answers_the_api_itself_allows_other_origins(api, browser, secured) -> None:
    """An interception answers preflights by itself, so that a page whose requests are refused would seem to work."""
    (other, _), _ = secured
    ask = "(url) => fetch(url, { headers: { 'X-Own': '1' } }).then(() => 'allowed', () => 'refused')"
    with browser.visit("/") as visit:
        assert visit.page.evaluate(ask, f"{other.url}/api") == "refused"
    assert "OPTIONS" in {request.method for request in other.asked}


# Whose fault it is that nothing comes


def test_a_page_that_waits_for_the_network_has_not_failed(api, browser) -> None:
    api.answer = lambda request: None if request.path == API else page("")
    with browser.visit("/") as visit:
        visit.page.evaluate(f"() => void fetch('{API}')")
        with pytest.raises(Unverified, match=rf"waits for an answer: GET .*{API}"):
            visit.shows(visit.page.locator("h1"), SOON)
        visit.go("/other")  # what the page before it asked is nobody's business any more
        assert not visit.shows(visit.page.locator("h1"), SOON)


def test_time_without_a_processor_does_not_count(api, browser) -> None:
    later = "() => void setTimeout(() => { document.body.innerHTML = '<h2>late</h2>'; }, 1500)"
    clock = count()
    with browser.visit("/") as visit:
        hindered = replace(visit, waited=lambda: next(clock) * timedelta(seconds=1))
        visit.page.evaluate(later)
        assert hindered.shows(visit.page.locator("h2"), timedelta(seconds=1))


def test_a_machine_that_gives_hardly_any_processor_proves_nothing(api, browser) -> None:
    clock = count()
    with browser.visit("/") as visit:
        hindered = replace(visit, waited=lambda: next(clock) * timedelta(seconds=1))
        with pytest.raises(Unverified, match="waiting for a processor"):
            hindered.until(lambda: False, SOON)


def test_a_measured_duration_is_the_pages_own(api, browser) -> None:
    with browser.visit("/") as visit:
        assert visit.measured("() => 250", SOON) == timedelta(milliseconds=250)
        assert visit.measured("() => window.never", SOON) == SOON


# A browser that ends


def test_a_check_whose_browser_ends_is_unverified_and_the_next_has_another(api, browser) -> None:
    def look() -> None:
        with browser.visit("/") as visit:
            os.kill(browser.process, signal.SIGKILL)
            with suppress(Error):
                visit.page.wait_for_timeout(5000)
            raise AssertionError("the page is empty")

    before = browser.process
    with pytest.raises(Unverified, match=r"the browser ended.*page is empty"):
        look()
    with browser.visit("/") as visit:
        assert visit.shows(visit.page.locator("h1"), PATIENT)
    assert browser.process != before


def test_a_check_whose_tab_crashes_is_unverified(api, browser) -> None:
    def look() -> None:
        with browser.visit("/") as visit:
            # Under load, Chromium may lose a visit to that address, so another one follows.
            for _ in range(4):
                if visit.crashes:
                    break
                with suppress(Error), visit.page.expect_event("crash", timeout=40_000), suppress(Error):
                    visit.page.goto("chrome://crash")
            assert visit.page.locator("h1").count(), "the page is empty"

    with pytest.raises(Unverified, match="crashed"):
        look()
    with browser.visit("/") as visit:
        assert visit.shows(visit.page.locator("h1"), PATIENT)


def test_a_browser_that_hangs_does_not_delay_the_end(api, browser) -> None:
    def look() -> None:
        with browser.visit("/"):
            os.kill(browser.process, signal.SIGSTOP)
            raise AssertionError("what was seen")

    with pytest.raises(AssertionError, match="what was seen"):
        look()
    with browser.visit("/") as visit:
        assert visit.shows(visit.page.locator("h1"), PATIENT)


def test_an_interrupted_check_takes_no_picture(api, browser) -> None:
    kept = {}

    def look() -> None:
        with browser.visit("/", keep=kept.__setitem__):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look()
    assert kept == {}


# Trust


def test_a_host_is_trusted_by_the_declared_authority_alone(browser, secured, site) -> None:
    (trusted, bundle), (stranger, _) = secured
    with browser.visit(None) as visit:
        visit.go(f"{trusted.url}/")
        assert visit.shows(visit.page.get_by_role("heading", name="secured"))
        with pytest.raises(Unverified, match="CERT"):
            visit.go(f"{stranger.url}/")

    assert len(trusted_keys(unmanaged(bundle), [site.url, trusted.url, stranger.url])) == 1


def _secured(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "bundle.pem").write_bytes(public)
    (folder / "server.pem").write_bytes(public + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    stub = StubServer(context)
    stub.answer = lambda request: page("<h1>secured</h1>")
    return stub, str(folder / "bundle.pem")
