"""Overlay: a REST API of API Gateway answers to its own name, and leaves its metrics and its access log.

MiniStack asks the authorizer and runs the integration, but knows an API by `<id>.execute-api.localhost` alone, publishes
no metric, and writes no access log.

Source: API Gateway Developer Guide, "Amazon API Gateway dimensions and metrics", "Variables for data models,
authorizers, mapping templates, and CloudWatch access logging in API Gateway", "Set up CloudWatch logging for REST APIs".
"""

from __future__ import annotations

import contextvars
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import ministack.app
from ministack.services import apigateway, apigateway_v1

from verification.embedded.server import http_api, require
from verification.embedded.server.context import Context
from verification.embedded.server.origins import API_NAME

require(ministack.app, "_parse_execute_api_url")
require(apigateway, "_HOST")
require(
    apigateway_v1,
    "_GatewayError",
    "_account_settings",
    "_authorize_request_v1",
    "_execute_in_scope",
    "_handle_execute_in_scope",
    "_invoke_lambda_proxy_v1",
    "_lambda_proxy_response",
    "_rest_apis",
    "find_api_scope",
)

INTERNAL_ERROR = "Internal server error"


@dataclass
class Call:
    """One request to a REST API and what became of it.

    Attributes:
        request: what MiniStack has found out of it: stage, resource_path, request_id.
        refusal: the gateway's own error, if it is that which was answered.
        caller: what the authorizer said, principalId among it.
    """

    api_id: str
    stage_name: str
    method: str
    path: str
    headers: Mapping[str, str]
    account_id: str
    started: float = field(default_factory=time.time)
    trace_id: str = field(default_factory=lambda: f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}")
    request: Mapping[str, Any] = field(default_factory=dict)
    refusal: Any = None
    caller: Mapping[str, Any] = field(default_factory=dict)
    integration_seconds: float | None = None
    integration_status: int | None = None
    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    response_length: int = 0


_current: contextvars.ContextVar[Call | None] = contextvars.ContextVar("rest_api_call", default=None)


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack's REST APIs."""
    answer_to_their_names()
    watch_calls()


def answer_to_their_names() -> None:
    """Let REST APIs be found under `<id>.execute-api.<region>.amazonaws.com`, the name that templates make."""
    parse = ministack.app._parse_execute_api_url

    def find(host: str, path: str) -> tuple[str, str, str] | None:
        named = API_NAME.match(host.lower())
        if named and apigateway_v1.find_api_scope(named[1]) is not None:
            host = f"{named[1]}.execute-api.{apigateway._HOST}"
        found: tuple[str, str, str] | None = parse(host, path)
        return found

    ministack.app._parse_execute_api_url = find


def watch_calls() -> None:
    """Note what becomes of each call, for its metrics and its access log."""
    serve, execute = apigateway_v1._handle_execute_in_scope, apigateway_v1._execute_in_scope
    authorize, invoke = apigateway_v1._authorize_request_v1, apigateway_v1._invoke_lambda_proxy_v1
    shape = apigateway_v1._lambda_proxy_response

    async def watched(*arguments: Any) -> tuple[int, Any, bytes]:
        api_id, stage_name, method, path, headers, _body, _query, account_id, _region = arguments
        call = Call(api_id, stage_name, method, path, headers, account_id)
        token = _current.set(call)
        try:
            status, answered, body = await serve(*arguments)
        finally:
            _current.reset(token)
        call.status, call.response_length = int(status), len(body)
        leave_traces(call)
        return status, answered, body

    async def executed(request: Mapping[str, Any], *arguments: Any) -> Any:
        answer = await execute(request, *arguments)
        call = _current.get()
        if call is not None:
            call.request = request
            call.refusal = answer if isinstance(answer, apigateway_v1._GatewayError) else None
        return answer

    async def authorized(*arguments: Any) -> tuple[Any, Any]:
        refused, found = await authorize(*arguments)
        call = _current.get()
        if call is not None:
            call.caller = found or {}
        return refused, found

    async def invoked(*arguments: Any, **named: Any) -> Any:
        started = time.time()
        answer = await invoke(*arguments, **named)
        call = _current.get()
        if call is not None:
            call.integration_seconds = time.time() - started
            call.integration_status = answer[0] if isinstance(answer, tuple) else None
        return answer

    def shaped(result: dict[str, Any]) -> tuple[Any, str | None]:
        response, problem = shape(result)
        return response, INTERNAL_ERROR if problem else None

    apigateway_v1._handle_execute_in_scope = watched
    apigateway_v1._execute_in_scope = executed
    apigateway_v1._authorize_request_v1 = authorized
    apigateway_v1._invoke_lambda_proxy_v1 = invoked
    apigateway_v1._lambda_proxy_response = shaped


def leave_traces(call: Call) -> None:
    """Publish a call's metrics and log it; one that reached no stage leaves nothing."""
    if not call.request.get("stage"):
        return
    record(call)
    if (apigateway_v1._account_settings.get("settings") or {}).get("cloudwatchRoleArn"):
        settings = call.request["stage"].get("accessLogSettings")
        source = f"{call.api_id}/{call.stage_name}"
        http_api.write_log_line(settings, access_log_variables(call), source, call.started)


def record(call: Call) -> None:
    """Publish the metrics of a REST API for one request."""
    values = {
        "Count": (1.0, "Count"),
        "4XXError": (float(call.status // 100 == http_api.CLIENT_ERROR), "Count"),
        "5XXError": (float(call.status // 100 == http_api.SERVER_ERROR), "Count"),
        "Latency": (float(round((time.time() - call.started) * 1000)), "Milliseconds"),
    }
    if call.integration_seconds is not None:
        values["IntegrationLatency"] = (float(round(call.integration_seconds * 1000)), "Milliseconds")
    name = str(apigateway_v1._rest_apis[call.api_id]["name"])
    dimensions = [{"ApiName": name}, {"ApiName": name, "Stage": call.stage_name}]
    resource = call.request["resource_path"]
    settings = call.request["stage"].get("methodSettings") or {}
    specific = settings.get(f"{resource}/{call.method}") or settings.get("*/*") or {}
    if resource and specific.get("metricsEnabled"):
        dimensions.append({**dimensions[1], "Method": call.method, "Resource": resource})
    for metric, (value, unit) in values.items():
        for dimension in dimensions:
            http_api.publish(http_api.NAMESPACE, metric, value, unit, dimension)


def access_log_variables(call: Call) -> dict[str, object]:
    """Return the `$context` variables of an access log; what is absent prints as a dash."""
    latency_ms = round(call.integration_seconds * 1000) if call.integration_seconds is not None else None
    headers = {name.lower(): value for name, value in call.headers.items()}
    message = call.refusal.message if call.refusal else None
    known: dict[str, object | None] = {
        "accountId": call.account_id,
        "apiId": call.api_id,
        "domainName": headers.get("host"),
        "domainPrefix": call.api_id,
        "error.message": message,
        "error.messageString": json.dumps(message) if message else None,
        "error.responseType": call.refusal.response_type if call.refusal else None,
        "extendedRequestId": call.request["request_id"],
        "httpMethod": call.method,
        "identity.sourceIp": (headers.get("x-forwarded-for") or "127.0.0.1").split(",")[0].strip(),
        "identity.userAgent": headers.get("user-agent"),
        "integration.latency": latency_ms,
        "integration.status": call.integration_status,
        "integrationLatency": latency_ms,
        "integrationStatus": call.integration_status,
        "path": f"/{call.stage_name}{call.path}",
        "protocol": "HTTP/1.1",
        "requestId": call.request["request_id"],
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(call.started)),
        "requestTimeEpoch": int(call.started * 1000),
        "resourcePath": call.request["resource_path"] or None,
        "responseLatency": round((time.time() - call.started) * 1000),
        "responseLength": call.response_length,
        "stage": call.stage_name,
        "status": call.status,
        "xrayTraceId": call.trace_id if call.request["stage"].get("tracingEnabled") else None,
    }
    known |= {f"authorizer.{name}": value for name, value in call.caller.items()}
    return {name: value for name, value in known.items() if value is not None}
