"""Overlay: KMS refuses a key policy that no principal of the account could change again, unless the request allows that.

AWS asks whether the caller may send PutKeyPolicy afterwards. This overlay asks whether any principal of the account that the
policy names may, so it refuses less. Source: KMS API Reference, PutKeyPolicy and CreateKey, BypassPolicyLockoutSafetyCheck.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import kms
from ministack.services.cloudformation import provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties
from verification.embedded.server.context import Context

require(iam_evaluator, "EvalContext", "evaluate_resource_policy")
require(kms, "_create_key", "_put_key_policy", "_resolve_key")
require(provisioners, "_kms_create_key_payload")

KEY: Final = "AWS::KMS::Key"
_BYPASS: Final = "BypassPolicyLockoutSafetyCheck"
_REFUSED: Final = "The new key policy will not allow you to update the key policy in the future."


def install(_context: Context) -> None:
    """Check each key policy before KMS takes it."""
    create_key, put_key_policy = kms._create_key, kms._put_key_policy
    payload = provisioners._kms_create_key_payload

    def create(data: dict[str, Any]) -> Any:
        return _refusal(data) or create_key(data)

    def put(data: dict[str, Any]) -> Any:
        is_there = kms._resolve_key(data.get("KeyId", "")) is not None
        return (_refusal(data) if is_there else None) or put_key_policy(data)

    def create_key_payload(properties: Properties) -> Any:
        return {**payload(properties), _BYPASS: _is_on(properties.get(_BYPASS))}

    kms._create_key, kms._put_key_policy = create, put
    provisioners._kms_create_key_payload = create_key_payload

    its = hooks.handler(KEY)
    change = its["update"]

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any) -> Made:
        if "KeyPolicy" in new and not _is_on(new.get(_BYPASS)) and locks_out(new["KeyPolicy"]):
            raise ValueError(_REFUSED)
        changed: Made = change(physical_id, old, new, stack_name, *rest)
        return changed

    its["update"] = update


def _is_on(value: object) -> bool:
    return str(value).lower() == "true"


def _refusal(data: Mapping[str, Any]) -> Any:
    if not data.get("Policy") or _is_on(data.get(_BYPASS)):
        return None
    try:
        message = _REFUSED if locks_out(data["Policy"]) else ""
    except ValueError as problem:
        message = str(problem)
    return error_response_json("MalformedPolicyDocumentException", message, 400) if message else None


def locks_out(policy: str | Mapping[str, Any]) -> bool:
    """Return whether a key policy lets no principal of the account change it.

    An Allow counts under any condition, and a Deny only without one: who sends the next request is not known.

    Raises:
        ValueError: it is no policy.
    """
    statements, account = _statements(policy), get_account_id()
    judged = [
        {name: value for name, value in one.items() if name not in ("Condition", "NotResource")}
        | {"Resource": "*"}
        for one in statements
        if one.get("Effect") == "Allow" or "Condition" not in one
    ]
    named = [one["Principal"].get("AWS", []) for one in judged if isinstance(one.get("Principal"), Mapping)]
    principals = {each for some in named for each in ([some] if isinstance(some, str) else some)}
    return not any(
        iam_evaluator.evaluate_resource_policy({"Statement": judged}, _changing(one, account)).decision
        == "Allow"
        for one in {f"arn:aws:iam::{account}:root", *principals}
        if one.split(":")[4:5] == [account]
    )


def _statements(policy: str | Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    document = json.loads(policy) if isinstance(policy, str) else policy
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    statements = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(statements, list) or not all(isinstance(one, Mapping) for one in statements):
        raise ValueError("The new key policy is not valid.")
    return statements


def _changing(principal: str, account: str) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="Root" if principal.endswith(":root") else "User",
        principal_account=account,
        action="kms:PutKeyPolicy",
        resource_arn="*",
        region=get_region(),
    )
