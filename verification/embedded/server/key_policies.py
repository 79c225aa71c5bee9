"""Overlay: KMS refuses a key policy that no principal of the account could change again, unless the request allows that.

AWS asks whether the caller may send PutKeyPolicy afterwards. This overlay asks whether any principal of the account that the
policy names may, so it refuses less. Source: KMS API Reference, PutKeyPolicy and CreateKey, BypassPolicyLockoutSafetyCheck.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import kms

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties
from verification.embedded.server.context import Context

require(iam_evaluator, "EvalContext", "evaluate_resource_policy")
require(kms, "_create_key", "_put_key_policy")

KEY: Final = "AWS::KMS::Key"
_REFUSED: Final = "The new key policy will not allow you to update the key policy in the future."


def install(_context: Context) -> None:
    """Check each key policy before KMS takes it."""
    create_key, put_key_policy = kms._create_key, kms._put_key_policy

    def create(data: dict[str, Any]) -> Any:
        return _refusal(data) or create_key(data)

    def put(data: dict[str, Any]) -> Any:
        return _refusal(data) or put_key_policy(data)

    kms._create_key, kms._put_key_policy = create, put

    its = hooks.handler(KEY)
    change = its["update"]

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any) -> Made:
        if (
            "KeyPolicy" in new
            and not new.get("BypassPolicyLockoutSafetyCheck")
            and locks_out(new["KeyPolicy"])
        ):
            raise ValueError(_REFUSED)
        changed: Made = change(physical_id, old, new, stack_name, *rest)
        return changed

    its["update"] = update


def locks_out(policy: str | Mapping[str, Any]) -> bool:
    """Return whether a key policy lets no principal of the account change it."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    account = get_account_id()
    return not any(
        iam_evaluator.evaluate_resource_policy(document, _changing(principal, account)).decision == "Allow"
        for principal in {f"arn:aws:iam::{account}:root", *_principals(document)}
        if principal.split(":")[4:5] == [account]
    )


def _changing(principal: str, account: str) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="Root" if principal.endswith(":root") else "User",
        principal_account=account,
        action="kms:PutKeyPolicy",
        resource_arn="*",
        region=get_region(),
    )


def _principals(document: Mapping[str, Any]) -> Iterator[str]:
    statements = document.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, Mapping) else []
        yield from [named] if isinstance(named, str) else named


def _refusal(data: Mapping[str, Any]) -> Any:
    if not data.get("Policy") or data.get("BypassPolicyLockoutSafetyCheck") or not locks_out(data["Policy"]):
        return None
    return error_response_json("MalformedPolicyDocumentException", _REFUSED, 400)
