"""readiness/names.py: names are led where an embedded AWS says, and nowhere else."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from readiness import names
from readiness.errors import UsageProblem


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Somebody on loopback; this process's names and proxies are as before in the end."""
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "elsewhere.example")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server
    names.lead("")


def met(listening: socket.socket, name: str, port: int) -> bool:
    """Whether a connection to that name and port arrives there."""

    def take() -> None:
        listening.accept()[0].close()

    arrived = threading.Thread(target=take)
    arrived.start()
    with socket.create_connection((name, port), timeout=5):
        arrived.join(5)
    return not arrived.is_alive()


@pytest.mark.parametrize(("name", "port"), [("a.led.test", 443), ("b.c.led.test", 80), ("LED.test", 443)])
def test_a_domain_and_what_is_below_it_lead_there(listening: socket.socket, name: str, port: int) -> None:
    names.lead(f"led.test=127.0.0.1:{listening.getsockname()[1]}")

    assert met(listening, name, port)
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "elsewhere.example,led.test"


@pytest.mark.parametrize("name", ["other.invalid", "misled.test.invalid", "notled.test"])
def test_other_names_stay_as_they_are(listening: socket.socket, name: str) -> None:
    names.lead(f"led.test=127.0.0.1:{listening.getsockname()[1]}")

    assert socket.getaddrinfo("127.0.0.1", 7)[0][4] == ("127.0.0.1", 7)
    with pytest.raises(OSError, match=r"not known|No address|Temporary failure"):
        socket.getaddrinfo(name, 443)


def test_what_was_led_before_is_forgotten(listening: socket.socket) -> None:
    names.lead(f"led.test=127.0.0.1:{listening.getsockname()[1]}")
    names.lead("")

    assert names.chromium_arguments() == []
    with pytest.raises(OSError):
        socket.getaddrinfo("a.led.test", 443)


def test_chromium_gets_a_rule_for_the_domain(listening: socket.socket) -> None:
    names.lead("led.test=127.0.0.1:20443")

    assert names.chromium_arguments() == [
        "--host-resolver-rules=MAP led.test 127.0.0.1:20443, MAP *.led.test 127.0.0.1:20443"
    ]


@pytest.mark.parametrize(
    "text", ["led.test", "led.test=127.0.0.1", "led.test=10.0.0.1:443", "=127.0.0.1:1", "a b"]
)
def test_what_leads_off_loopback_or_nowhere_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem, match=r"expected domain=127\.0\.0\.1:port"):
        names.lead(text)


def test_only_an_embedded_aws_leads_names() -> None:
    """A report about a real deployment is about where its users get to."""
    said = {names.VARIABLE: "led.test=127.0.0.1:1"}

    assert names.written({}, said) == ""
    assert names.written({}, {**said, "AWS_ENDPOINT_URL": "https://127.0.0.1:2"}) == said[names.VARIABLE]
    assert names.written({"names": "mine.test=127.0.0.1:3"}, said) == "mine.test=127.0.0.1:3"
    assert names.written({"endpoint": "https://127.0.0.1:2"}, said) == ""
