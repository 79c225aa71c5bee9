"""The health check is patient up to its deadline, and believes nothing but this environment's own answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from verification.deployment.health import Fetch, Unhealthy, wait_until_healthy, wait_until_published

HEALTHY = (200, json.dumps({"status": "ok", "environment": "dev"}).encode())


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def answering(*answers: tuple[int, bytes] | OSError) -> Fetch:
    left: Iterator[tuple[int, bytes] | OSError] = iter(answers)
    last = answers[-1]

    def fetch(url: str, timeout: float) -> tuple[int, bytes]:
        assert url == "https://api.example/health"
        assert timeout >= 1
        answer = next(left, last)
        if isinstance(answer, OSError):
            raise answer
        return answer

    return fetch


def ask(fetch: Fetch, clock: Clock, deadline_s: float = 60.0) -> dict[str, Any]:
    return wait_until_healthy(
        "https://api.example/", "dev", fetch, deadline_s=deadline_s, clock=clock, pause=clock.pause
    )


def test_healthy_at_once_waits_for_nothing() -> None:
    clock = Clock()

    assert ask(answering(HEALTHY), clock)["status"] == "ok"
    assert clock.pauses == []


def test_grows_more_patient_with_a_young_api() -> None:
    clock = Clock()
    ask(answering(OSError("refused"), (403, b"{}"), (503, b"busy"), (200, b"<html>"), HEALTHY), clock)

    assert clock.pauses == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("answer", "last"),
    [
        ((503, b"busy"), "HTTP 503 busy"),
        ((200, b"<html>"), "HTTP 200 without JSON: <html>"),
        ((200, b"[]"), "HTTP 200 from another environment"),
        ((200, b'{"environment": "prod"}'), "HTTP 200 from another environment"),
        (OSError("connection refused"), "OSError: connection refused"),
    ],
)
def test_gives_up_at_the_deadline_with_the_last_answer(
    answer: tuple[int, bytes] | OSError, last: str
) -> None:
    clock = Clock()
    with pytest.raises(Unhealthy, match="is not healthy after 11 attempts in 60 s") as gave_up:
        ask(answering(answer), clock)

    assert last in str(gave_up.value)
    assert clock.now <= 60


PAGE = (200, b'<script src="/assets/new-12345678.js"></script>')
OLD = (200, b'<script src="/assets/old-12345678.js"></script>')


def see(clock: Clock, *answers: tuple[int, bytes]) -> None:
    left = iter(answers)

    def fetch(url: str, timeout: float) -> tuple[int, bytes]:
        assert (url, timeout >= 1) == ("https://page.example/", True)
        return next(left, answers[-1])

    wait_until_published(
        "https://page.example",
        ["assets/new-12345678.js"],
        fetch,
        deadline_s=20,
        clock=clock,
        pause=clock.pause,
    )


def test_waits_until_the_edges_have_the_new_page() -> None:
    clock = Clock()

    see(clock, (404, b"none yet"), OLD, PAGE)

    assert len(clock.pauses) == 2


def test_an_old_page_is_not_the_one_that_was_published() -> None:
    with pytest.raises(Unhealthy, match=r"with a page that does not name assets/new-12345678\.js"):
        see(Clock(), OLD)
