"""Stages, routes and integrations of an API, in one form for HTTP APIs and REST APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

_OPEN = (None, "NONE")
LOGGED = ("INFO", "ERROR")
"""The levels at which API Gateway logs executions. Without one, nothing is logged, whole or not."""


@dataclass(frozen=True)
class Throttle:
    """Requests a second in the long run, and how many at once."""

    rate: float | None
    burst: int | None


@dataclass(frozen=True)
class Stage:
    """One stage.

    Args:
        name: such as `$default` or `Prod`.
        throttles: what is set for each route; a route with nothing set has None in both places.
        access_log: ARN of the log group or delivery stream, '' for none.
        traced: whether X-Ray gets its requests; None for an HTTP API, which cannot be traced.
        auto_deploy: whether each change of the API is deployed by itself.
        deployment: id of what it serves, '' for nothing.
        logs_whole: for which routes its execution log holds each request with headers and body; `*/*` for all.
    """

    name: str
    throttles: Mapping[str, Throttle]
    access_log: str
    traced: bool | None
    auto_deploy: bool
    deployment: str
    logs_whole: Sequence[str] = ()

    @property
    def log_group(self) -> str:
        """Name of the log group that each request is noted in, '' for another destination or none."""
        return self.access_log.partition(":log-group:")[2].removesuffix(":*")


@dataclass(frozen=True)
class Authorizer:
    """What API Gateway asks of a request before it calls an authorizer. It answers 401 itself to any other request.

    Args:
        headers: that have to be there.
        parameters: of the query that have to be there.
        expression: the regular expression that the token has to match as a whole, '' for none.
    """

    headers: Sequence[str]
    parameters: Sequence[str] = ()
    expression: str = ""

    @classmethod
    def asking(cls, sources: Sequence[str], expression: str = "") -> Authorizer:
        """One with these identity sources, such as `method.request.header.Authorization`."""
        parts = [source.strip().partition("request.")[2].partition(".") for source in sources]
        return cls(
            [name for kind, _, name in parts if kind == "header"],
            [name for kind, _, name in parts if kind == "querystring"],
            expression,
        )


@dataclass(frozen=True)
class Route:
    """One route.

    Args:
        method: in upper case, or ANY.
        path: with its placeholders, such as `/entries/{id}`; `$default` for the route that takes the rest; the key of a route of
            a WebSocket API, such as `$connect`.
        authorization: NONE, AWS_IAM, JWT, CUSTOM or COGNITO_USER_POOLS.
        key_required: whether a request needs an API key.
        integration: the URI behind it, '' for none.
        credentials: the role by which API Gateway calls the integration, '' for none.
        authorizer: id of its own authorizer, '' for none.
    """

    method: str
    path: str
    authorization: str
    key_required: bool = False
    integration: str = field(default="", repr=False)
    credentials: str = field(default="", repr=False)
    authorizer: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}".strip()

    @property
    def is_protected(self) -> bool:
        """Whether a request without credentials should be refused."""
        return self.authorization not in _OPEN or self.key_required

    @property
    def needs_token(self) -> bool:
        """Whether an authorizer asks its caller for something, such as a token in a header."""
        return self.authorization in ("JWT", "CUSTOM", "COGNITO_USER_POOLS")


class Api(Protocol):
    """What HTTP APIs and REST APIs have in common."""

    @property
    def stages(self) -> Sequence[Stage]: ...
    @property
    def routes(self) -> Sequence[Route]: ...
    @property
    def authorizers(self) -> Mapping[str, Authorizer]: ...
    @property
    def endpoint_disabled(self) -> bool: ...
    @property
    def execution_arn(self) -> str: ...
    @property
    def newest_deployment(self) -> str: ...
    def address(self, stage: Stage) -> str: ...
