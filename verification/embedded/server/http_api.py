"""Overlay: what an HTTP API of API Gateway does before and after its integration.

Source: API Gateway Developer Guide, "Configure CORS for HTTP APIs", "Throttle requests to your HTTP APIs",
"Create AWS Lambda proxy integrations for HTTP APIs" (payload format 2.0), "Configure logging for HTTP APIs",
"Quotas for configuring and running an HTTP API".
"""

from __future__ import annotations

import asyncio
import base64
import contextvars
import email.utils
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import ministack.app
from ministack.core.responses import request_scope
from ministack.services import apigateway, cloudwatch, cloudwatch_logs, lambda_svc

from verification.embedded.server import pace, require
from verification.embedded.server.context import (
    App,
    Context,
    Message,
    Receive,
    Scope,
    Send,
)
from verification.embedded.server.switches import Switch, is_on, on_since

require(ministack.app, "_parse_execute_api_url", "_resolve_stage_and_path")
require(
    apigateway,
    "_apis",
    "_authorizers",
    "_cors_preflight_response",
    "_cors_response_headers",
    "_integrations",
    "_invoke_lambda_proxy",
    "_match_route",
    "_stages",
    "find_api_scope",
    "run_reentrant",
)
require(lambda_svc, "_execute_function_with_config_scope", "lambda_execute_result_to_api_proxy_response")
require(cloudwatch, "_dims_key", "_metric_bucket")
require(cloudwatch_logs, "_create_log_stream", "_log_groups", "_put_log_events")

BODY_LIMIT_BYTES = 10 * 1024 * 1024
DRAINED_BYTES = 64 * 1024 * 1024
INTEGRATION_TIMEOUT_MS = 30_000
NAMESPACE = "AWS/ApiGateway"
CLIENT_ERROR, SERVER_ERROR = 4, 5  # the first digit of a status
CONTEXT_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z_]+)*)")
# Headers that MiniStack answers with on every data plane; an HTTP API sends none of them.
FOREIGN_HEADERS = frozenset({b"x-amzn-requestid", b"x-amz-request-id", b"x-amz-id-2", b"x-amzn-trace-id"})
CORS_HEADERS = frozenset(
    {
        b"access-control-allow-origin",
        b"access-control-allow-credentials",
        b"access-control-allow-headers",
        b"access-control-allow-methods",
        b"access-control-expose-headers",
        b"access-control-max-age",
    }
)
Headers = list[tuple[bytes, bytes]]
BucketKey = tuple[str, str, str, int]


@dataclass(frozen=True)
class Refusal:
    """Why a route's authorizer let a request not pass.

    Attributes:
        status: 401 without credentials that count, 403 where they do not suffice, 500 where the authorizer failed.
        message: the answer's text.
        challenge: the value of WWW-Authenticate, if there is one.
        reason: what the access log says of it.
    """

    status: HTTPStatus
    message: str
    challenge: str | None = None
    reason: str | None = None


@dataclass
class Exchange:
    """One request to an HTTP API and what became of it."""

    api: dict[str, Any]
    account_id: str
    region: str
    stage_name: str
    stage: dict[str, Any] | None
    path: str
    method: str
    headers: dict[str, str]
    source_ip: str
    protocol: str
    domain: str
    request_id: str = field(default_factory=lambda: base64.b64encode(os.urandom(11)).decode())
    route_key: str | None = None
    started: float = field(default_factory=time.time)
    integration_started: float | None = None
    integration_seconds: float | None = None
    integration_status: int | None = None
    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    response_length: int = 0
    error: str | None = None
    refusal: Refusal | None = None

    @property
    def api_id(self) -> str:
        """The API's id."""
        return str(self.api["apiId"])

    @property
    def external_path(self) -> str:
        """The path as the client sent it: a named stage is part of it."""
        return self.path if self.stage_name == "$default" else f"/{self.stage_name}{self.path}"

    @property
    def route_settings(self) -> dict[str, Any]:
        """The stage's settings for this route, as they are at this moment."""
        stage = self.stage or {}
        specific = (stage.get("routeSettings") or {}).get(self.route_key) or {}
        return {**(stage.get("defaultRouteSettings") or {}), **specific}


def current() -> Exchange | None:
    """Return the request that is being served."""
    return _current.get()


_current: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("http_api_exchange", default=None)


def install(_context: Context) -> None:
    """Make MiniStack's Lambda integration send AWS's event and answer with AWS's errors."""
    send_event, match, proxy = (
        apigateway.run_reentrant,
        apigateway._match_route,
        apigateway._invoke_lambda_proxy,
    )
    shape = lambda_svc.lambda_execute_result_to_api_proxy_response

    async def invoke(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        exchange = _current.get()
        ours = function is lambda_svc._execute_function_with_config_scope
        if exchange is not None and ours and "routeKey" in arguments[1]:
            complete(arguments[1], exchange)
        return await send_event(function, *arguments, **named)

    def answer(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        if _current.get() is None:
            shaped: tuple[dict[str, Any] | None, str | None] = shape(result)
            return shaped
        if result.get("throttle"):
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable"), None
        if result.get("error"):
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"), None
        ordinary: tuple[dict[str, Any] | None, str | None] = shape(result)
        return ordinary

    async def invoke_proxy(*arguments: Any, **named: Any) -> tuple[int, dict[str, Any], bytes]:
        status, headers, body = await proxy(*arguments, **named)
        missing = status == HTTPStatus.BAD_GATEWAY and body.startswith(b'{"message": "Lambda function ')
        if missing:
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
        return status, headers, body

    apigateway.run_reentrant = invoke
    # MiniStack refuses every OPTIONS of an API without CORS; in lower case it reaches the route, as on AWS.
    apigateway._match_route = lambda api_id, method, path: match(api_id, method.upper(), path)
    lambda_svc.lambda_execute_result_to_api_proxy_response = answer
    apigateway._invoke_lambda_proxy = invoke_proxy
    # The gateway below answers for CORS; MiniStack's own rules differ (403 for a foreign origin, a Vary header).
    apigateway._cors_response_headers = lambda _configuration, _origin: {}


def _plain(status: HTTPStatus, message: str) -> dict[str, Any]:
    body = json.dumps({"message": message}, separators=(",", ":"))
    return {"statusCode": int(status), "headers": {"Content-Type": "application/json"}, "body": body}


def complete(event: dict[str, Any], exchange: Exchange) -> None:
    """Turn MiniStack's event into payload format 2.0 as AWS documents it, in place."""
    headers = dict(exchange.headers)
    cookies = headers.pop("cookie", None)
    event["rawPath"] = exchange.external_path
    event["headers"] = headers
    if cookies:
        event["cookies"] = [part.strip() for part in cookies.split(";") if part.strip()]
    if not event.get("pathParameters"):
        event.pop("pathParameters", None)
    variables = (exchange.stage or {}).get("stageVariables")
    if variables:
        event["stageVariables"] = dict(variables)
    event["requestContext"].update(
        domainName=exchange.domain,
        domainPrefix=exchange.api_id,
        requestId=exchange.request_id,
        stage=exchange.stage_name,
        time=time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(exchange.started)),
        timeEpoch=int(exchange.started * 1000),
    )
    event["requestContext"]["http"].update(
        method=exchange.method,
        path=exchange.external_path,
        protocol=exchange.protocol,
        sourceIp=exchange.source_ip,
        userAgent=headers.get("user-agent", ""),
    )


class Cors:
    """An API's CORS configuration, as the gateway itself applies it."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._configuration = configuration

    def __bool__(self) -> bool:
        return bool(self._configuration)

    def allowed_origin(self, origin: str) -> str | None:
        """Return the value of Access-Control-Allow-Origin for a request from `origin`, or None."""
        origins = [str(allowed).lower() for allowed in self._configuration.get("allowOrigins") or []]
        if not origin:
            return None
        if "*" in origins:
            return "*"
        scheme = origin.lower().partition("://")[0]
        return origin if origin.lower() in origins or f"{scheme}://*" in origins else None

    def response_headers(self, origin: str) -> Headers:
        """Return what every response to an allowed origin carries."""
        allowed = self.allowed_origin(origin)
        if allowed is None:
            return []
        found = [(b"access-control-allow-origin", allowed.encode())]
        if self._configuration.get("allowCredentials") and allowed != "*":
            found.append((b"access-control-allow-credentials", b"true"))
        exposed = self._configuration.get("exposeHeaders")
        if exposed:
            found.append((b"access-control-expose-headers", ",".join(exposed).encode()))
        return found

    def preflight_headers(self, headers: Mapping[str, str]) -> Headers:
        """Return the answer to a preflight; nothing when its origin, method or a header is not allowed."""
        asked = headers.get("access-control-request-method", "")
        wanted = [name.strip() for name in headers.get("access-control-request-headers", "").split(",")]
        methods = [str(method).upper() for method in self._configuration.get("allowMethods") or []]
        names = [str(name) for name in self._configuration.get("allowHeaders") or []]
        found = self.response_headers(headers.get("origin", ""))
        if not found or not asked or not (asked in methods or "*" in methods):
            return []
        lower = {name.lower() for name in names}
        if any(name and name.lower() not in lower for name in wanted) and "*" not in lower:
            return []
        found.append((b"access-control-allow-methods", ",".join(methods).encode()))
        if names:
            found.append((b"access-control-allow-headers", ",".join(names).encode()))
        if self._configuration.get("maxAge") is not None:
            found.append((b"access-control-max-age", str(self._configuration["maxAge"]).encode()))
        return found


class Buckets:
    """Token buckets: one for each API, stage, route and node of the gateway."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[BucketKey, tuple[float, float]] = {}

    def take(self, key: BucketKey, *, rate: float, burst: float) -> bool:
        """Take a token, unless the bucket of `burst` tokens that fills at `rate` a second is empty."""
        now = self._clock()
        level, then = self._levels.get(key, (burst, now))
        level = min(burst, level + (now - then) * rate)
        allowed = level >= 1
        self._levels[key] = (level - 1 if allowed else level, now)
        return allowed


class Gateway:
    """ASGI middleware: CORS, throttling, limits, metrics and access logs in front of every HTTP API."""

    def __init__(self, app: App, context: Context) -> None:
        self._app = app
        self._context = context
        self._buckets = Buckets()
        self._refusing: dict[BucketKey, float] = {}
        self._late: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of an HTTP API; pass every other one on."""
        exchange = self._recognise(scope)
        if exchange is None:
            await self._app(scope, receive, send)
            return
        token = _current.set(exchange)
        try:
            with request_scope(exchange.account_id, exchange.region):
                await self._serve(exchange, scope, receive, send)
        finally:
            _current.reset(token)
            with request_scope(exchange.account_id, exchange.region):
                record(exchange)
                write_access_log(exchange)

    def _recognise(self, scope: Scope) -> Exchange | None:
        if scope["type"] != "http":
            return None
        headers = joined(scope["headers"])
        parsed = ministack.app._parse_execute_api_url(headers.get("host", ""), scope["path"])
        owner = apigateway.find_api_scope(parsed[0]) if parsed else None
        if owner is None:
            return None
        account_id, region = owner
        api = apigateway._apis.get_scoped(account_id, region, parsed[0])
        if api["protocolType"] != "HTTP" or parsed[2].startswith("/@connections/"):
            return None
        stage_name, path = ministack.app._resolve_stage_and_path(*parsed)
        stages = apigateway._stages.get_scoped(account_id, region, parsed[0]) or {}
        client = (scope.get("client") or ("127.0.0.1", 0))[0]
        port = self._context.ports.of(headers["host"]) if "host" in headers else None
        domain = f"127.0.0.1:{port}" if port else headers.get("host", "")
        forwarded = headers.get("x-forwarded-for")
        trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
        headers.update(
            {
                "host": domain,
                "x-forwarded-for": f"{forwarded}, {client}" if forwarded else client,
                "x-forwarded-port": domain.rpartition(":")[2] if port else "443",
                "x-forwarded-proto": scope.get("scheme", "https"),
                "x-amzn-trace-id": headers.get("x-amzn-trace-id", trace),
            }
        )
        headers.setdefault("content-length", "0")
        for hop in ("connection", "keep-alive", "transfer-encoding", "upgrade"):
            headers.pop(hop, None)
        return Exchange(
            api=api,
            account_id=account_id,
            region=region,
            stage_name=stage_name,
            stage=stages.get(stage_name),
            path=path,
            method=scope["method"],
            headers=headers,
            source_ip=client,
            protocol=f"HTTP/{scope.get('http_version', '1.1')}",
            domain=domain,
        )

    async def _serve(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        cors = Cors(exchange.api.get("corsConfiguration") or {})
        answer = Answer(exchange, cors, send)
        # Before any answer: a client that still writes would miss it.
        body = await read_within_limit(receive)
        if exchange.stage is None:
            await answer.refuse(HTTPStatus.NOT_FOUND, "Not Found")
            return
        if cors and exchange.method == "OPTIONS":
            await answer.give(HTTPStatus.NO_CONTENT, cors.preflight_headers(exchange.headers))
            return
        route = apigateway._match_route(exchange.api_id, exchange.method, "/" + exchange.path.lstrip("/"))
        if route is None:
            await answer.refuse(HTTPStatus.NOT_FOUND, "Not Found")
            return
        exchange.route_key = route["routeKey"]
        if not self._within_limits(exchange):
            await answer.refuse(HTTPStatus.TOO_MANY_REQUESTS, "Too Many Requests")
            return
        if body is None:
            await answer.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
            return
        await self._integrate(exchange, route, scope, body, answer)

    def _within_limits(self, exchange: Exchange) -> bool:
        if is_on(Switch.OPEN_GATEWAY):
            return True
        limits = exchange.route_settings
        rate, burst = limits.get("throttlingRateLimit"), limits.get("throttlingBurstLimit")
        if rate is None or burst is None:
            return True
        node = self._context.pace.one_of(pace.GATEWAY_NODES)
        key = (exchange.api_id, exchange.stage_name, exchange.route_key or "", node)
        allowed = self._buckets.take(key, rate=float(rate), burst=float(burst))
        # Whoever turns the switch on again begins anew, even if no request came while it was off.
        since = on_since(Switch.REFUSING_GATEWAY)
        if since is None:
            return allowed
        if not allowed:
            self._refusing[key] = since
        return self._refusing.get(key) != since

    async def _integrate(
        self, exchange: Exchange, route: Mapping[str, Any], scope: Scope, body: bytes, answer: Answer
    ) -> None:
        target = str(route.get("target") or "").rpartition("/")[2]
        integration = (apigateway._integrations.get(exchange.api_id) or {}).get(target) or {}
        timeout_ms = int(integration.get("timeoutInMillis") or INTEGRATION_TIMEOUT_MS)
        inner = {**scope, "method": "options" if exchange.method == "OPTIONS" else exchange.method}
        exchange.integration_started = time.time()
        work = asyncio.ensure_future(self._app(inner, once(body), answer.relay))
        done, _ = await asyncio.wait({work}, timeout=timeout_ms / 1000)
        exchange.integration_seconds = time.time() - exchange.integration_started
        if done:
            work.result()
            if exchange.refusal is not None:
                exchange.integration_seconds = None
                await answer.deny(exchange.refusal)
                return
            await answer.finish()
            return
        # The function runs on, as on AWS; only its answer has no recipient.
        self._late.add(work)
        work.add_done_callback(self._forget)
        await answer.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")

    def _forget(self, work: asyncio.Future[None]) -> None:
        self._late.discard(work)
        if not work.cancelled():
            work.exception()


class Answer:
    """The one response to a request: the integration's, or the gateway's own."""

    def __init__(self, exchange: Exchange, cors: Cors, send: Send) -> None:
        self._exchange = exchange
        self._cors = cors
        self._send = send
        self._status = 0
        self._headers: Headers = []
        self._chunks: list[bytes] = []
        self._given = False

    async def relay(self, message: Message) -> None:
        """Collect the integration's response."""
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers") or [])
        elif message["type"] == "http.response.body":
            self._chunks.append(message.get("body", b""))

    async def finish(self) -> None:
        """Send the integration's response on, with the gateway's headers."""
        self._exchange.integration_status = self._status
        dropped = FOREIGN_HEADERS | (CORS_HEADERS if self._cors else frozenset())
        kept = [(name, value) for name, value in self._headers if name.lower() not in dropped]
        await self.give(self._status, kept, b"".join(self._chunks))

    async def refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer with the gateway's own error."""
        self._exchange.error = message
        body = json.dumps({"message": message}, separators=(",", ":")).encode()
        await self.give(status, [(b"content-type", b"application/json")], body)

    async def deny(self, refusal: Refusal) -> None:
        """Answer in the place of a route whose authorizer let the request not pass."""
        self._exchange.error = refusal.message
        body = json.dumps({"message": refusal.message}, separators=(",", ":")).encode()
        headers = [(b"content-type", b"application/json")]
        if refusal.challenge is not None:
            headers.append((b"www-authenticate", refusal.challenge.encode()))
        await self.give(refusal.status, headers, body)

    async def give(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
        """Send the response; only the first one counts."""
        if self._given:
            return
        self._given = True
        self._exchange.status = int(status)
        self._exchange.response_length = len(body)
        ours = {b"apigw-requestid", b"content-length", b"date", b"server"}
        sent = [(name.lower(), value) for name, value in headers if name.lower() not in ours]
        if self._exchange.method != "OPTIONS" or not self._cors:
            sent += self._cors.response_headers(self._exchange.headers.get("origin", ""))
        sent.append((b"date", email.utils.formatdate(usegmt=True).encode()))
        sent.append((b"apigw-requestid", self._exchange.request_id.encode()))
        if status != HTTPStatus.NO_CONTENT:
            sent.append((b"content-length", str(len(body)).encode()))
        await self._send({"type": "http.response.start", "status": int(status), "headers": sent})
        hidden = self._exchange.method == "HEAD" or status == HTTPStatus.NO_CONTENT
        await self._send({"type": "http.response.body", "body": b"" if hidden else body})


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return a request's headers with lower-case names; a repeated one is joined by commas, cookies by "; "."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        separator = "; " if name == "cookie" else ","
        found[name] = f"{found[name]}{separator}{value}" if name in found else value
    return found


async def read_within_limit(receive: Receive) -> bytes | None:
    """Return the whole request body, or None when it is larger than an HTTP API takes."""
    chunks: list[bytes] = []
    size, more = 0, True
    # An oversize body is read to its end, unstored.
    while more and size <= DRAINED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        part = message.get("body", b"")
        size += len(part)
        more = message.get("more_body", False)
        if size > BODY_LIMIT_BYTES:
            chunks.clear()
        else:
            chunks.append(part)
    return b"".join(chunks) if size <= BODY_LIMIT_BYTES else None


def once(body: bytes) -> Receive:
    """Return a `receive` that delivers `body` in one message and then waits without a limit."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")

    return receive


def record(exchange: Exchange) -> None:
    """Publish the metrics of an HTTP API for one request."""
    values = {
        "Count": (1.0, "Count"),
        "4xx": (float(exchange.status // 100 == CLIENT_ERROR), "Count"),
        "5xx": (float(exchange.status // 100 == SERVER_ERROR), "Count"),
        "Latency": (float(round((time.time() - exchange.started) * 1000)), "Milliseconds"),
        "DataProcessed": (float(exchange.response_length), "Bytes"),
    }
    if exchange.integration_seconds is not None:
        values["IntegrationLatency"] = (float(round(exchange.integration_seconds * 1000)), "Milliseconds")
    dimensions = [{"ApiId": exchange.api_id}, {"ApiId": exchange.api_id, "Stage": exchange.stage_name}]
    if exchange.route_key and exchange.route_settings.get("detailedMetricsEnabled"):
        method, _, resource = exchange.route_key.partition(" ")
        dimensions.append({**dimensions[1], "Method": method, "Resource": resource or "$default"})
    for name, (value, unit) in values.items():
        for dimension in dimensions:
            publish(NAMESPACE, name, value, unit, dimension)


def publish(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """Add one value to a metric; equal values of one second share a data point, as a load test makes thousands."""
    bucket = cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dimensions)))
    now = time.time()
    for point in bucket[-4:]:
        if point["Value"] == value and now - point["Timestamp"] < 1:
            point["Count"] = point.get("Count", 1.0) + 1
            return
    bucket.append({"Timestamp": now, "Value": value, "Unit": unit, "Dimensions": dimensions, "Count": 1.0})


def write_access_log(exchange: Exchange) -> None:
    """Write the line that the stage's access log settings ask for."""
    settings = (exchange.stage or {}).get("accessLogSettings")
    source = f"{exchange.api_id}/{exchange.stage_name}"
    write_log_line(settings, access_log_variables(exchange), source, exchange.started)


def write_log_line(
    settings: Mapping[str, Any] | None, known: Mapping[str, object], source: str, started: float
) -> None:
    """Write a line of an access log with what is known of a request, into the log stream of its source."""
    wanted = settings or {}
    group = log_group(wanted.get("destinationArn", ""))
    if not group or not wanted.get("format") or group not in cloudwatch_logs._log_groups:
        return
    line = CONTEXT_VARIABLE.sub(lambda found: str(known.get(found[1], "-")), wanted["format"])
    stream = uuid.uuid5(uuid.NAMESPACE_URL, source).hex
    if stream not in cloudwatch_logs._log_groups[group]["streams"]:
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    event = {"timestamp": int(started * 1000), "message": line}
    cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": [event]})


def log_group(arn: str) -> str:
    """Return the log group's name in its ARN, with or without the closing `:*`."""
    return arn.partition(":log-group:")[2].removesuffix(":*")


def response_type(status: int) -> str:
    """Return the type of the gateway's own answer. Source: API Gateway Developer Guide, "Gateway response types"."""
    known = {
        401: "UNAUTHORIZED",
        403: "ACCESS_DENIED",
        404: "RESOURCE_NOT_FOUND",
        413: "REQUEST_TOO_LARGE",
        429: "THROTTLED",
    }
    return known.get(status) or (
        "INTEGRATION_FAILURE" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "DEFAULT_4XX"
    )


def access_log_variables(exchange: Exchange) -> dict[str, object]:
    """Return the `$context` variables of an access log; what is absent prints as a dash."""
    latency_ms = None
    if exchange.integration_seconds is not None:
        latency_ms = round(exchange.integration_seconds * 1000)
    known: dict[str, object | None] = {
        "accountId": exchange.account_id,
        "apiId": exchange.api_id,
        "authorizer.error": exchange.refusal.reason if exchange.refusal else None,
        "domainName": exchange.domain,
        "domainPrefix": exchange.api_id,
        "error.message": exchange.error,
        "error.messageString": json.dumps(exchange.error) if exchange.error else None,
        "error.responseType": response_type(exchange.status) if exchange.error else None,
        "extendedRequestId": exchange.request_id,
        "httpMethod": exchange.method,
        "identity.sourceIp": exchange.source_ip,
        "identity.userAgent": exchange.headers.get("user-agent"),
        "integration.latency": latency_ms,
        "integration.status": exchange.integration_status,
        "integrationLatency": latency_ms,
        "integrationStatus": exchange.integration_status,
        "path": exchange.external_path,
        "protocol": exchange.protocol,
        "requestId": exchange.request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(exchange.started)),
        "requestTimeEpoch": int(exchange.started * 1000),
        "responseLatency": round((time.time() - exchange.started) * 1000),
        "responseLength": exchange.response_length,
        "routeKey": exchange.route_key,
        "stage": exchange.stage_name,
        "status": exchange.status,
    }
    return {name: value for name, value in known.items() if value is not None}
