"""Host names with an address of their own, past DNS: the domain of an embedded AWS, which is not in DNS.

They work like lines in /etc/hosts, but for this process alone and with a port. Only an embedded AWS may set them,
because a report about a real deployment has to use the addresses that its users get.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.errors import UsageProblem

VARIABLE = "EMBEDDED_AWS_NAMES"
_FORM = re.compile(r"(?P<domain>[a-z0-9.-]+)=(?P<host>127\.0\.0\.1):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class Led:
    """A domain, and where it and all names below it lead."""

    domain: str
    host: str
    port: int

    def has(self, name: str) -> bool:
        return name.lower() == self.domain or name.lower().endswith(f".{self.domain}")


_led: list[Led] = []
_getaddrinfo = socket.getaddrinfo


def written(state: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """What an embedded AWS says of its names, '' where none answers: its own state, or its shell lines.

    Args:
        state: the embedded AWS that the environment lives on, empty for one that lives on none.
        variables: the environment of the process; its names count only where it leads AWS's clients elsewhere too.
    """
    if state:
        return state.get("names", "")
    return variables.get(VARIABLE, "") if variables.get("AWS_ENDPOINT_URL") else ""


def lead(text: str) -> None:
    """Let this process find `text`'s domain (`domain=127.0.0.1:port`) there, from now on; '' leads nothing.

    Raises:
        UsageProblem: it is written otherwise.
    """
    _led.clear()
    if not text:
        return
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageProblem(
            f"{VARIABLE} is {text!r}, expected domain=127.0.0.1:port; take it from the embedded AWS again: "
            "evaluate the embedded AWS's own shell lines"
        )
    _led.append(Led(found["domain"], found["host"], int(found["port"])))
    socket.getaddrinfo = _resolved
    # A proxy knows the domain as little as DNS does. Whoever reads these prefers the first of them that there is.
    for name in ("no_proxy", "NO_PROXY"):
        hosts = [each for each in os.environ.get(name, "").split(",") if each]
        if found["domain"] not in hosts:
            os.environ[name] = ",".join([*hosts, found["domain"]])


def chromium_arguments() -> Sequence[str]:
    """What a Chromium needs to find the names; it asks no resolver of this process."""
    rules = [f"MAP {name} {led.host}:{led.port}" for led in _led for name in (led.domain, f"*.{led.domain}")]
    return [f"--host-resolver-rules={', '.join(rules)}"] if rules else []


def _resolved(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    led = next((each for each in _led if each.has(name)), None)
    where = (led.host, led.port) if led else (host, port)
    return _getaddrinfo(*where, *arguments, **options)
