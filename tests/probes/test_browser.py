"""verification/probes/browser.py"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from datetime import timedelta

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.probes.server import Reply, StubServer
from verification.environment import Environment, Settings
from verification.errors import Unverified
from verification.probes.browser import LIVE, Answered, started, trusted_keys

HEAD = "<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>t</title>"
SOON = timedelta(milliseconds=300)
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
    with started(unmanaged(bundle), site.url, [trusted.url, stranger.url]) as one:
        yield one


def unmanaged(bundle=None):
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return Environment(Settings("staging", "some-stack", "us-east-1"), session, ca_bundle=bundle)


def test_pictures_of_what_was_seen_are_kept(site, browser) -> None:
    site.answer = lambda request: page("<h1>here</h1>")
    kept = {}
    with browser.visit("/some/where", keep=kept.__setitem__) as visit:
        assert visit.shows(visit.page.locator("h1"), SOON)
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
        visit.shows(visit.page.locator("h1"), SOON)

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


def test_the_api_is_answered_for_one_method_and_path_in_turn(site, browser) -> None:
    site.answer = lambda request: Reply.json("live") if request.path.startswith("/api") else page("")
    ask = "async (method) => (await (await fetch('/api/status?a=1', { method })).json())"
    with browser.visit("/") as visit:
        visit.answer("GET", "/api/status", Answered("first", after=SOON), LIVE)
        said = [visit.page.evaluate(ask, method) for method in ("POST", "GET", "GET", "GET")]

    assert said == ["live", "first", "live", "live"]


def test_images_count_once_they_have_decoded(site, browser) -> None:
    site.answer = lambda request: page(f"<img src='{PIXEL}'><img src='{PIXEL}'><img src='data:image/gif,no'>")
    with browser.visit("/") as visit:
        images = visit.page.locator("img")
        assert visit.loaded(images, 2, SOON) == [PIXEL, PIXEL]
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
