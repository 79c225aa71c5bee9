"""Overlay: the authorizers of an HTTP API refuse as the gateway does, before the integration and not in its name.

MiniStack checks tokens, and answers a refusal as if the integration had: without a challenge, and with an integration's
latency and status in the access log. It trusts no issuer that this cloud serves itself. AWS documents the form of the
challenge and the words about an audience; the other descriptions are this cloud's own.

Source: API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers", "Troubleshooting issues with HTTP API
JWT authorizers" (the WWW-Authenticate header), "Customize HTTP API access logs" ($context.authorizer.error).
"""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.request
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import apigateway

from verification.embedded.server import require
from verification.embedded.server.context import Context
from verification.embedded.server.http_api import Refusal, current

require(
    apigateway,
    "_authorize_request_v2",
    "_extract_token_from_identity_source",
    "_jwks_cache",
    "_oidc_config_cache",
    "_urlopen_sync",
    "_validate_jwt_authorizer",
)

SEGMENTS = 3


def install(context: Context) -> None:
    """Lay the overlay over MiniStack's authorizers."""
    check, ask = apigateway._validate_jwt_authorizer, apigateway._authorize_request_v2
    trusted = ssl.create_default_context(cafile=str(context.ca_bundle))

    def fetch(request: Any, timeout_seconds: float) -> tuple[int, dict[str, str], bytes]:
        with urllib.request.urlopen(request, timeout=timeout_seconds, context=trusted) as answer:  # noqa: S310 - MiniStack's
            return answer.status, dict(answer.headers.items()), answer.read()

    async def validate(route: Any, authorizer: Any, headers: Any, query_params: Any) -> Any:
        claims, scopes, refused = await check(route, authorizer, headers, query_params)
        if refused is not None:
            sources = authorizer.get("identitySource", [])
            token = apigateway._extract_token_from_identity_source(sources, headers, query_params)
            _note(refused, *challenge(token, authorizer, route, refused[0]))
        return claims, scopes, refused

    async def authorize(*arguments: Any) -> Any:
        refused, found = await ask(*arguments)
        if refused is not None:
            _note(refused)
        return refused, found

    apigateway._urlopen_sync = fetch
    apigateway._validate_jwt_authorizer = validate
    apigateway._authorize_request_v2 = authorize


def reset() -> None:
    """Forget the keys of issuers."""
    apigateway._jwks_cache.clear()
    apigateway._oidc_config_cache.clear()


def _note(refused: tuple[Any, ...], header: str | None = None, reason: str | None = None) -> None:
    exchange = current()
    if exchange is not None:
        message = str(json.loads(refused[2]).get("message"))
        exchange.refusal = Refusal(HTTPStatus(refused[0]), message, header, reason or message)


def challenge(
    token: str | None, authorizer: Mapping[str, Any], route: Mapping[str, Any], status: int
) -> tuple[str, str | None]:
    """Return the value of WWW-Authenticate for a refused token, and what is wrong with it."""
    if not token:
        return "Bearer", None
    scopes = " ".join(route.get("authorizationScopes") or [])
    if status == HTTPStatus.FORBIDDEN:
        return f'Bearer scope="{scopes}" error="insufficient_scope"', "insufficient scope"
    reason = complaint(token, authorizer)
    return f'Bearer scope="{scopes}" error="invalid_token" error_description="{reason}"', reason


def complaint(token: str, authorizer: Mapping[str, Any]) -> str:
    """Return what is wrong with a token that is not valid."""
    parts = token.split(".")
    if len(parts) != SEGMENTS:
        return "invalid number of segments"
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return "the token is malformed"
    configuration = authorizer.get("jwtConfiguration") or {}
    if claims.get("iss") != configuration.get("issuer"):
        return "the token has an invalid issuer"
    wanted = configuration.get("audience") or []
    if wanted and not set(wanted) & set(_audience(claims)):
        return "the token does not have a valid audience"
    if "exp" in claims and int(claims["exp"]) <= time.time():
        return "the token has expired"
    return "the token has an invalid signature"


def _audience(claims: Mapping[str, Any]) -> Iterable[str]:
    """Return whom a token is for: `aud`, or `client_id` in its absence."""
    named = claims.get("aud", claims.get("client_id"))
    return [str(one) for one in named] if isinstance(named, list) else [str(named)]
