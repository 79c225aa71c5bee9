"""Overlay: APIs and function URLs of this cloud as the origins of its distributions.

MiniStack refuses to dial an origin with a name of AWS's, and takes `127.0.0.1:<port>`, which an API's endpoint and a
function's URL are here, for a host name.

Source: CloudFront Developer Guide, "Use various origins with CloudFront distributions", "Restrict access to an AWS Lambda
function URL origin", "Control origin requests with a policy" (an API answers to its own Host alone); API Gateway Developer
Guide, "Gateway response types".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import apigateway, cloudfront

from verification.embedded.server import function_urls, require
from verification.embedded.server.context import Context, Ports

require(apigateway, "_HOST")
require(cloudfront, "OriginUnreachable", "_fetch_from_origin", "_oacs", "_origin_connect_target")

API_NAME = re.compile(r"^([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com$")
HTTPS_PORT = 443
FORBIDDEN = (
    HTTPStatus.FORBIDDEN.value,
    "Forbidden",
    {"content-type": "application/json", "x-amzn-errortype": "ForbiddenException"},
    b'{"message":"Forbidden"}',
)


def install(context: Context) -> None:
    """Lay the overlay over MiniStack's distributions; the cache of the overlay `cdn` lies above it."""
    ask = cloudfront._fetch_from_origin

    async def fetch(origin: dict[str, Any], *arguments: Any) -> Any:
        method, uri, query, headers, body, viewer_is_https, *rest = arguments
        host = None if origin.get("s3_bucket") else host_of(context.ports, origin["domain_name"])
        if host is None:
            return await ask(origin, *arguments)
        _, port, tls = cloudfront._origin_connect_target(origin, viewer_is_https)
        if not tls or port != HTTPS_PORT:
            raise cloudfront.OriginUnreachable(
                f"{origin['domain_name']} answers on port 443 and by TLS alone"
            )
        if headers.get("host", origin["domain_name"]).lower() != origin["domain_name"].lower():
            return FORBIDDEN
        sent = {name: value for name, value in headers.items() if name != "host"}
        given = (method, uri, query, sent, body, viewer_is_https, *rest)
        if function_urls.is_host(host):
            with function_urls.signed_by(signer(origin, headers, rest[-1])):
                return await ask({**origin, "domain_name": host}, *given)
        address = {"domain_name": "127.0.0.1", "https_port": context.ports.of(host)}
        return await ask({**origin, **address, "protocol_policy": "https-only"}, *given)

    cloudfront._fetch_from_origin = fetch


def host_of(ports: Ports, domain_name: str) -> str | None:
    """Return the host of this cloud that an origin's DomainName is, or None: a server somewhere else."""
    name = domain_name.lower()
    if (found := ports.host_at(name)) is not None:
        return found
    api = API_NAME.match(name)
    host = f"{api[1]}.execute-api.{apigateway._HOST}" if api else name
    return host if ports.of(host) is not None else None


def signer(origin: Mapping[str, Any], headers: Mapping[str, str], distribution_arn: str) -> str | None:
    """Return the ARN of the distribution if its origin access control signs the request, or None."""
    control = cloudfront._oacs.get(origin.get("oac_id") or "")
    if control is None or control["OriginAccessControlOriginType"] != "lambda":
        return None
    behavior = control["SigningBehavior"]
    signs = behavior == "always" or (behavior == "no-override" and "authorization" not in headers)
    return distribution_arn if signs else None
