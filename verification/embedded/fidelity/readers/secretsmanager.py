"""Secrets Manager: secrets."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, members, tag_list


def _secret(live: Live) -> Any:
    return live.ask("secretsmanager", "describe_secret", SecretId=live.id)


TYPES: dict[str, Type] = {
    "AWS::SecretsManager::Secret": Type(
        {
            **members(_secret, "Name", "Description", "KmsKeyId"),
            "SecretString": lambda live: live.ask("secretsmanager", "get_secret_value", SecretId=live.id).get(
                "SecretString"
            ),
            "Tags": lambda live: tag_list(_secret(live).get("Tags")),
        },
        {
            "Id": lambda live: live.id,
        },
    ),
}
