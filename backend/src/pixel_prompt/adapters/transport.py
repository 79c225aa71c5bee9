"""HTTPS to the vendors: time-outs on everything, few and patient retries, one way to fail.

Only what surely did no work is tried again: a connection that was never made, 429, and server errors. A
request whose answer got lost may have been paid for, so it is not repeated.
"""

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, Protocol

import urllib3

ATTEMPTS: Final = 3
BASE_DELAY_SECONDS: Final = 0.5
MAX_DELAY_SECONDS: Final = 20.0
CONNECT_SECONDS: Final = 5.0
# How long a vendor may keep silent: before it answers that it has taken, or before it answers with an image.
QUICK_SECONDS: Final = 20.0
READ_SECONDS: Final[Mapping[str, float]] = {
    "openai": 180.0,  # its guide: a complex prompt takes up to two minutes
    "google": 120.0,  # 15 to 40 s were seen
    "bedrock": 60.0,  # 3 s were seen
    "bfl": QUICK_SECONDS,  # it takes the request at once; the image is polled for
    "recraft": 90.0,  # not published
    "stability": 90.0,  # not published
}
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
USER_AGENT: Final = "pixel-prompt/1.0"
_CHUNK_BYTES: Final = 64 * 1024
# What a refusal's status means. No credit left (402) and a retired model (404) are the operator's to mend.
_CODES: Final[Mapping[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.PAYMENT_REQUIRED: "unavailable",
    HTTPStatus.FORBIDDEN: "unauthorized",
    HTTPStatus.NOT_FOUND: "unavailable",
    HTTPStatus.REQUEST_TIMEOUT: "timeout",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
}
# The statuses that vendors give to a prompt that they moderate.
_REFUSALS: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)


class VendorError(Exception):
    """A vendor yields no image.

    Attributes:
        code: one of the codes of jobs.MESSAGES.
        status: the HTTP status behind it, if there was an answer.
        cause: what the operator has to know beyond the code, if the vendor says so: ``not_served`` (the model has
            ended, or there is none of this name), ``legacy`` (it has, for this account), ``not_subscribed`` (access
            to it has to be asked for), ``not_verified`` (the vendor wants to know who owns the key).
    """

    def __init__(self, code: str, status: int | None = None, cause: str | None = None) -> None:
        super().__init__(code if status is None else f"{code} (status {status})")
        self.code: Final = code
        self.status: Final = status
        self.cause: Final = cause


class NotSent(Exception):
    """The request never reached the vendor."""


class AnswerLost(Exception):
    """The vendor may have worked on the request, but its answer did not arrive whole."""


class TooSlow(AnswerLost):
    """The answer did not arrive in time."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock."""

    at: float
    monotonic: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> "Deadline":
        """The moment this many seconds from now."""
        return cls(monotonic() + seconds, monotonic)

    @property
    def remaining(self) -> float:
        """Seconds until then; negative afterwards."""
        return self.at - self.monotonic()


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``timeout`` is how long to wait for the next bytes, in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout: float = QUICK_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Header names are in lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            VendorError: it is none.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise VendorError("invalid_response", self.status) from None

    def text(self) -> str:
        """The body as text, for looking for an error's name in it."""
        return self.body.decode("utf-8", "replace")


class Wire(Protocol):
    """Sends one request, once."""

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """Send it and read the whole answer.

        Raises:
            NotSent: no connection.
            AnswerLost: the connection broke off; TooSlow: nothing came in time.
        """
        ...


class HttpsWire:
    """urllib3 with Python's default trust, so that the system decides which certificates count.

    Redirects are not followed: they would carry the key to another host.
    """

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(
            num_pools=16, maxsize=4, ssl_context=ssl.create_default_context(), retries=False
        )

    def close(self) -> None:
        """Close the connections that are kept open, if any was made."""
        if "_pool" in vars(self):
            self._pool.clear()

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """See Wire."""
        if not call.url.startswith("https://"):
            raise NotSent("only https is spoken")
        timeout = urllib3.Timeout(
            connect=max(0.1, min(CONNECT_SECONDS, deadline.remaining)),
            read=max(0.1, min(call.timeout, deadline.remaining)),
        )
        try:
            response = self._pool.request(
                call.method,
                call.url,
                body=call.body,
                headers={"User-Agent": USER_AGENT, **call.headers},
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.ReadTimeoutError:
            raise TooSlow from None
        except urllib3.exceptions.ProtocolError:
            raise AnswerLost from None
        except (urllib3.exceptions.HTTPError, OSError):
            raise NotSent from None
        try:
            body = self._read(response, deadline)
        except urllib3.exceptions.ReadTimeoutError:
            response.close()
            raise TooSlow from None
        except (urllib3.exceptions.HTTPError, OSError):
            response.close()
            raise AnswerLost from None
        response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        if headers.get("content-length", str(len(body))) != str(len(body)) and call.method != "HEAD":
            raise AnswerLost
        return Answer(int(response.status), body, headers)

    @staticmethod
    def _read(response: Any, deadline: Deadline) -> bytes:
        """The body; a vendor that sends it drop by drop, or without end, is given up."""
        chunks: list[bytes] = []
        size = 0
        for chunk in response.stream(_CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if deadline.remaining <= 0:
                response.close()
                raise TooSlow
            if size > MAX_ANSWER_BYTES:
                response.close()
                raise AnswerLost
        return b"".join(chunks)


class Caller:
    """Calls a vendor, tries again where that helps, and turns every failure into a VendorError."""

    def __init__(
        self,
        wire: Wire,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._wire = wire
        self._sleep = sleep
        self._jitter = jitter
        self._now = now

    def call(self, call: Call, deadline: Deadline) -> Answer:
        """The vendor's answer, whatever its status, except 429 and server errors.

        Raises:
            VendorError: rate_limited, unavailable or timeout, after up to three attempts.
        """
        failure = VendorError("timeout")
        for attempt in range(ATTEMPTS):
            if deadline.remaining <= 0:
                raise VendorError("timeout")
            wait: float | None = None
            try:
                answer = self._wire.send(call, deadline)
            except TooSlow:
                raise VendorError("timeout") from None
            except AnswerLost:
                failure = VendorError("unavailable")
                if call.method != "GET":
                    raise failure from None
            except NotSent:
                failure = VendorError("unavailable")
            else:
                if not _worth_another_try(answer.status):
                    return answer
                failure = VendorError(_code_of(answer.status), answer.status)
                wait = retry_after(answer.headers.get("retry-after"), self._now())
            if attempt + 1 < ATTEMPTS and not self._pause(attempt, wait, deadline):
                break
        raise failure

    def pause(self, seconds: float, deadline: Deadline) -> None:
        """Wait between two polls.

        Raises:
            VendorError: timeout; the deadline comes first.
        """
        if seconds >= deadline.remaining:
            raise VendorError("timeout")
        self._sleep(seconds)

    def _pause(self, attempt: int, wait: float | None, deadline: Deadline) -> bool:
        """Wait before the next attempt; False when there is no time for one.

        The wait is drawn from the whole range up to an exponential bound ("full jitter"), so that clients
        which failed together do not come back together.
        """
        delay = self._jitter(0, min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2**attempt))
        if wait is not None:
            if wait > MAX_DELAY_SECONDS:
                return False
            delay += wait
        if delay >= deadline.remaining:
            return False
        self._sleep(delay)
        return True


def longest(read_seconds: float) -> float:
    """Seconds that one call may take with its retries, when every attempt is as slow as it may be."""
    pauses = (
        min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * (1 << n)) + MAX_DELAY_SECONDS for n in range(ATTEMPTS - 1)
    )
    return ATTEMPTS * (CONNECT_SECONDS + read_seconds) + sum(pauses)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for; None when there is none that can be read."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())


def expect_success(answer: Answer, moderation_marks: tuple[str, ...] = ()) -> Answer:
    """The answer, if it is one of success.

    Args:
        answer: what the vendor said.
        moderation_marks: texts that, in the body of a refusal, mean that the prompt was moderated.

    Raises:
        VendorError: what the status means.
    """
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return answer
    text = answer.text().lower()
    if answer.status in _REFUSALS and any(mark in text for mark in moderation_marks):
        raise VendorError("moderated", answer.status)
    raise VendorError(_code_of(answer.status), answer.status)


def _worth_another_try(status: int) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _code_of(status: int) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "unavailable"
    return _CODES.get(status, "rejected")
