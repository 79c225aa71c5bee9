"""Overlay: what an alias of a function is called by, whose permissions and metrics are its own, and what is provisioned.

Source: Lambda Developer Guide, "Using Lambda aliases", "Types of metrics for Lambda functions" (the dimension Resource),
"Viewing resource-based IAM policies in Lambda"; Lambda API reference, "GetPolicy" (Qualifier),
"ListProvisionedConcurrencyConfigs".
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import lambda_svc

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(
    lambda_svc,
    "_effective_func_record_for_qualifier",
    "_functions",
    "_get_policy",
    "_get_provisioned_concurrency",
    "_policy_resource_arn",
    "_qualifier_from_path_or_query",
)


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack."""
    find, policy = lambda_svc._effective_func_record_for_qualifier, lambda_svc._get_policy
    provisioned = lambda_svc._get_provisioned_concurrency

    def effective_func_record(function: Any, qualifier: str | None) -> Any:
        record, config = find(function, qualifier)
        if config is None or not qualifier or qualifier not in (function.get("aliases") or {}):
            return record, config
        config = {**config, "FunctionArn": f"{function['config']['FunctionArn']}:{qualifier}"}
        return {**record, "config": config}, config

    def get_policy(name: str, query_params: Any = None, path_qualifier: str | None = None) -> Any:
        answer = policy(name, query_params, path_qualifier)
        if answer[0] != HTTPStatus.OK or lambda_svc._qualifier_from_path_or_query(
            path_qualifier, query_params or {}
        ):
            return answer
        # MiniStack hands out those of aliases and versions as well.
        body = json.loads(answer[2])
        whole = json.loads(body["Policy"])
        own = lambda_svc._policy_resource_arn(name, None)
        whole["Statement"] = [one for one in whole["Statement"] if one.get("Resource") == own]
        if not whole["Statement"]:
            message = "The resource you requested does not exist."
            return error_response_json("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)
        return answer[0], answer[1], json.dumps({**body, "Policy": json.dumps(whole)}).encode()

    def get_provisioned_concurrency(name: str, qualifier: str | None) -> Any:
        # Without a qualifier it is ListProvisionedConcurrencyConfigs, of which MiniStack knows nothing.
        if qualifier or name not in lambda_svc._functions:
            return provisioned(name, qualifier)
        arn = lambda_svc._functions[name]["config"]["FunctionArn"]
        configs = lambda_svc._functions[name].get("provisioned_concurrency", {})
        listed = [{**config, "FunctionArn": f"{arn}:{of}"} for of, config in configs.items()]
        return json_response({"ProvisionedConcurrencyConfigs": listed})

    lambda_svc._get_provisioned_concurrency = get_provisioned_concurrency
    lambda_svc._effective_func_record_for_qualifier = effective_func_record
    lambda_svc._get_policy = get_policy
