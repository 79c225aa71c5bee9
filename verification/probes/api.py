"""The application's HTTP API as a user calls it."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from readiness import budgets as general
from readiness.environment import Environment
from readiness.errors import Unverified
from readiness.ledger import Hold, Ledger
from readiness.probes.http import Answer, exchange
from readiness.progress import waiting
from verification import budgets
from verification.costs import PRICES_OF_RUN

CORRELATION_PREFIX = "verify-"
"""Operators tell the suite's own requests from users' by it."""

_ENDED = ("completed", "partial", "failed")


class NotAccepted(Unverified):
    """`POST /generate` accepted no job. CODE-08 claims that it does; no other item can judge anything then.

    Args:
        answer: to the request.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(
            f"no job to check: expected 202, found {answer!r}",
            cause=f"POST /generate answers {answer.status}",
        )
        self.answer = answer


class NotEnded(Unverified):
    """A job had not ended in time. CODE-09 claims that it ends, and CODE-08 that its status can be read.

    Args:
        job_id: names the job.
        waited: for how many seconds.
        answer: the last one to `GET /status/{jobId}`.
    """

    def __init__(self, job_id: str, waited: float, answer: Answer) -> None:
        super().__init__(f"job {job_id} had not ended after {waited:.0f} s; last answer {answer!r}")
        self.waited, self.answer = waited, answer


@dataclass(frozen=True)
class Job:
    """A job, mostly one that has ended, as `GET /status/{jobId}` tells it; two are equal when it tells the same.

    Args:
        id: names it.
        prompt: what it was made from.
        status: how it ended.
        results: one entry a model.
        done: of how many models it says that they are done, with an image or an error.
        correlation_id: what was sent with the request for it.
        accepted: the answer to that request, None when another request made the job.
        asked: when it was sent, by the verifier's clock.
    """

    id: str
    prompt: str
    status: str
    results: Sequence[Mapping[str, Any]]
    done: int | None = field(default=None, compare=False)
    correlation_id: str = field(default="", compare=False)
    accepted: Answer | None = field(default=None, compare=False, repr=False)
    asked: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False, repr=False)

    @property
    def sample_url(self) -> str:
        """One of its images.

        Raises:
            Unverified: the job left none.
        """
        if not self.image_urls:
            raise Unverified(f"job {self.id} ({self.status}) left no image to check")
        return self.image_urls[0]

    @property
    def painters(self) -> Sequence[str]:
        """The models that made its images.

        Raises:
            Unverified: the job left none.
        """
        if not self.image_urls:
            raise Unverified(f"job {self.id} ({self.status}) left no image to check")
        return [str(result["model"]) for result in self.results if result.get("imageUrl")]

    def plain(self) -> dict[str, Any]:
        """The same as JSON's own types, which cross process borders."""
        accepted = self.accepted.plain() if self.accepted else None
        return {**vars(self), "accepted": accepted, "asked": self.asked.isoformat()}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Job:
        """The inverse of `plain`."""
        accepted = Answer.of(plain["accepted"]) if plain["accepted"] else None
        return cls(**{**plain, "accepted": accepted, "asked": datetime.fromisoformat(plain["asked"])})

    @property
    def rate_limited(self) -> Sequence[str]:
        """The models that made no image because their vendors let no more requests through at the moment."""
        return [
            str(result["model"])
            for result in self.results
            if not result.get("imageUrl") and (result.get("error") or {}).get("code") == "rate_limited"
        ]

    @property
    def image_urls(self) -> Sequence[str]:
        return [result["imageUrl"] for result in self.results if result.get("imageUrl")]


@dataclass(frozen=True)
class Api:
    """Calls the API; every call carries a correlation id of its own."""

    env: Environment = field(repr=False)
    endpoint: str
    ledger: Ledger | None = field(default=None, compare=False, repr=False)
    """The ledger that counts the cost of paid requests; None counts none."""
    admit: Callable[[], object] = field(default=lambda: None, compare=False, repr=False)
    """Raises before a paid request where the API would refuse what the run needs."""
    counted: list[Answer] = field(default_factory=list, init=False, compare=False, repr=False)
    """Answers to requests that the application counted against its limits."""

    def call(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; `json_body` is sent as JSON, `body` as it is."""
        sent = {"X-Correlation-ID": new_correlation_id(), **(headers or {})}
        if json_body is not None:
            body = json.dumps(json_body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = exchange(self.env, method, self.endpoint.rstrip("/") + path, headers=sent, body=body)
        if PRICES_OF_RUN.is_paid(method, path, answer.status):
            self.counted.append(answer)
        if self.ledger:
            self.ledger.met(method, path, answer.status, body)
        return answer

    @contextmanager
    def paying(
        self, what: str, *, models: Sequence[str] = (), enhancements: int = 0
    ) -> Iterator[Hold | None]:
        """Keep the price of paid requests while they are sent.

        Args:
            what: the requests, as the subject of a sentence.
            models: one entry an image.
            enhancements: prompts to enhance.

        Raises:
            BudgetSpent: they would exceed what the run may spend.
            Unverified: the API's own limits leave the run too few requests.
        """
        self.admit()
        if not self.ledger:
            yield None
            return
        with self.ledger.hold(what, models=models, enhancements=enhancements) as hold:
            yield hold

    def models(self) -> Sequence[str]:
        """Every model that a job asks, as the ledger counts them; the API is asked once a run."""
        if not self.ledger:
            return ()
        if not self.ledger.vendors:
            self.ledger.learn(self.vendors())
        return self.ledger.every

    def vendors(self) -> Mapping[str, str]:
        """From each model's id to its vendor; empty where the API does not tell."""
        try:
            models = self.call("GET", "/health").document()["models"]
            return {str(model["id"]): str(model["vendor"]) for model in models}
        except (Unverified, KeyError, TypeError):
            return {}

    def require_no_rate_limit(self, models: Sequence[str]) -> None:
        """Raise Unverified if a rate limit kept models from making images.

        Raises:
            Unverified: there are such models.
        """
        if models:
            vendors = self.vendors()
            who = ", ".join(sorted({vendors.get(model, "unknown") for model in models}))
            raise Unverified(
                f"rate_limited by {who} for {', '.join(models)}, every other image is there; "
                "wait a minute, or have the vendor raise the limit of the key, then run again",
                cause=f"{who} answers rate_limited",
            )

    def recovers(self, path: str, within: timedelta) -> Answer:
        """Return the first answer to a GET other than 429, or the last 429 when the time has passed."""
        started = time.monotonic()
        while True:
            answer = self.call("GET", path)
            late = time.monotonic() - started > within.total_seconds()
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS or late:
                return answer
            time.sleep(random.uniform(0.2, 0.5))  # noqa: S311  # jitter, not a secret

    def generate(self, prompt: str, *, verification: bool = True, models: Sequence[str] = ()) -> Job:
        """Have one prompt turned into images, as `begin` does, and wait until the job has ended.

        Raises:
            NotAccepted: there is no job.
            NotEnded: it did not end in time.
        """
        return self.finish(self.begin(prompt, verification=verification, models=models))

    def begin(self, prompt: str, *, verification: bool = True, models: Sequence[str] = ()) -> Job:
        """Have one prompt turned into images, and wait for nothing.

        Args:
            prompt: what the images show.
            verification: marks the job, so that it is not among those of users.
            models: whom to ask; all when there is none.

        Raises:
            NotAccepted: there is no job.
        """
        asked, correlation_id = datetime.now(UTC), new_correlation_id()
        wish = {"prompt": prompt, "steps": 25, "guidance": 7}
        if verification:
            wish["verification"] = True
        if models:
            wish["models"] = list(models)
        with self.paying("a job", models=models or self.models()) as hold:
            try:
                accepted = self.call(
                    "POST",
                    "/generate",
                    json_body=wish,
                    headers={"X-Correlation-ID": correlation_id},
                )
            except BaseException:
                if hold:
                    hold.keep()
                raise
        if accepted.status != HTTPStatus.ACCEPTED:
            raise NotAccepted(accepted)
        return Job(
            accepted.json()["jobId"],
            prompt,
            "pending",
            (),
            correlation_id=correlation_id,
            accepted=accepted,
            asked=asked,
        )

    def finish(self, begun: Job) -> Job:
        """The same job once it has ended.

        Raises:
            NotEnded: it did not end in time.
        """
        ended = self.wait(begun.id, begun.prompt)
        return replace(ended, correlation_id=begun.correlation_id, accepted=begun.accepted, asked=begun.asked)

    def newest_job(self, *, of_users: bool = False) -> Job:
        """The newest job in the users' gallery, or where that is empty the newest that verified.

        Args:
            of_users: leaves out those that verified.

        Raises:
            Unverified: there is none.
        """
        lists = (False,) if of_users else (False, True)
        pages = (self.call("GET", gallery_path(1, verification=marked)).document() for marked in lists)
        galleries: Sequence[Mapping[str, Any]] = next(filter(None, (page["galleries"] for page in pages)), [])
        if not galleries:
            raise Unverified(
                "the gallery is empty, so there is no image to check; run with --paid, and a --budget that suffices, to make one"
            )
        shown = self.call("GET", f"/gallery/{galleries[0]['id']}").document()
        results = [{"status": "completed", **image} for image in shown["images"]]
        return Job(shown["id"], shown["prompt"], "completed", results)

    @waiting("the gallery to list a job, or to list it no longer")
    def find_gallery(
        self, job_id: str, *, verification: bool, gone: bool = False
    ) -> tuple[Mapping[str, Any] | None, Sequence[Mapping[str, Any]]]:
        """A job's entry in the newest page of galleries, and that page.

        The list is eventually consistent: it is asked until it is as expected or the deadline has passed.

        Args:
            job_id: names the job.
            verification: whether to look among what verified, or among what users made.
            gone: whether the entry is expected not to be there.
        """
        started = time.monotonic()
        path = gallery_path(budgets.GALLERY_PAGE, verification=verification)
        while True:
            page = self.call("GET", path).document()["galleries"]
            found = next((gallery for gallery in page if gallery["id"] == job_id), None)
            late = time.monotonic() - started > general.CONSISTENCY_DEADLINE.total_seconds()
            if late or (found is None) == gone:
                return found, page
            time.sleep(random.uniform(0.2, 0.5))  # noqa: S311  # jitter, not a secret

    def look(self, job_id: str, prompt: str = "") -> Job:
        """A job as it is now, whether or not it has ended.

        Raises:
            Unverified: the API does not return it.
        """
        answer = self.call("GET", f"/status/{job_id}")
        if answer.status != HTTPStatus.OK:
            raise Unverified(
                f"expected the state of job {job_id}, found {answer!r}; read the log of the API function"
            )
        status = answer.document()
        return Job(job_id, prompt, status["status"], status["results"], status.get("completed"))

    @waiting("a job's images")
    def wait(self, job_id: str, prompt: str, deadline: timedelta = budgets.JOB_DEADLINE) -> Job:
        """Poll a job until it has ended, at growing intervals with jitter.

        Raises:
            NotEnded: it did not end in time, or its status could not be read for STATUS_DEADLINE.
        """
        started, pause = time.monotonic(), 0.2
        readable = started
        while True:
            answer = self.call("GET", f"/status/{job_id}")
            status = answer.json() if answer.status == HTTPStatus.OK else {}
            if status.get("status") in _ENDED:
                return Job(job_id, prompt, status["status"], status["results"], status.get("completed"))
            now = time.monotonic()
            if answer.status in (HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS):
                readable = now
            if (
                now - started > deadline.total_seconds()
                or now - readable > budgets.STATUS_DEADLINE.total_seconds()
            ):
                raise NotEnded(job_id, now - started, answer)
            time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
            pause = min(pause * 1.5, 3)


def gallery_path(limit: int, *, verification: bool) -> str:
    """The address of a list's first page: what verified, or what users made."""
    return f"/gallery/list?limit={limit}{'&verification=true' if verification else ''}"


def error_of(answer: Answer) -> Mapping[str, Any]:
    """What a refusal says of itself (`code`, `message`, `correlationId`), empty when it is not shaped like one."""
    content = answer.json()
    error = content.get("error") if isinstance(content, dict) else None
    return error if isinstance(error, dict) else {}


def gateway_event(method: str, path: str) -> Mapping[str, Any]:
    """A request as the gateway hands it to the API function.

    Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.
    """
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"x-correlation-id": new_correlation_id()},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": uuid.uuid4().hex,
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }


def new_correlation_id() -> str:
    """Recognisable and unique."""
    return CORRELATION_PREFIX + uuid.uuid4().hex
