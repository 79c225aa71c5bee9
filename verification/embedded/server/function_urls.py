"""Overlay: function URLs - an address that opens, and who may call it.

MiniStack serves a URL of AuthType NONE to every caller, without regard to the function's policy.

Source: Lambda Developer Guide, "Control access to Lambda function URLs" (since October 2025 a caller needs
lambda:InvokeFunctionUrl and lambda:InvokeFunction), "Invoking Lambda function URLs"; CloudFront Developer Guide, "Restrict
access to an AWS Lambda function URL origin" (a body has to come with its hash).
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import ministack.app
from ministack.core import iam_evaluator
from ministack.core.responses import new_uuid, request_scope
from ministack.services import lambda_svc

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.context import Context, Ports

require(
    ministack.app,
    "_enforce_data_plane",
    "_function_url_auth_target",
    "_handle_lambda_url_request",
    "_parse_lambda_url",
)
require(iam_evaluator, "EvalContext", "evaluate_resource_policy")
require(
    lambda_svc,
    "_build_function_url_event",
    "_create_function_url_config",
    "_delete_function_url_config",
    "_function_url_id",
    "_function_url_is_signed",
    "_function_urls",
    "_functions",
    "_new_function_url_id",
    "_url_config_key",
    "handle_function_url_request",
    "resolve_function_url",
)

URL = "AWS::Lambda::Url"
HOST = re.compile(r"^[a-z0-9]{32}\.lambda-url\.[a-z0-9-]+\.on\.aws$")
CLOUDFRONT = "cloudfront.amazonaws.com"
INVOKE_URL, INVOKE = "lambda:InvokeFunctionUrl", "lambda:InvokeFunction"
ALLOW = "Allow"

_signer: contextvars.ContextVar[str | None] = contextvars.ContextVar("function_url_signer", default=None)


def install(context: Context) -> None:
    """Lay the overlay over MiniStack."""
    _give_addresses(context.ports)
    handle, enforce = ministack.app._handle_lambda_url_request, ministack.app._enforce_data_plane

    async def handle_lambda_url_request(
        host: str,
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Any,
        source_ip: str | None = None,
    ) -> Any:
        parsed = ministack.app._parse_lambda_url(host, path)
        resolved = lambda_svc.resolve_function_url(parsed[0]) if parsed else None
        if parsed is None or resolved is None:
            return await handle(host, path, method, headers, body, query_params, source_ip)
        preflight = method == "OPTIONS" and resolved[4].get("Cors")
        public, distribution = resolved[4]["AuthType"] == "NONE", _signer.get()
        if preflight or not (public or distribution):
            return await handle(host, path, method, headers, body, query_params, source_ip)
        if not public and body and not _hash_fits(headers, body):
            return _refusal("The request signature we calculated does not match the signature you provided.")
        if not may_invoke(resolved, None if public else distribution):
            return _refusal("Forbidden")
        if not public:
            # What CloudFront's signature looks like to the function; MiniStack only looks whether there is one.
            headers = {**headers, "authorization": "AWS4-HMAC-SHA256 Credential=CloudFront"}
        return await lambda_svc.handle_function_url_request(
            parsed[0], method, parsed[1], headers, body, query_params, resolved=resolved, source_ip=source_ip
        )

    def enforce_data_plane(
        service: str, action: str, headers: Any, query_params: Any, *arguments: Any, **named: Any
    ) -> Any:
        denied = enforce(service, action, headers, query_params, *arguments, **named)
        if denied or action != INVOKE_URL or not lambda_svc._function_url_is_signed(headers, query_params):
            return denied
        via = {**(named.get("service_context") or {}), "lambda:InvokedViaFunctionUrl": "true"}
        return enforce(
            service, INVOKE, headers, query_params, *arguments, **{**named, "service_context": via}
        )

    ministack.app._handle_lambda_url_request = handle_lambda_url_request
    ministack.app._enforce_data_plane = enforce_data_plane


def is_host(host: str) -> bool:
    """Return whether a host is a function URL's."""
    return HOST.match(host) is not None


@contextlib.contextmanager
def signed_by(distribution_arn: str | None) -> Iterator[None]:
    """Say that requests to function URLs are signed by a distribution; None means unsigned."""
    token = _signer.set(distribution_arn)
    try:
        yield
    finally:
        _signer.reset(token)


def may_invoke(resolved: tuple[Any, ...], distribution_arn: str | None) -> bool:
    """Return whether the function's policy lets every principal, or a distribution, call its URL."""
    account_id, region, name, qualifier, configuration = resolved
    with request_scope(account_id, region):
        policy = (lambda_svc._functions.get(name) or {}).get("policy")
    known: dict[str, Any] = {"lambda:functionurlauthtype": configuration["AuthType"]}
    if distribution_arn:
        known |= {"aws:sourcearn": distribution_arn, "aws:sourceaccount": account_id}
    suffix = f":{qualifier}" if qualifier else ""
    return all(
        iam_evaluator.evaluate_resource_policy(
            policy,
            iam_evaluator.EvalContext(
                principal_arn=CLOUDFRONT if distribution_arn else "*",
                principal_type="Service" if distribution_arn else "Anonymous",
                principal_account="",
                action=action,
                resource_arn=f"arn:aws:lambda:{region}:{account_id}:function:{name}{suffix}",
                region=region,
                service_context=known | more,
            ),
            service=CLOUDFRONT if distribution_arn else None,
        ).decision
        == ALLOW
        for action, more in ((INVOKE_URL, {}), (INVOKE, {"lambda:invokedviafunctionurl": "true"}))
    )


def _hash_fits(headers: Mapping[str, str], body: bytes) -> bool:
    return headers.get("x-amz-content-sha256", "").lower() == hashlib.sha256(body).hexdigest()


def _refusal(message: str) -> tuple[int, dict[str, str], bytes]:
    headers = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": new_uuid(),
        "x-amzn-ErrorType": "AccessDeniedException",
    }
    return HTTPStatus.FORBIDDEN.value, headers, json.dumps({"Message": message}).encode()


def _give_addresses(ports: Ports) -> None:
    """Give each URL a loopback port, and `https://127.0.0.1:<port>/` as its address."""
    create, delete = lambda_svc._create_function_url_config, lambda_svc._delete_function_url_config
    identify, build = lambda_svc._function_url_id, lambda_svc._build_function_url_event

    def host(url: str) -> str:
        return ports.host_at(url.partition("://")[2].rstrip("/")) or ""

    def url_id(url: str) -> str:
        return host(url).partition(".")[0] or identify(url)

    def create_config(name: str, data: dict[str, Any], qualifier: str | None) -> Any:
        status, headers, body = create(name, data, qualifier)
        if status >= HTTPStatus.BAD_REQUEST:
            return status, headers, body
        made = lambda_svc._function_urls[lambda_svc._url_config_key(name, qualifier)]
        port = ports.open(made["FunctionUrl"].partition("://")[2].rstrip("/"), plain_http=False)
        made["FunctionUrl"] = f"https://127.0.0.1:{port}/"
        return status, headers, json.dumps(made).encode()

    def close(key: str) -> None:
        known = lambda_svc._function_urls.get(key)
        if known:
            ports.close(host(known["FunctionUrl"]))

    def delete_config(name: str, qualifier: str | None) -> Any:
        close(lambda_svc._url_config_key(name, qualifier))
        return delete(name, qualifier)

    def event(url_id: str, account_id: str, region: str, *arguments: Any, **named: Any) -> dict[str, Any]:
        made: dict[str, Any] = build(url_id, account_id, region, *arguments, **named)
        port = ports.of(made["requestContext"]["domainName"])
        if port is not None:
            made["requestContext"]["domainName"] = made["headers"]["host"] = f"127.0.0.1:{port}"
        return made

    lambda_svc._create_function_url_config = create_config
    lambda_svc._delete_function_url_config = delete_config
    lambda_svc._function_url_id = url_id
    lambda_svc._build_function_url_event = event
    hooks.before_delete(URL, lambda physical_id, _properties: close(physical_id))
