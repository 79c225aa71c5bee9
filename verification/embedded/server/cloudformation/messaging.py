"""Overlay of AWS::SNS::Topic's attributes and of what Ref gives for a secret, also where drift is looked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import secretsmanager, sns
from ministack.services.cloudformation import drift

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Made, Properties

require(sns, "_topics")
require(secretsmanager, "_secrets")
require(drift, "_DRIFT_READERS")

TOPIC = "AWS::SNS::Topic"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource type
TOPIC_ATTRIBUTES = (
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DataProtectionPolicy",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)


def install() -> None:
    """Lay the overlay over MiniStack."""
    hooks.after(TOPIC, settle_topic)
    name_secrets_by_arn()


def settle_topic(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Apply what MiniStack leaves out; an absent display name is empty, not the topic's name."""
    stored = sns._topics[physical_id]["attributes"]
    for name in TOPIC_ATTRIBUTES:
        if name in new:
            stored[name] = attribute(new[name])
        elif name in old:
            stored.pop(name, None)
    stored["DisplayName"] = str(new.get("DisplayName", ""))
    if not stored.get("Policy") or "__default_policy_ID" in stored["Policy"]:
        stored["Policy"] = json.dumps(_default_policy(physical_id, stored["Owner"]))


def _default_policy(arn: str, owner: str) -> Mapping[str, Any]:
    """The default policy of a topic; MiniStack leaves its condition out.

    Source: Amazon SNS API Reference, "CreateTopic", and SNS Developer Guide, "Example cases for Amazon SNS access control".
    """
    actions = ["Publish", "Subscribe", "GetTopicAttributes", "SetTopicAttributes", "AddPermission"]
    actions += ["RemovePermission", "DeleteTopic", "ListSubscriptionsByTopic"]
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{action}" for action in actions],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
            }
        ],
    }


def attribute(value: Any) -> str:
    """Return a property as SNS stores attributes: text, JSON for a document."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)


def name_secrets_by_arn() -> None:
    """Make Ref give a secret's ARN, as on AWS: policies and clients are written for that, not for its name."""
    its = hooks.handler(SECRET)
    make, change, remove = its["create"], its["update"], its["delete"]

    def name_of(physical_id: str) -> str:
        found = (name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == physical_id)
        return next(found, physical_id)

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        _, attributes = make(logical_id, properties, stack_name)
        return attributes["Arn"], attributes

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any) -> Made:
        _, attributes = change(name_of(physical_id), old, new, stack_name, *rest)
        return attributes["Arn"], attributes

    def delete(physical_id: str, properties: Properties) -> None:
        remove(name_of(physical_id), properties)

    its.update(create=create, update=update, delete=delete)
    read, compared = drift._DRIFT_READERS[SECRET]

    def now(physical_id: str, properties: Properties) -> Any:
        return read(name_of(physical_id), properties)

    drift._DRIFT_READERS[SECRET] = (now, compared)
