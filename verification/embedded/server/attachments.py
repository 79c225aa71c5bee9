"""Overlay: what can be attached to a topic, a log group and a web ACL, and MiniStack lacks.

Source: the pages PutDataProtectionPolicy and GetDataProtectionPolicy of the Amazon SNS and the CloudWatch Logs API reference;
PutLoggingConfiguration, GetLoggingConfiguration and DeleteLoggingConfiguration of the AWS WAFV2 API reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import ministack.app

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(ministack.app, "SERVICE_HANDLERS")

JSON = {"Content-Type": "application/x-amz-json-1.1"}
_policies: dict[str, str] = {}
_logging: dict[str, Mapping[str, Any]] = {}
_Answer = tuple[int, dict[str, str], bytes]


def install(_context: Context) -> None:
    """Answer the operations, and leave the others to MiniStack."""
    for service, answer in (("logs", _logs), ("sns", _sns), ("wafv2", _waf)):
        ministack.app.SERVICE_HANDLERS[service] = _before(ministack.app.SERVICE_HANDLERS[service], answer)


def reset() -> None:
    """Forget what was attached."""
    _policies.clear()
    _logging.clear()


def _before(handler: Any, answer: Any) -> Any:
    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        own = answer(headers, body)
        return own if own is not None else await handler(method, path, headers, body, query)

    return handle_request


def _asked(headers: Mapping[str, str], body: bytes) -> tuple[str, Mapping[str, Any]]:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    return operation, json.loads(
        body or b"{}"
    ) if "DataProtection" in operation or "Logging" in operation else {}


def _said(content: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> _Answer:
    return status, dict(JSON), json.dumps(content).encode()


def _logs(headers: Mapping[str, str], body: bytes) -> _Answer | None:
    operation, request = _asked(headers, body)
    group = request.get("logGroupIdentifier", "")
    if operation == "PutDataProtectionPolicy":
        _policies[group] = request["policyDocument"]
    elif operation == "DeleteDataProtectionPolicy":
        _policies.pop(group, None)
        return _said({})
    elif operation != "GetDataProtectionPolicy":
        return None
    attached = {"policyDocument": _policies[group]} if group in _policies else {}
    return _said({"logGroupIdentifier": group, **attached})


def _sns(_headers: Mapping[str, str], body: bytes) -> _Answer | None:
    if b"DataProtectionPolicy" not in body:
        return None
    request = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    operation, topic = request.get("Action", ""), request.get("ResourceArn", "")
    if operation == "PutDataProtectionPolicy":
        _policies[topic] = request["DataProtectionPolicy"]
        result = ""
    elif operation == "GetDataProtectionPolicy":
        content = f"<DataProtectionPolicy>{escape(_policies.get(topic, ''))}</DataProtectionPolicy>"
        result = f"<{operation}Result>{content}</{operation}Result>"
    else:
        return None
    text = f'<{operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{result}</{operation}Response>'
    return HTTPStatus.OK, {"Content-Type": "text/xml"}, text.encode()


def _waf(headers: Mapping[str, str], body: bytes) -> _Answer | None:
    operation, request = _asked(headers, body)
    if operation == "PutLoggingConfiguration":
        configuration = request["LoggingConfiguration"]
        _logging[configuration["ResourceArn"]] = configuration
        return _said({"LoggingConfiguration": configuration})
    if operation == "DeleteLoggingConfiguration":
        _logging.pop(request["ResourceArn"], None)
        return _said({})
    if operation != "GetLoggingConfiguration":
        return None
    if found := _logging.get(request["ResourceArn"]):
        return _said({"LoggingConfiguration": found})
    error = {"__type": "WAFNonexistentItemException", "message": "The web ACL has no logging configuration."}
    return _said(error, HTTPStatus.BAD_REQUEST)
