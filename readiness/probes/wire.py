"""The network requests of a page, and the answers that replace the network's.

A tab with answered requests has one route, which is set before its first page and stays to its end. The answers come
from a table. An interception that is switched on for an open page takes effect some time later, and the requests before
that go to the network. See docs/adr/0020-answers-in-the-apis-stead.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Error, Request, Response, Route, WebSocket

from readiness.errors import Unverified


@dataclass(frozen=True)
class Answered:
    """What the page is answered in the API's stead; `after` holds it back, None never answers."""

    document: Any = None
    status: int = HTTPStatus.OK
    after: timedelta | None = timedelta()
    headers: Mapping[str, str] = field(default_factory=dict)


LIVE = Answered()
"""Leaves a request to the API itself."""


class Wire:
    """The requests of one tab.

    Args:
        context: the tab's context, which has no page yet.
        answering: whether a check may answer requests. If not, requests are not intercepted. If so, the browser keeps no
            cache, and the interception answers every CORS preflight.
        met: is called for each request that the network answered, with its method and path, the status, and the body.
    """

    def __init__(
        self,
        context: BrowserContext,
        *,
        answering: bool,
        met: Callable[[str, str, int, str | None], None] = lambda *_: None,
    ) -> None:
        self._context = context
        self._met = met
        self._answering = answering
        self._table: dict[tuple[str, str], list[Answered]] = {}
        self._under_way: dict[Request, None] = {}
        self._answered: set[Request] = set()
        self._unanswered: set[Request] = set()
        self._let_through: set[Request] = set()
        self.strays: list[str] = []
        """What the check meant to answer, and the network did."""
        context.on("page", lambda page: page.on("websocket", self._connected))
        context.on("request", self._began)
        context.on("response", self._responded)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._failed)
        if answering:
            context.route("**/*", self._decide)

    def answer(self, method: str, path: str, answers: Sequence[Answered]) -> None:
        """Answer the requests of one method to what ends in `path`, one after the other; the last again and again.

        Raises:
            Unverified: such a request is under way to the network: it was sent before there was an answer for it.
            ValueError: this tab is not one that answers.
        """
        if not self._answering:
            raise ValueError(f"{method} {path} cannot be answered: open the visit with answering=True")
        sent = [
            request
            for request in self._under_way
            if request in self._let_through and _meant(request.method, request.url, method, path)
        ]
        if sent:
            raise Unverified(
                f"the page had already sent {_name(sent[0])} when the check came to answer it; "
                "the check has to say its answers before it does what makes the page ask"
            )
        self._table[method, path] = list(answers)

    def waiting(self) -> list[str]:
        """What the page has asked for and has not got yet, but for what the check never answers."""
        return [_name(request) for request in self._under_way if request not in self._unanswered]

    def forget(self) -> None:
        """Forget the open requests, which belong to a page that the tab leaves."""
        self._under_way.clear()

    def _decide(self, route: Route) -> None:
        request = route.request
        left = self._answers(request.method, request.url)
        answer = (left.pop(0) if len(left) > 1 else left[0]) if left else LIVE
        if answer is LIVE:
            self._let_through.add(request)
        else:
            self._answered.add(request)
        try:
            if answer is LIVE:
                route.fallback()
            elif answer.after is None:
                self._unanswered.add(request)
            else:
                if answer.after:  # each handler runs by itself, so that no other request waits meanwhile
                    self._context.pages[0].wait_for_timeout(answer.after.total_seconds() * 1000)
                route.fulfill(status=answer.status, headers=dict(answer.headers), json=answer.document)
        except Error as problem:
            if request in self._under_way:
                self.strays.append(f"{_name(request)} (no answer could be given: {problem.message})")

    def _answers(self, method: str, url: str) -> list[Answered]:
        found = [left for key, left in self._table.items() if _meant(method, url, *key)]
        return found[-1] if found else []

    def _began(self, request: Request) -> None:
        self._under_way[request] = None

    def _responded(self, response: Response) -> None:
        asked = response.request
        if asked not in self._answered:
            self._met(asked.method, urlsplit(asked.url).path, response.status, asked.post_data)
        self._look(response.request, f"the network answered {response.status}")

    def _ended(self, request: Request) -> None:
        self._under_way.pop(request, None)

    def _failed(self, request: Request) -> None:
        self._under_way.pop(request, None)
        reason = request.failure or ""
        # What the page's own policy blocks, or the page itself gave up, has been to no network.
        if reason.startswith("net::") and not reason.startswith(("net::ERR_ABORTED", "net::ERR_BLOCKED")):
            self._look(request, f"the network failed: {reason}")

    def _look(self, request: Request, what: str) -> None:
        """Note a request that reached the network although this did not let it through."""
        decided = request in self._answered or request in self._let_through
        if not decided and any(one is not LIVE for one in self._answers(request.method, request.url)):
            self.strays.append(f"{_name(request)} ({what})")

    def _connected(self, socket: WebSocket) -> None:
        if self._answers("GET", socket.url):
            self.strays.append(f"GET {socket.url} (a WebSocket, which cannot be answered)")


def _meant(method: str, url: str, wanted: str, path: str) -> bool:
    return method == wanted and urlsplit(url).path.endswith(path)


def _name(request: Request) -> str:
    return f"{request.method} {request.url}"
