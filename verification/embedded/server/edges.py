"""Overlay: an extra port leads to its own data plane, and to nothing else of MiniStack.

MiniStack checks paths before it checks hosts: on a distribution or an API, `/health`, `/_ministack/reset` or
`/iceberg` would reach the emulator itself instead of the deployment.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import ministack.app

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(
    ministack.app,
    "_handle_cloudfront_dataplane_request",
    "_handle_execute_api_request",
    "_handle_lambda_url_request",
    "_handle_post_body_shortcuts",
    "_handle_pre_body_request",
    "_handle_special_data_plane_request",
    "_with_data_plane_headers",
    "pin_signed_request",
)

NOT_FOUND = 404, {"Content-Type": "application/json"}, b'{"message":"Not Found"}'


def install(context: Context) -> None:
    """Send requests for a host that has its own port straight to that host's service."""
    app = ministack.app

    def is_edge(headers: Mapping[str, str]) -> bool:
        return context.ports.of(headers.get("host", "")) is not None

    def only_elsewhere(name: str) -> None:
        """Let a step of MiniStack's see no request for an edge."""
        step = getattr(app, name)
        signature = inspect.signature(step)

        async def only_elsewhere(*arguments: Any, **keywords: Any) -> Any:
            given = signature.bind(*arguments, **keywords).arguments
            return None if is_edge(given["headers"]) else await step(*arguments, **keywords)

        setattr(app, name, only_elsewhere)

    only_elsewhere("_handle_pre_body_request")
    only_elsewhere("_handle_post_body_shortcuts")
    pin = app.pin_signed_request

    def pin_signed_request(
        method: str, path: str, query_params: Any, headers: list[tuple[bytes, bytes]], **named: Any
    ) -> None:
        """Check a signature for the Host that the client knew: the address."""
        host = next((value for name, value in headers if name.lower() == b"host"), b"").decode("latin-1")
        if (port := context.ports.of(host)) is not None:
            others = [pair for pair in headers if pair[0].lower() != b"host"]
            headers = [*others, (b"host", f"127.0.0.1:{port}".encode())]
        pin(method, path, query_params, headers, **named)

    app.pin_signed_request = pin_signed_request
    dispatch = app._handle_special_data_plane_request
    signature = inspect.signature(dispatch)

    async def handle_special_data_plane_request(*arguments: Any, **keywords: Any) -> Any:
        bound = signature.bind(*arguments, **keywords)
        bound.apply_defaults()
        request = bound.arguments
        if not is_edge(request["headers"]):
            return await dispatch(*arguments, **keywords)
        return await serve(request)

    app._handle_special_data_plane_request = handle_special_data_plane_request


async def serve(request: Mapping[str, Any]) -> Any:
    """Answer a request as the distribution, the function URL or the API that its Host names."""
    app, host = ministack.app, request["headers"]["host"]
    path, method, headers, body = (request[name] for name in ("path", "method", "headers", "body"))
    raw_path, query, raw_query = (request[name] for name in ("raw_path", "query_params", "raw_query_string"))
    answer = await app._handle_cloudfront_dataplane_request(
        host, path, raw_path or path, raw_query, method, headers, body, query, request["client_ip"]
    )
    if answer is None:
        answer = await app._handle_lambda_url_request(
            host, path, method, headers, body, query, source_ip=request["client_ip"]
        )
    if answer is not None:
        return answer
    answer = await app._handle_execute_api_request(
        host, path, method, headers, body, query, raw_path=raw_path, raw_query_string=raw_query
    )
    return app._with_data_plane_headers(answer or NOT_FOUND, request["request_id"], wildcard_cors=False)
