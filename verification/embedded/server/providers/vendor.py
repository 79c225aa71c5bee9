"""What every vendor that speaks plain HTTP has in common: keys, faults, counters, delivery of images."""

import asyncio
import json
import secrets
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from . import keys, pictures
from .ledger import (
    GENERATION_FAULTS,
    REQUEST_FAULTS,
    Account,
    Fault,
    Ledger,
    Stored,
    digest,
)
from .wire import Answer, Delivery, Request

SLOWNESS_SECONDS = 3.0
RETRY_AFTER_SECONDS = 2

WRONG_BODIES = (
    b"this is text, not an image\n",
    b"<!doctype html><html><head><title>Bad gateway</title></head><body>Bad gateway</body></html>\n",
)
GARBAGE = Answer(200, b'\x00\x9f{"data": [<<<\xff\xfe truncated', outcome=Fault.GARBAGE)


class RefusalError(Exception):
    """The vendor's answer to a request that it does not serve."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.outcome}")
        self.answer = answer if answer.outcome != "ok" else answer.named("refused")


def refuse(answer: Answer) -> NoReturn:
    """Raise the answer as a RefusalError."""
    raise RefusalError(answer)


@dataclass(frozen=True, slots=True)
class Plan:
    """One generation that the vendor has agreed to.

    Attributes:
        fault: ``wrong_type``, ``slow`` or None; ``moderated`` never gets this far.
    """

    model: str
    prompt: str
    fault: Fault | None


def wrong_body(prompt: str) -> bytes:
    """Bytes that are no image, text for one prompt and HTML for the next."""
    return WRONG_BODIES[int(digest(prompt)[0], 16) % 2]


class Vendor(ABC):
    """A vendor's API.

    A subclass routes requests; this class decides whether they get that far.

    Attributes:
        name: as in the control's paths and in the shapes of keys.
        hosts: where the API is.
        delivery_hosts: where the URLs of its images point.
    """

    name: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    delivery_hosts: ClassVar[tuple[str, ...]] = ()
    url_lifetime_seconds: ClassVar[float] = 3600.0

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @property
    def account(self) -> Account:
        """This vendor's memory."""
        return self.ledger[self.name]

    async def handle(self, request: Request) -> Answer:
        """Answer one request and count it."""
        if request.host in self.delivery_hosts:
            return self._deliver(request)
        self.account.calls += 1
        self.account.paths[f"{request.method} {self.template(request.path)}"] += 1
        try:
            answer = await self._admit(request)
        except RefusalError as refusal:
            answer = refusal.answer
        self.account.outcomes[answer.outcome] += 1
        return answer

    async def _admit(self, request: Request) -> Answer:
        if self.account.take({Fault.UNAUTHORIZED}):
            return self.unauthorized_fault().named(Fault.UNAUTHORIZED)
        self._authenticate(request)
        await asyncio.sleep(self.account.latency_ms / 1000)
        fault = self.account.take(REQUEST_FAULTS)
        return await self.route(request) if fault is None else self._faulty(fault)

    def _faulty(self, fault: Fault) -> Answer:
        if fault is Fault.RATE_LIMITED:
            answer = self.rate_limited()
        elif fault is Fault.SERVER_ERROR:
            answer = self.server_error()
        else:
            ways = {Fault.TIMEOUT: Delivery.NEVER, Fault.RESET: Delivery.CUT}
            answer = GARBAGE.delivered(ways.get(fault, Delivery.WHOLE))
        return answer.named(fault)

    def _authenticate(self, request: Request) -> None:
        key = self.key(request)
        if key is None or not keys.well_formed(self.name, key) or not self.account.accepts(key):
            refuse(self.unauthorized(key).named("unauthorized"))

    async def plan(self, model: str, prompt: str) -> Plan:
        """Agree to a generation: note the prompt, suffer the faults that belong to generations.

        Raises:
            RefusalError: the vendor's content filter is set to refuse.
        """
        self.account.prompts.append(digest(prompt))
        fault = self.account.take(GENERATION_FAULTS)
        if fault is Fault.MODERATED:
            refuse(self.moderated(model).named(Fault.MODERATED))
        if fault is Fault.SLOW:
            await asyncio.sleep(SLOWNESS_SECONDS)
        return Plan(model, prompt, fault)

    def picture(
        self,
        plan: Plan,
        kind: pictures.Format,
        width: int,
        height: int,
        *traits: object,
    ) -> bytes:
        """Return the image of a plan, or a body of another type under ``wrong_type``."""
        self.account.paid += 1
        if plan.fault is Fault.WRONG_TYPE:
            return wrong_body(plan.prompt)
        return pictures.draw(kind, width, height, plan.model, plan.prompt, *traits)

    @staticmethod
    def outcome(plan: Plan) -> str:
        """What the counters call a served plan."""
        return plan.fault.value if plan.fault else "ok"

    def publish(self, body: bytes, media_type: str, path: str, query: str = "") -> str:
        """Put an image behind a URL on the delivery host and return the URL."""
        host = self.delivery_hosts[0]
        self.ledger.store(
            f"{host}{path}",
            Stored(body, media_type, time.time() + self.url_lifetime_seconds),
        )
        return f"https://{host}{path}{'?' if query else ''}{query}"

    def _deliver(self, request: Request) -> Answer:
        stored = self.ledger.objects.get(f"{request.host}{request.path}")
        if request.method not in ("GET", "HEAD"):
            return Answer(405, b"", "application/xml", (("allow", "GET, HEAD"),))
        if stored is None:
            return Answer(404, b"<Error><Code>BlobNotFound</Code></Error>", "application/xml")
        if stored.expires < time.time():
            return Answer(
                403,
                b"<Error><Code>AuthenticationFailed</Code></Error>",
                "application/xml",
            )
        body = stored.body if request.method == "GET" else b""
        return Answer(200, body, stored.media_type)

    @staticmethod
    def token(size: int = 16) -> str:
        """A random identifier in hexadecimal."""
        return secrets.token_hex(size)

    def template(self, path: str) -> str:
        """The path as the counters show it, without identifiers."""
        return path

    @abstractmethod
    def key(self, request: Request) -> str | None:
        """The API key that the request carries."""

    @abstractmethod
    def unauthorized(self, key: str | None) -> Answer:
        """The answer to a missing (None) or invalid key."""

    def unauthorized_fault(self) -> Answer:
        """The answer under the fault of that name; the same as to an invalid key, if that is a 401."""
        return self.unauthorized("")

    @abstractmethod
    def rate_limited(self) -> Answer:
        """The answer to too many requests."""

    @abstractmethod
    def server_error(self) -> Answer:
        """The answer when the vendor fails."""

    @abstractmethod
    def moderated(self, model: str) -> Answer:
        """The answer to a prompt that the content filter refuses."""

    @abstractmethod
    async def route(self, request: Request) -> Answer:
        """Serve an authenticated request.

        Raises:
            RefusalError: the vendor would refuse it.
        """


def parse_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body, or None when it holds anything else; non-finite numbers are no JSON."""
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def is_integer(value: object) -> bool:
    """Whether a JSON value is a whole number (true and false are not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a JSON value is a number (true and false are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
