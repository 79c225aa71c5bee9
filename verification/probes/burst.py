"""More requests at once than one client would send."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from verification.probes.api import Api
from verification.probes.http import Answer
from verification.progress import waiting


@dataclass(frozen=True)
class Burst:
    """What a burst of requests was answered; `elapsed` runs from the first request to the last answer."""

    elapsed: timedelta
    answers: tuple[Answer, ...] = field(repr=False)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.answers) / self.elapsed.total_seconds()

    @property
    def refused(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status == HTTPStatus.TOO_MANY_REQUESTS]


@waiting("a burst of requests to be answered")
def burst(api: Api, path: str, *, requests: int, connections: int) -> Burst:
    """Send GET requests as fast as so many connections can, once each of them is open and has woken the function.

    Raises:
        Unverified: a request was not answered at all.
    """
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda _: api.call("GET", path), range(connections)))
        started = time.monotonic()
        answers = tuple(pool.map(lambda _: api.call("GET", path), range(requests)))
        return Burst(timedelta(seconds=time.monotonic() - started), answers)
