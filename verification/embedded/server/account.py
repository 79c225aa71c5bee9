"""Overlay: Service Quotas, which MiniStack lacks, and what only AWS decides otherwise, switched for faults.

``POST /_embedded/account`` takes a JSON object: ``{"quotas": {"s3/L-DC2B2D3D": 1}}`` lowers quotas and an empty one
restores them, and Lambda keeps to its own; ``{"longer": {"resource": "Distribution", "seconds": 1200}}`` makes the latest
change of a stack's resource have begun that much earlier; ``{"edges_named": false}`` takes the edge location out of the
CDN's answers; ``{"distributions": "InProgress"}`` gives every distribution that status; ``{"keep_record": "shop"}`` copies what
CloudFormation has recorded of a stack, and ``{"restore_record": "shop"}`` brings it back, so that updates in between look like
changes by hand.

Source of the quotas: each service's page of AWS General Reference, "Service endpoints and quotas"; of the wire form:
Service Quotas API reference, "GetServiceQuota".
"""

from __future__ import annotations

import copy
import ipaddress
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import ministack.app
from ministack.core import responses
from ministack.services import cloudformation, cloudfront, lambda_svc

from verification.embedded.server import HookMissingError, require
from verification.embedded.server.context import App, Context, Message, Receive, Scope, Send, read_body

require(ministack.app, "SERVICE_HANDLERS")
require(cloudformation, "_stack_events", "_stacks")
require(cloudfront, "_distributions")
require(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP")
require(responses, "set_request_account_id", "set_request_region")

PATH = "/_embedded/account"
SERVICE = "servicequotas"
CONCURRENCY = "lambda/L-B99A9384"
QUOTAS = {
    "apigateway/L-8A5B8E43": ("Throttle rate", 10_000.0),
    "cloudformation/L-0485CB21": ("Stack count", 2_000.0),
    "cloudfront/L-24B04930": ("Distributions per AWS account", 500.0),
    "dynamodb/L-F98FE922": ("Maximum number of tables", 2_500.0),
    "lambda/L-2ACBD22F": ("Function and layer storage", 75.0),
    CONCURRENCY: ("Concurrent executions", 1_000.0),
    "s3/L-DC2B2D3D": ("General purpose buckets", 10_000.0),
}
JSON = "application/x-amz-json-1.1"
_lowered: dict[str, float] = {}
_edges = {"named": True}
_records: dict[str, Mapping[str, dict[str, Any]]] = {}


def install(_context: Context) -> None:
    """Answer Service Quotas.

    Raises:
        HookMissingError: MiniStack has learned the service, so this overlay must go.
    """
    if SERVICE in ministack.app.SERVICE_HANDLERS:
        raise HookMissingError(f"gap for {SERVICE}: it has a handler of its own now")
    ministack.app.SERVICE_HANDLERS[SERVICE] = answer


def reset() -> None:
    """Forget every switch."""
    _lower({})
    _edges["named"] = True
    _records.clear()


async def answer(
    _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: object
) -> tuple[int, dict[str, str], bytes]:
    """One call of Service Quotas."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    request = json.loads(body or b"{}")
    key = f"{request.get('ServiceCode')}/{request.get('QuotaCode')}"
    if operation not in ("GetServiceQuota", "GetAWSDefaultServiceQuota") or key not in QUOTAS:
        error = {"__type": "NoSuchResourceException", "Message": f"{operation}: no quota {key}"}
        return HTTPStatus.BAD_REQUEST, {"Content-Type": JSON}, json.dumps(error).encode()
    name, default = QUOTAS[key]
    service, _, code = key.partition("/")
    value = default if operation.startswith("GetAWSDefault") else _lowered.get(key, default)
    quota = {"ServiceCode": service, "QuotaCode": code, "QuotaName": name, "Value": value}
    return HTTPStatus.OK, {"Content-Type": JSON}, json.dumps({"Quota": quota}).encode()


class Control:
    """ASGI middleware of the main port; it passes every path but its own to the app behind it."""

    def __init__(self, app: App, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set a switch, or pass the request on."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        status = HTTPStatus.FORBIDDEN
        if scope["method"] == "POST" and _from_loopback(scope):
            try:
                self._set(json.loads(await read_body(receive)))
                status = HTTPStatus.OK
            except (AttributeError, KeyError, TypeError, ValueError):
                status = HTTPStatus.BAD_REQUEST
        await send({"type": "http.response.start", "status": status.value, "headers": []})
        await send({"type": "http.response.body", "body": status.phrase.encode()})

    def _set(self, switches: Mapping[str, Any]) -> None:
        if "quotas" in switches:
            lowered = {key: float(value) for key, value in switches["quotas"].items()}
            if lowered.keys() - QUOTAS.keys():
                raise KeyError(lowered.keys() - QUOTAS.keys())
            _lower(lowered)
        if "edges_named" in switches:
            _edges["named"] = bool(switches["edges_named"])
        if "distributions" in switches:
            responses.set_request_account_id(self._context.account_id)
            for distribution in cloudfront._distributions.values():
                distribution["Status"] = str(switches["distributions"])
        if "longer" in switches:
            responses.set_request_account_id(self._context.account_id)
            responses.set_request_region(self._context.region)
            _lengthen(switches["longer"]["resource"], timedelta(seconds=switches["longer"]["seconds"]))
        for step, do in (("keep_record", _keep_record), ("restore_record", _restore_record)):
            if step in switches:
                responses.set_request_account_id(self._context.account_id)
                responses.set_request_region(self._context.region)
                do(switches[step])


def _keep_record(stack: str) -> None:
    """Copy what CloudFormation has recorded of a stack, and of all others, for some may be nested in it.

    Raises:
        KeyError: there is no such stack.
    """
    if stack not in cloudformation._stacks:
        raise KeyError(stack)
    _records[stack] = {name: copy.deepcopy(record) for name, record in cloudformation._stacks.items()}


def _restore_record(stack: str) -> None:
    """Restore the records that were kept. Updates since then are now changes that CloudFormation did not make.

    Raises:
        KeyError: no record was kept.
    """
    for name, kept in _records.pop(stack).items():
        if (record := cloudformation._stacks.get(name)) is not None:
            record.clear()
            record.update(kept)


class NamelessEdges:
    """ASGI middleware of the extra ports: takes `x-amz-cf-pop` away while edges are not to be named."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and filter the answer's headers."""

        async def without_name(message: Message) -> None:
            if message["type"] == "http.response.start" and not _edges["named"]:
                kept = [pair for pair in message["headers"] if pair[0].lower() != b"x-amz-cf-pop"]
                message = {**message, "headers": kept}
            await send(message)

        await self._app(scope, receive, without_name)


def _lower(quotas: Mapping[str, float]) -> None:
    _lowered.clear()
    _lowered.update(quotas)
    lambda_svc._ACCOUNT_CONCURRENCY_CAP = int(_lowered.get(CONCURRENCY, QUOTAS[CONCURRENCY][1]))


def _lengthen(logical_id: str, by: timedelta) -> None:
    """Move the beginning of a resource's latest change, and all that came before it."""
    for events in cloudformation._stack_events.values():
        own = [event for event in events if event["LogicalResourceId"] == logical_id]
        while own and not own[-1]["ResourceStatus"].endswith("_IN_PROGRESS"):
            own.pop()
        for event in own:
            moved = datetime.fromisoformat(event["Timestamp"]) - by
            event["Timestamp"] = moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _from_loopback(scope: Scope) -> bool:
    client = scope.get("client") or ("",)
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
