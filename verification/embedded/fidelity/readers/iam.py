"""IAM: roles."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, member, members, tag_list


def _role(live: Live) -> Any:
    return live.ask("iam", "get_role", RoleName=live.id).get("Role") or {}


def _inline_policies(live: Live) -> list[dict[str, Any]]:
    names = live.ask("iam", "list_role_policies", RoleName=live.id).get("PolicyNames", [])
    answers = [live.ask("iam", "get_role_policy", RoleName=live.id, PolicyName=name) for name in names]
    return [{"PolicyName": one["PolicyName"], "PolicyDocument": one["PolicyDocument"]} for one in answers]


def _managed_policies(live: Live) -> list[str]:
    attached = live.ask("iam", "list_attached_role_policies", RoleName=live.id).get("AttachedPolicies", [])
    return [one["PolicyArn"] for one in attached]


TYPES: dict[str, Type] = {
    "AWS::IAM::Role": Type(
        {
            **members(
                _role, "RoleName", "Path", "Description", "MaxSessionDuration", "AssumeRolePolicyDocument"
            ),
            "PermissionsBoundary": member(_role, "PermissionsBoundary", "PermissionsBoundaryArn"),
            "Policies": _inline_policies,
            "ManagedPolicyArns": _managed_policies,
            "Tags": lambda live: tag_list(_role(live).get("Tags")),
        },
        {
            "Arn": member(_role, "Arn"),
            "RoleId": member(_role, "RoleId"),
        },
    ),
}
