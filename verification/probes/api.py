"""The application's HTTP API as a user calls it."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from verification import budgets
from verification.environment import Environment
from verification.errors import Unverified
from verification.probes.http import Answer, exchange

CORRELATION_PREFIX = "verify-"
"""Operators tell the suite's own requests from users' by it."""

_ENDED = ("completed", "partial", "failed")


@dataclass(frozen=True)
class Job:
    """A job that has ended, as `GET /status/{jobId}` tells it."""

    id: str
    prompt: str
    status: str
    results: Sequence[Mapping[str, Any]]

    @property
    def image_urls(self) -> Sequence[str]:
        return [result["imageUrl"] for result in self.results if result.get("imageUrl")]


@dataclass(frozen=True)
class Api:
    """Calls the API; every call carries a correlation id of its own."""

    env: Environment = field(repr=False)
    endpoint: str

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
        return exchange(self.env, method, self.endpoint.rstrip("/") + path, headers=sent, body=body)

    def generate(self, prompt: str) -> Job:
        """Have one prompt turned into images, and wait until the job has ended.

        Raises:
            Unverified: the job was not accepted, or did not end before the caller's patience did.
        """
        accepted = self.call("POST", "/generate", json_body={"prompt": prompt, "steps": 25, "guidance": 7})
        if accepted.status != HTTPStatus.ACCEPTED:
            raise Unverified(f"no job to look at: expected 202, got {accepted!r}")
        return self.wait(accepted.json()["jobId"], prompt)

    def wait(self, job_id: str, prompt: str, deadline: timedelta = budgets.JOB_DEADLINE) -> Job:
        """Poll a job until it has ended, at growing intervals with jitter."""
        started, pause = time.monotonic(), 0.2
        while True:
            answer = self.call("GET", f"/status/{job_id}")
            status = answer.json() if answer.status == HTTPStatus.OK else {}
            if status.get("status") in _ENDED:
                return Job(job_id, prompt, status["status"], status["results"])
            waited = time.monotonic() - started
            if waited > deadline.total_seconds():
                raise Unverified(f"job {job_id} had not ended after {waited:.0f} s; last answer {answer!r}")
            time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
            pause = min(pause * 1.5, 3)


def new_correlation_id() -> str:
    """Recognisable and unique."""
    return CORRELATION_PREFIX + uuid.uuid4().hex
