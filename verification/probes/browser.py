"""The page in a real browser, as somebody with a phone, a bad line or a screen reader has it.

How it trusts: a browser verifies TLS by the system's authorities and takes no bundle of ours. Where the environment
declares an authority of its own, each host is therefore asked for its certificate first, by a handshake that is
verified with that authority, name and all, and the browser is told to take exactly those public keys. No error of
any other certificate is forgiven, and where no authority is declared nothing is.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser as Engine
from playwright.sync_api import (
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Response,
    Route,
    ViewportSize,
    sync_playwright,
)
from playwright.sync_api import TimeoutError as TooLate

from verification import names
from verification.environment import ROOT, Environment
from verification.errors import Unverified
from verification.probes import chromium

DESKTOP = ViewportSize(width=1280, height=800)
_AXE = ROOT / ".tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_PATIENCE = timedelta(seconds=20)
_QUALITY = 60  # of the JPEG that is kept as evidence

# Everything that a finger aims at, unless it is out of sight on purpose (skip links wait above the page).
_TARGETS = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [role=button], [role=switch], [role=link], [tabindex="0"]')]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e) => ({ box: e.getBoundingClientRect(), what:
    `${e.tagName.toLowerCase()} ${(e.getAttribute('aria-label') || e.innerText || e.name || '').trim().slice(0, 40)}` }))
  .filter(({ box }) => box.bottom + scrollY > 0 && box.right > 0)
  .map(({ box, what }) => ({ what, left: box.left, right: box.right, width: box.width, height: box.height }))"""

_OVERFLOW = """() => {
  const root = document.scrollingElement ?? document.documentElement;
  const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
  const names = wide.slice(0, 4).map((e) => e.tagName.toLowerCase() + (e.className && `.${e.className}`));
  return { width: root.scrollWidth, seen: root.clientWidth, names };
}"""

_AXE_RUN = """async () => {
  const { violations, passes } = await axe.run(document, { resultTypes: ['violations'] });
  return { looked: passes.length, found: violations.map(({ id, impact, help, nodes }) =>
    ({ id, impact, help, where: nodes.slice(0, 3).map((n) => n.target.join(' ')) })) };
}"""

_LOADED = "(images) => images.filter((i) => i.complete && i.naturalWidth > 0).map((i) => i.src)"


@dataclass(frozen=True)
class Answered:
    """What the page is answered in the API's stead; `after` holds it back, None never answers."""

    document: Any = None
    status: int = HTTPStatus.OK
    after: timedelta | None = timedelta()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """Something to press, in CSS pixels."""

    what: str
    left: float
    right: float
    width: float
    height: float

    def __repr__(self) -> str:
        return f"<{self.what}: {self.width:.0f} x {self.height:.0f} px, from {self.left:.0f} to {self.right:.0f}>"


@dataclass(frozen=True)
class Violation:
    """One rule of axe that the page breaks."""

    rule: str
    impact: str
    where: str

    def __repr__(self) -> str:
        return f"<{self.impact} {self.rule} at {self.where}>"


@dataclass(frozen=True)
class Visit:
    """One tab, with no memory of an earlier one."""

    site: str
    page: Page = field(repr=False)
    complaints: list[str] = field(default_factory=list)
    """What the browser's console calls an error, breaches of the content security policy among them."""

    def go(self, path: str, *, patience: timedelta = _PATIENCE) -> None:
        """Open one path of the site; the page's own script may still be on its way.

        Raises:
            AssertionError: the site answers with an error.
            Unverified: nobody answers.
        """
        url = urljoin(self.site, path)
        try:
            answer = self.page.goto(url, wait_until="commit", timeout=patience.total_seconds() * 1000)
        except Error as problem:
            raise Unverified(
                f"the browser could not open {url}: {problem.message.splitlines()[0]}"
            ) from problem
        if answer and answer.status >= HTTPStatus.BAD_REQUEST:
            raise AssertionError(f"GET {url} -> {answer.status}")

    def shows(self, what: Locator, within: timedelta = _PATIENCE) -> bool:
        """Whether something comes into being on the page, and can be seen."""
        try:
            what.first.wait_for(state="visible", timeout=within.total_seconds() * 1000)
        except TooLate:
            return False
        return True

    def loaded(
        self,
        images: Locator,
        count: int,
        within: timedelta,
        hopeless: Callable[[], object] = lambda: False,
    ) -> Sequence[str]:
        """The addresses of those images that have arrived and decoded.

        Ends once there are so many, time is up, the page says that something has failed, or it is hopeless.
        """
        seen, failure = list[str](), self.page.get_by_role("alert")
        until = time.monotonic() + within.total_seconds()
        while len(seen) < count and time.monotonic() < until and not failure.count() and not hopeless():
            for image in images.all()[len(seen) :]:
                image.scroll_into_view_if_needed()  # some are loaded only when they come into sight
            self.page.wait_for_timeout(100)
            seen = images.evaluate_all(_LOADED)
        return seen

    def posts(self, path: str) -> list[Response]:
        """The answers to what the page posts to one path of the API from now on, as they come."""
        answers: list[Response] = []

        def note(answer: Response) -> None:
            if answer.request.method == "POST" and urlsplit(answer.url).path.endswith(path):
                answers.append(answer)

        self.page.on("response", note)
        return answers

    def until(self, condition: Callable[[], object], within: timedelta) -> bool:
        """Whether something comes true in time; the page goes on meanwhile."""
        started = time.monotonic()
        while not condition() and time.monotonic() - started < within.total_seconds():
            self.page.wait_for_timeout(50)
        return bool(condition())

    def prefer(self, *, dark: bool) -> None:
        """Change the colours that the system prefers, as evening does."""
        self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")

    def throttle(self, *, kbit_per_second: int, round_trip: timedelta) -> None:
        """Make the line slow, in both directions."""
        bytes_per_second = kbit_per_second * 1000 / 8
        self._network(latency=round_trip.total_seconds() * 1000, throughput=bytes_per_second, offline=False)

    def _network(self, *, latency: float, throughput: float, offline: bool) -> None:
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.enable")
        conditions = {
            "offline": offline,
            "latency": latency,
            "downloadThroughput": throughput,
            "uploadThroughput": throughput,
        }
        session.send("Network.emulateNetworkConditions", conditions)

    def answer(self, method: str, path: str, *answers: Answered) -> None:
        """Answer the page's requests for one path of the API here, one after the other; the last again and again.

        Args:
            method: other methods go to the API itself.
            path: what the address ends in, without its query.
            answers: `LIVE` among them lets a request through to the API.
        """
        left = list(answers)

        def reply(route: Route) -> None:
            if route.request.method != method:
                route.fallback()
                return
            answered = left.pop(0) if len(left) > 1 else left[0]
            if answered is LIVE:
                route.fallback()
            elif answered.after is not None:
                self.page.wait_for_timeout(answered.after.total_seconds() * 1000)
                route.fulfill(status=answered.status, headers=dict(answered.headers), json=answered.document)

        self.page.route(lambda url: urlsplit(url).path.endswith(path), reply)

    def targets(self) -> Sequence[Target]:
        """Everything on the page that can be pressed."""
        return [Target(**found) for found in self._whole().evaluate(_TARGETS)]

    def overflow(self) -> str:
        """How far the page reaches beyond its screen sideways, and by what; empty when it does not."""
        found = self._whole().evaluate(_OVERFLOW)
        if found["width"] <= found["seen"]:
            return ""
        return f"{found['width']} px wide on a screen of {found['seen']} px: {', '.join(found['names'])}"

    def axe(self) -> Sequence[Violation]:
        """What axe finds wrong with the page as it stands.

        Raises:
            Unverified: axe is not installed, or found nothing that it could look at.
        """
        if not _AXE.is_file():
            raise Unverified("axe-core is not in .tools/node; run ./scripts/setup.sh")
        if not self._whole().evaluate("() => 'axe' in window"):
            self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        result = self.page.evaluate(_AXE_RUN)
        if not result["looked"]:
            raise Unverified(f"axe had nothing to look at on {self.page.url}")
        return [
            Violation(found["id"], found["impact"], f"{', '.join(found['where'])}: {found['help']}")
            for found in result["found"]
        ]

    def _whole(self) -> Page:
        """The page once its document has arrived, for half a document has half its faults."""
        self.page.wait_for_load_state("domcontentloaded")
        return self.page

    def picture(self) -> bytes:
        """What is on the screen, as JPEG."""
        return self.page.screenshot(type="jpeg", quality=_QUALITY, timeout=_PATIENCE.total_seconds() * 1000)


LIVE = Answered()
"""Leaves a request to the API itself."""


@dataclass(frozen=True)
class Browser:
    """A browser that has been started, for all visits of a run."""

    site: str
    engine: Engine = field(repr=False)
    kind: str

    @contextmanager
    def visit(
        self,
        path: str | None = "/",
        *,
        screen: ViewportSize = DESKTOP,
        phone: bool = False,
        keep: Callable[[str, bytes], None] = lambda _name, _picture: None,
    ) -> Iterator[Visit]:
        """Open the site in a tab of its own.

        Args:
            path: where to begin; None opens nothing yet.
            screen: in CSS pixels.
            phone: whether it has a touch screen and says that it is a phone.
            keep: is given what was on the screen at the end, under a name.
        """
        context = self.engine.new_context(
            viewport=screen,
            is_mobile=phone,
            has_touch=phone,
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-US",
        )
        visit = Visit(self.site, context.new_page())

        def note(line: ConsoleMessage) -> None:
            if line.type == "error":
                visit.complaints.append(line.text)

        visit.page.on("console", note)
        visit.page.on("pageerror", lambda problem: visit.complaints.append(str(problem)))
        try:
            if path is not None:
                visit.go(path)
            try:
                yield visit
            finally:
                # Evidence that cannot be had, of a page that hung for one, must not take a verdict's place.
                with suppress(Error):
                    keep(f"{urlsplit(visit.page.url).path} {screen['width']} px", visit.picture())
        finally:
            context.close()


@contextmanager
def started(env: Environment, site: str, others: Iterable[str] = ()) -> Iterator[Browser]:
    """Start the browser of this machine.

    Args:
        env: says whose certificates to trust.
        site: where the page is.
        others: further addresses that the page talks to.

    Raises:
        Unverified: there is no browser, or it does not start.
    """
    found = chromium.find()
    arguments = list(names.chromium_arguments())
    if keys := trusted_keys(env, [site, *others]):
        arguments.append(f"--ignore-certificate-errors-spki-list={','.join(sorted(keys))}")
    with sync_playwright() as playwright:
        try:
            engine = playwright.chromium.launch(
                executable_path=found.path,
                args=arguments,
                env={**os.environ, **found.variables},
                chromium_sandbox=os.geteuid() != 0,  # Chromium refuses to be root inside its own
            )
        except Error as problem:
            first = problem.message.strip().splitlines()[0]
            raise Unverified(f"{found} at {found.path} does not start: {first}") from problem
        try:
            yield Browser(site, engine, f"{found}, {engine.version}")
        finally:
            engine.close()


def trusted_keys(env: Environment, urls: Iterable[str]) -> frozenset[str]:
    """The public keys of those hosts, as Chromium names them, where the environment has an authority of its own.

    A host that the authority does not vouch for is left out, and the browser judges it as any other.
    """
    bundle = env.ca_bundle or os.environ.get("AWS_CA_BUNDLE")
    if not bundle:
        return frozenset()
    context = ssl.create_default_context(cafile=bundle)
    keys = (_key_of(context, url) for url in urls if urlsplit(url).scheme == "https")
    return frozenset(key for key in keys if key)


def _key_of(context: ssl.SSLContext, url: str) -> str | None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=5) as connection,
            context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            certificate = secured.getpeercert(binary_form=True) or b""
    except OSError:
        return None
    key = x509.load_der_x509_certificate(certificate).public_key()
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()
