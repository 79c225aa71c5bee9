"""The page in a real browser, as a user with a phone, a slow connection or a screen reader has it.

How it trusts: a browser verifies TLS by the system's authorities and takes no bundle of ours. Where the environment
declares an authority of its own, each host is therefore asked for its certificate first, by a handshake that is
verified with that authority, name and all, and the browser is configured to accept exactly those public keys. No error of
any other certificate is forgiven, and where no authority is declared nothing is.

How it judges: a page that does not do something in time has failed only if it could. Time in which this machine gave
the browser no processor does not count, a page that still waits for an answer is UNVERIFIED, and so is every check
whose browser has ended, or whose own answers did not reach the page.
"""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser as Engine
from playwright.sync_api import (
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Playwright,
    Response,
    StorageState,
    ViewportSize,
    sync_playwright,
)
from playwright.sync_api import TimeoutError as TooLate

from readiness import hindrance, names
from readiness.environment import Environment
from readiness.errors import Unverified
from readiness.probes.wire import Answered, Wire
from verification.application import ROOT
from verification.probes import chromium

DESKTOP = ViewportSize(width=1280, height=800)
_AXE = ROOT / ".tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_PATIENCE = timedelta(seconds=20)
_MOST_PATIENCE = 4  # times what a wait is given, on a machine that gives the browser no processor
_TOO_SHORT = timedelta(milliseconds=50)  # for a wait to be taken up again
_CLEANING = timedelta(seconds=5)  # for the last picture of a tab, and again for closing it
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
    """One tab, with no memory of an earlier one unless it was given that."""

    site: str
    page: Page = field(repr=False)
    wire: Wire = field(repr=False)
    waited: Callable[[], timedelta] = field(repr=False)
    """How long the browser has waited for a processor so far, all of its processes' threads together."""
    complaints: list[str] = field(default_factory=list)
    """What the browser's console calls an error, breaches of the content security policy among them."""
    crashes: list[str] = field(default_factory=list, repr=False)

    def go(self, path: str, *, patience: timedelta = _PATIENCE) -> None:
        """Open one path of the site; the page's own script may still be on its way.

        Raises:
            AssertionError: the site answers with an error.
            Unverified: there is no answer.
        """
        url = urljoin(self.site, path)
        self.wire.forget()
        try:
            answer = self.page.goto(url, wait_until="commit", timeout=patience.total_seconds() * 1000)
        except Error as problem:
            raise Unverified(f"the browser could not open {url}: {_first_line(problem)}") from problem
        if answer and answer.status >= HTTPStatus.BAD_REQUEST:
            raise AssertionError(f"GET {url} -> {answer.status}")

    def shows(self, what: Locator, within: timedelta = _PATIENCE) -> bool:
        """Whether something comes into being on the page, and can be seen.

        Raises:
            Unverified: it does not, and the page may not be the one to blame; see `until`.
        """

        def comes(left: timedelta) -> bool:
            try:
                what.first.wait_for(state="visible", timeout=left.total_seconds() * 1000)
            except TooLate:
                return False
            return True

        return self._in_time(comes, within)

    def loaded(
        self,
        images: Locator,
        count: int,
        within: timedelta,
        hopeless: Callable[[], object] = lambda: False,
    ) -> Sequence[str]:
        """The addresses of those images that have arrived and decoded.

        Ends once there are so many, time is up, the page says that something has failed, or it is hopeless.

        Raises:
            Unverified: time is up, and the page may not be the one to blame; see `until`.
        """
        seen, failure = list[str](), self.page.get_by_role("alert")

        def ended() -> bool:
            nonlocal seen
            for image in images.all()[len(seen) :]:
                image.scroll_into_view_if_needed()  # some are loaded only when they come into sight
            seen = images.evaluate_all(_LOADED)
            return len(seen) >= count or bool(failure.count() or hopeless())

        self.until(ended, within)
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
        """Return whether a condition becomes true in time; the page continues to run meanwhile.

        Time in which the browser waited for a processor is not counted.

        Raises:
            Unverified: it does not, but the page still waits for an answer, or got hardly any processor at all.
        """
        return self._in_time(partial(self._poll, condition), within)

    def measured(self, expression: str, within: timedelta) -> timedelta:
        """How long something took by the page's own clock, in milliseconds; `within` where it is not there by then.

        For claims about time: it is not patient.
        """
        if not self._poll(lambda: self.page.evaluate(expression), within):
            return within
        return timedelta(milliseconds=self.page.evaluate(expression))

    def _poll(self, condition: Callable[[], object], within: timedelta) -> bool:
        started = time.monotonic()
        while not condition():
            if time.monotonic() - started >= within.total_seconds():
                return False
            self.page.wait_for_timeout(50)
        return True

    def _in_time(self, comes: Callable[[timedelta], bool], within: timedelta) -> bool:
        started, before, left = time.monotonic(), self.waited(), within
        while not comes(left):
            spent = timedelta(seconds=time.monotonic() - started)
            lost = self.waited() - before
            left = min(within, within + lost - spent)
            if left < _TOO_SHORT:
                break
            if spent > _MOST_PATIENCE * within:
                raise Unverified(
                    f"after {spent.total_seconds():.0f} s the page had not done what it is waited for, but the browser "
                    "has spent most of them waiting for a processor; run again when the machine is less busy"
                )
        else:
            return True
        if asked := self.wire.waiting():
            raise Unverified(
                f"after {within.total_seconds():.0f} s the page had not done what it is waited for, and still waits for "
                f"an answer: {', '.join(asked[:4])}; run again when that answers"
            )
        return False

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

        Say so before you do what makes the page ask; the visit has to be one with `answering`.

        Args:
            method: other methods go to the API itself.
            path: what the address ends in, without its query.
            answers: `LIVE` among them lets a request through to the API.
        """
        self.wire.answer(method, path, answers)

    def memory(self) -> StorageState:
        """What the site keeps in this browser, for a later visit that begins with it."""
        return self.page.context.storage_state()

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
        """Return the violations that axe finds in the page's present state.

        Raises:
            Unverified: axe is not installed, or found nothing to check.
        """
        if not _AXE.is_file():
            raise Unverified("axe-core is not in .tools/node; run ./scripts/setup.sh")
        if not self._whole().evaluate("() => 'axe' in window"):
            self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        result = self.page.evaluate(_AXE_RUN)
        if not result["looked"]:
            raise Unverified(f"axe had nothing to check on {self.page.url}")
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
        return self.page.screenshot(type="jpeg", quality=_QUALITY, timeout=_CLEANING.total_seconds() * 1000)


@dataclass(frozen=True)
class _Running:
    """A driver and the browser that it has started, which is one process and its children."""

    driver: Playwright
    engine: Engine
    process: int
    kind: str

    def stop(self) -> None:
        with suppress(Error), self.within(_CLEANING):
            self.engine.close()
        with suppress(Error):
            self.driver.stop()

    @contextmanager
    def within(self, patience: timedelta) -> Iterator[None]:
        """End the browser if what is asked of it here takes longer: nothing else makes a call return that hangs."""
        timer = threading.Timer(patience.total_seconds(), self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        # The number of a process that has ended may be another's by now.
        if self.engine.is_connected():
            with suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)


class Browser:
    """A browser for all visits of a run; one that has ended is replaced at the next visit.

    Args:
        site: where visits begin.
        launch: starts a browser.
        waited: how long a process and its descendants have waited for a processor.
        met: receives each request that the network answered; see Wire.
    """

    def __init__(
        self,
        site: str,
        launch: Callable[[], _Running],
        waited: Callable[[int], timedelta] = hindrance.waited,
        met: Callable[[str, str, int, str | None], None] = lambda *_: None,
    ) -> None:
        self.site = site
        self._waited = waited
        self._met = met
        self._launch = launch
        self._running = launch()

    @property
    def engine(self) -> Engine:
        """The browser as Playwright knows it, which runs.

        Raises:
            Unverified: it had ended, and does not start again.
        """
        if not self._running.engine.is_connected():
            self._running.stop()
            self._running = self._launch()
        return self._running.engine

    @property
    def kind(self) -> str:
        """Which browser it is, and of whom."""
        return self._running.kind

    @property
    def process(self) -> int:
        """The process id of the browser that runs, or ran last."""
        return self._running.process

    def close(self) -> None:
        self._running.stop()

    @contextmanager
    def visit(
        self,
        path: str | None = "/",
        *,
        screen: ViewportSize = DESKTOP,
        phone: bool = False,
        answering: bool = False,
        memory: StorageState | None = None,
        keep: Callable[[str, bytes], None] = lambda _name, _picture: None,
    ) -> Iterator[Visit]:
        """Open the site in a tab of its own.

        Args:
            path: where to begin; None opens nothing yet.
            screen: in CSS pixels.
            phone: whether it has a touch screen and says that it is a phone.
            answering: whether the check answers some requests in the API's stead. Only then is anything intercepted;
                the browser then keeps no cache and asks the API for no CORS preflight.
            memory: what an earlier visit left in the browser.
            keep: is given what was on the screen at the end, under a name.

        Raises:
            Unverified: the browser ended during the check, or the network answered a request that the check meant to
                answer. It replaces any result of the check.
        """
        engine = self.engine
        running = self._running
        try:
            with running.within(_PATIENCE):
                context = engine.new_context(
                    viewport=screen,
                    is_mobile=phone,
                    has_touch=phone,
                    color_scheme="light",
                    reduced_motion="reduce",
                    locale="en-US",
                    storage_state=memory,
                    service_workers="block" if answering else "allow",  # one would ask past the route
                )
                wire = Wire(context, answering=answering, met=self._met)
                visit = Visit(self.site, context.new_page(), wire, partial(self._waited, running.process))
        except Error as problem:
            raise Unverified(f"the browser opened no tab: {_first_line(problem)}; run again") from problem

        visit.page.on("crash", lambda page: visit.crashes.append(page.url))
        name = f"{screen['width']} px"
        try:
            try:
                with _complaining(visit):
                    if path is not None:
                        visit.go(path)
                    yield visit
            except Exception as problem:
                _keep_picture(visit, name, keep)
                if spoilt := self._spoilt(visit):
                    raise Unverified(f"{spoilt}. The check itself had come to: {problem}") from problem
                raise
            _keep_picture(visit, name, keep)
            if spoilt := self._spoilt(visit):
                raise Unverified(spoilt)
        finally:
            with suppress(Error), running.within(_CLEANING):
                context.close()

    def _spoilt(self, visit: Visit) -> str:
        """Why nothing that was seen in a visit counts; empty when it does."""
        if visit.wire.strays:
            return (
                f"the check meant to answer {visit.wire.strays[0]} in the API's stead, and it went to the network, so "
                "the page showed something else than the check looks for; run again"
            )
        if not self._running.engine.is_connected():
            return (
                "the browser ended while the check looked; the next check starts another, run this one again"
            )
        if visit.crashes:
            return f"the browser's tab crashed at {visit.crashes[0]}; run again"
        return ""


@contextmanager
def _complaining(visit: Visit) -> Iterator[None]:
    """Note what the console says while the check looks; what closing the tab causes is not a finding."""

    def said(line: ConsoleMessage) -> None:
        if line.type == "error":
            visit.complaints.append(line.text)

    def raised(problem: Error) -> None:
        visit.complaints.append(str(problem))

    visit.page.on("console", said)
    visit.page.on("pageerror", raised)
    try:
        yield
    finally:
        visit.page.remove_listener("console", said)
        visit.page.remove_listener("pageerror", raised)


def _keep_picture(visit: Visit, name: str, keep: Callable[[str, bytes], None]) -> None:
    """Evidence that cannot be had, of a page that hung for one, must not take a verdict's place."""
    with suppress(Error):
        keep(f"{urlsplit(visit.page.url).path} {name}", visit.picture())


@contextmanager
def started(
    env: Environment,
    site: str,
    others: Iterable[str] = (),
    waited: Callable[[int], timedelta] = hindrance.waited,
    met: Callable[[str, str, int, str | None], None] = lambda *_: None,
) -> Iterator[Browser]:
    """Start the browser of this machine.

    Args:
        env: says whose certificates to trust.
        site: where the page is.
        others: further addresses that the page talks to.
        waited: how long a process and its descendants have waited for a processor.
        met: receives each request that the network answered; see Wire.

    Raises:
        Unverified: there is no browser, or it does not start.
    """
    found = chromium.find()
    arguments = list(names.chromium_arguments())
    if keys := trusted_keys(env, [site, *others]):
        arguments.append(f"--ignore-certificate-errors-spki-list={','.join(sorted(keys))}")
    browser = Browser(site, partial(_launch, found, arguments), waited, met)
    try:
        yield browser
    finally:
        browser.close()


def _launch(found: chromium.Chromium, arguments: Sequence[str]) -> _Running:
    driver = sync_playwright().start()
    try:
        engine = driver.chromium.launch(
            executable_path=found.path,
            args=list(arguments),
            env={**os.environ, **found.variables},
            chromium_sandbox=os.geteuid() != 0,  # Chromium refuses to be root inside its own
        )
        about = engine.new_browser_cdp_session()
        (process,) = (
            one["id"]
            for one in about.send("SystemInfo.getProcessInfo")["processInfo"]
            if one["type"] == "browser"
        )
        about.detach()
    except Error as problem:
        driver.stop()
        raise Unverified(f"{found} at {found.path} does not start: {_first_line(problem)}") from problem
    except BaseException:
        driver.stop()
        raise
    return _Running(driver, engine, process, f"{found}, {engine.version}")


def _first_line(problem: Error) -> str:
    return problem.message.strip().splitlines()[0]


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
