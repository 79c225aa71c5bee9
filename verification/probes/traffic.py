"""One user who asks again and again while something else happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from readiness.errors import Unverified
from verification import budgets
from verification.probes.api import Api


@dataclass(frozen=True)
class Traffic:
    """What was answered so far."""

    answered: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@contextmanager
def traffic(api: Api) -> Iterator[Traffic]:
    """Ask `/health` for as long as the context lasts, one request after the other, less and less often.

    Raises:
        Unverified: no request was answered or refused.
    """
    seen, over, started = Traffic(), threading.Event(), time.monotonic()

    def ask() -> None:
        while not over.wait(pause(timedelta(seconds=time.monotonic() - started)).total_seconds()):
            try:
                answer = api.call("GET", "/health")
            except Unverified as problem:
                seen.failed.append(str(problem))
                continue
            (seen.answered if answer.status == HTTPStatus.OK else seen.failed).append(repr(answer))

    user = threading.Thread(target=ask, daemon=True)
    user.start()
    try:
        yield seen
    finally:
        over.set()
        user.join()
    if not (seen.answered or seen.failed):
        raise Unverified("it ended before the first request")


def pause(elapsed: timedelta) -> timedelta:
    """How long to wait for the next request: an item's allowance has to last for a drill of any length."""
    longer = elapsed / budgets.TRAFFIC_SLOWDOWN
    return min(max(longer, budgets.TRAFFIC_PAUSE), budgets.TRAFFIC_LONGEST_PAUSE)
