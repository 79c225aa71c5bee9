"""Switches that make the embedded AWS misbehave, so that a check can be seen to notice.

``GET /_embedded/switches`` tells which are on; ``PUT`` and ``DELETE /_embedded/switches/{name}`` turn one on and off.
The main port's listener is loopback alone.
"""

from __future__ import annotations

import json
import time
from enum import StrEnum
from http import HTTPStatus

from verification.embedded.server.context import App, Receive, Scope, Send, read_body

ROOT = "/_embedded/switches"


class Switch(StrEnum):
    """What can be made to go wrong."""

    SLOW_HITS = "slow-hits"  # an edge takes its time over what it has
    DEAF_EDGES = "deaf-edges"  # invalidations are accepted and ignored
    OPEN_GATEWAY = "open-gateway"  # throttles are configured and not enforced
    REFUSING_GATEWAY = "refusing-gateway"  # a throttle that has refused once refuses for good


_on: dict[Switch, float] = {}


def is_on(switch: Switch) -> bool:
    """Tell whether a switch is on."""
    return switch in _on


def on_since(switch: Switch) -> float | None:
    """Return when a switch was turned on, in seconds of the monotonic clock, or None while it is off."""
    return _on.get(switch)


def reset() -> None:
    """Turn all of them off."""
    _on.clear()


class Switches:
    """ASGI middleware; it passes every path but its own to the app behind it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn a switch, or pass the request on."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{ROOT}/"):
            await self._app(scope, receive, send)
            return
        await read_body(receive)
        status, answer = _turn(scope["method"], scope["path"].removeprefix(ROOT).strip("/"))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def _turn(method: str, name: str) -> tuple[HTTPStatus, dict[str, object]]:
    if name and name not in set(Switch):
        return HTTPStatus.NOT_FOUND, {"error": f"no switch {name!r}; known: {', '.join(Switch)}"}
    if name and method == "PUT":
        _on.setdefault(Switch(name), time.monotonic())
    elif name and method == "DELETE":
        _on.pop(Switch(name), None)
    elif name or method != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED, {"error": f"{method} is not for this path"}
    return HTTPStatus.OK, {"on": sorted(_on)}
