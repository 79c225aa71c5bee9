"""More requests at once than one client would send."""

from __future__ import annotations

import math
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from readiness.probes.http import Answer
from readiness.progress import waiting
from verification.probes.api import Api

_LOOKS = 3  # at the way there and back


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
def burst(api: Api, path: str, *, requests: int, rounds: int, rate: int, connections: range) -> Burst:
    """Send GET requests as fast as its connections can, once each of them is open and has woken the function.

    Args:
        api: what is asked.
        path: for what.
        requests: how many in one round.
        rounds: at most so many, one after the other, until an answer is not 200: a machine that sends slowly exceeds a
            limit only after a while.
        rate: requests a second that should be reached; how many connections that takes, the way there and back says.
        connections: how many there may be.

    Raises:
        Unverified: a request was not answered at all.
    """
    api.call("GET", path)
    one = min(api.call("GET", path).elapsed for _ in range(_LOOKS)).total_seconds()
    number = min(max(math.ceil(rate * one), connections[0]), connections[-1])
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(lambda _: api.call("GET", path), range(number)))
        started = time.monotonic()
        answers: list[Answer] = []
        for _ in range(rounds):
            answers += pool.map(lambda _: api.call("GET", path), range(requests))
            sent = Burst(timedelta(seconds=time.monotonic() - started), tuple(answers))
            if sent.statuses.keys() != {HTTPStatus.OK}:
                break
        return sent
