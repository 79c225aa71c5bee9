"""KMS: keys."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, member, members, tag_list


def _key(live: Live) -> Any:
    return live.ask("kms", "describe_key", KeyId=live.id).get("KeyMetadata") or {}


TYPES: dict[str, Type] = {
    "AWS::KMS::Key": Type(
        {
            **members(_key, "Description", "KeyUsage", "KeySpec", "Enabled", "MultiRegion"),
            "KeyPolicy": lambda live: live.ask(
                "kms", "get_key_policy", KeyId=live.id, PolicyName="default"
            ).get("Policy"),
            "EnableKeyRotation": member(
                lambda live: live.ask("kms", "get_key_rotation_status", KeyId=live.id), "KeyRotationEnabled"
            ),
            "Tags": lambda live: tag_list(live.ask("kms", "list_resource_tags", KeyId=live.id).get("Tags")),
        },
        {
            "Arn": member(_key, "Arn"),
            "KeyId": lambda live: live.id,
        },
    ),
}
