"""A caller that sends requests from an unused address.

The gateway tells the API function where a request came from, and a caller that invokes the function directly can
set the same fields. So limits can be checked without using up any user's share, the verifier's own included.
"""

from __future__ import annotations

import ipaddress
import json
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from readiness.aws.function import Function
from readiness.errors import Unverified
from readiness.ledger import Ledger

# RFC 2544: for measuring networks, never routed, so no user has one.
_UNUSED = ipaddress.ip_network("198.18.0.0/15")


@dataclass(frozen=True)
class Reply:
    """What the function answers; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    document: Any

    @property
    def let_through(self) -> bool:
        """Whether no limit stood in the way.

        Raises:
            Unverified: it was neither served nor refused by a limit.
        """
        if self.status not in (HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.TOO_MANY_REQUESTS):
            raise Unverified(f"expected 200 or 429, got {self!r}; see CODE-11 and the API's log")
        return self.status != HTTPStatus.TOO_MANY_REQUESTS

    @property
    def error_code(self) -> str:
        """What a refusal calls its reason, '' for none."""
        error = self.document.get("error") if isinstance(self.document, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""


@dataclass(frozen=True)
class Caller:
    """One source address, and the function that receives it."""

    function: Function
    address: str
    ledger: Ledger | None = field(default=None, repr=False, compare=False)

    def post(self, path: str, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
        """Have the function answer a request as the gateway would hand it over.

        Source: Amazon API Gateway, "AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.

        Args:
            path: a route of the API.
            document: the body.
            headers: further headers; to an X-Forwarded-For the gateway appends the address that it saw.

        Raises:
            Unverified: the function crashed, or did not answer as the gateway requires.
        """
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        forwarded = sent.get("x-forwarded-for")
        sent["x-forwarded-for"] = f"{forwarded}, {self.address}" if forwarded else self.address
        body = json.dumps(document)
        answer = self.function.invoke(
            {
                "version": "2.0",
                "routeKey": f"POST {path}",
                "rawPath": path,
                "rawQueryString": "",
                "headers": {"content-type": "application/json", **sent},
                "requestContext": {
                    "http": {
                        "method": "POST",
                        "path": path,
                        "protocol": "HTTP/1.1",
                        "sourceIp": self.address,
                        "userAgent": "pixel-prompt-verification",
                    },
                    "requestId": uuid.uuid4().hex,
                    "routeKey": f"POST {path}",
                    "stage": "$default",
                    "time": datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
                    "timeEpoch": int(time.time() * 1000),
                },
                "body": body,
                "isBase64Encoded": False,
            }
        )
        try:
            given = {name.lower(): str(value) for name, value in answer["headers"].items()}
            reply = Reply(int(answer["statusCode"]), given, json.loads(answer["body"]))
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise Unverified(f"{self.function!r} gave no answer for the gateway: {problem!r}") from problem
        if self.ledger:
            self.ledger.met("POST", path, reply.status, body)
        return reply


def unused_address() -> str:
    """One that no user has, and that no other caller is likely to be given."""
    return str(_UNUSED[random.randrange(1, _UNUSED.num_addresses - 1)])  # noqa: S311  # no secret
