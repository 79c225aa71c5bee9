"""What API Gateway's HTTP API sends to a function, and what it wants back.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
(payload format 2.0).
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pixel_prompt.errors import ApiError, invalid_json

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case; ``body`` is None when there is none."""

    method: str
    path: str
    correlation_id: str
    source_address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    raw_body: str | None = None
    is_base64: bool = False

    @property
    def media_type(self) -> tuple[str, str]:
        """The content type and its charset, in lower case; the charset is utf-8 when none is named."""
        essence, _, parameters = self.headers.get("content-type", "").partition(";")
        charset = "utf-8"
        for parameter in parameters.split(";"):
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"').lower()
        return essence.strip().lower(), charset

    def body(self) -> bytes:
        """The body as it was sent; empty when there is none.

        Raises:
            ApiError: the gateway marked it as base64, and it is not.
        """
        if self.raw_body is None:
            return b""
        if not self.is_base64:
            return self.raw_body.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(self.raw_body, validate=True)
        except (binascii.Error, ValueError):
            raise invalid_json("The body cannot be decoded.") from None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer with a JSON body."""

    status: HTTPStatus
    document: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_gateway(self, correlation_id: str) -> dict[str, Any]:
        """The answer as the gateway wants it. No cache may keep any of them."""
        return {
            "statusCode": int(self.status),
            "headers": {
                "Content-Type": "application/json",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "X-Correlation-ID": correlation_id,
                **self.headers,
            },
            "body": json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))
            if self.document
            else "",
            "isBase64Encoded": False,
        }


def refusal(error: ApiError, correlation_id: str) -> Response:
    """The answer that tells the caller about an error."""
    return Response(error.status, error.body(correlation_id), error.headers)


def correlation_id_of(headers: Mapping[str, str]) -> str:
    """The caller's correlation id when it is well-formed, else a new one."""
    given = headers.get("x-correlation-id", "")
    return given if _CORRELATION_ID.fullmatch(given) else str(uuid.uuid4())


def read_request(event: Mapping[str, Any]) -> Request:
    """Read an event of the HTTP API.

    Raises:
        ValueError: the event is something else. The function then fails, as it should for a caller that is
            not its API.
    """
    context = event.get("requestContext")
    context = context if isinstance(context, Mapping) else {}
    http = context.get("http")
    if not isinstance(http, Mapping) or "method" not in http:
        raise ValueError("not an event of an HTTP API (payload format 2.0)")
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    # The path begins with the stage's name, except for the stage `$default`.
    # Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.
    path = str(event.get("rawPath") or http.get("path") or "/")
    stage = f"/{context.get('stage', '$default')}"
    return Request(
        method=str(http["method"]).upper(),
        path=path.removeprefix(stage) or "/" if path.startswith(f"{stage}/") or path == stage else path,
        correlation_id=correlation_id_of(headers),
        source_address=str(http.get("sourceIp") or ""),
        headers=headers,
        query={str(name): str(value) for name, value in (event.get("queryStringParameters") or {}).items()},
        raw_body=event.get("body"),
        is_base64=bool(event.get("isBase64Encoded")),
    )
