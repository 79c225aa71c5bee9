"""The vendors' hosts behind one ASGI app."""

from . import bfl, google, openai, recraft, stability
from .ledger import Ledger
from .vendor import Vendor
from .wire import Answer, BodyTooLargeError, Receive, Scope, Send, read_request, send_answer

_CLASSES: tuple[type[Vendor], ...] = (
    openai.OpenAI,
    google.Google,
    bfl.BFL,
    recraft.Recraft,
    stability.Stability,
)

HOSTS: tuple[str, ...] = tuple(
    host for vendor in _CLASSES for host in (*vendor.hosts, *vendor.delivery_hosts)
)
"""Every host name that a client may dial: the APIs, then the hosts of the image URLs."""


class Vendors:
    """ASGI app that chooses the vendor by the Host header."""

    def __init__(self, ledger: Ledger) -> None:
        self._by_host: dict[str, Vendor] = {}
        for make in _CLASSES:
            vendor = make(ledger)
            for host in (*vendor.hosts, *vendor.delivery_hosts):
                self._by_host[host] = vendor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; lifespan events are acknowledged, other protocols are refused."""
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the vendors speak HTTP, not {scope['type']}")
        try:
            request = await read_request(scope, receive)
        except BodyTooLargeError:
            await send_answer(Answer(413, b"Payload Too Large\n", "text/plain"), receive, send)
            return
        except ConnectionError:
            return
        vendor = self._by_host.get(request.host)
        if vendor is None:
            text = f"no vendor is simulated at {request.host!r}; known: {', '.join(sorted(self._by_host))}\n"
            await send_answer(Answer(421, text.encode(), "text/plain"), receive, send)
            return
        await send_answer(await vendor.handle(request), receive, send)
