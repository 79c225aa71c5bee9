"""Whether a queue or topic takes what is sent to it: by its own policy, and by that of its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.aws.key import Key
from readiness.aws.service_access import Caller, lets_in
from readiness.discovery.graph import Resource


@dataclass(frozen=True)
class Sender:
    """A rule, topic or alarm that sends to something by its service, which no role's policy lets in.

    Args:
        resource: of the stack.
        service: that calls in its name, such as `events.amazonaws.com`.
        arn: what the service says in `aws:SourceArn`.
        target: the ARN of the queue or topic.
    """

    resource: Resource
    service: str
    arn: str
    target: str


@dataclass(frozen=True)
class Receiver:
    """A queue or topic.

    Args:
        name: its logical id.
        arn: of the queue or topic.
        action: by which one sends to it.
        statements: of its policy.
        key: its KMS key, None without one.
    """

    name: str
    arn: str
    action: str
    statements: Sequence[Mapping[str, Any]]
    key: Key | None = None


def refusals(caller: Caller, receiver: Receiver) -> Iterator[str]:
    """Yield each reason why a receiver refuses what a service sends."""
    if not lets_in(receiver.statements, caller, receiver.action, receiver.arn):
        yield (
            f"expected the policy of {receiver.name} to let {caller.service} do {receiver.action} for {caller.arn}, found no such "
            "statement, or a condition that its requests never meet; add a statement, or correct its condition"
        )
    if receiver.key and receiver.key.is_of_aws:
        yield (
            f"expected a key of {receiver.name} that {caller.service} may use, found AWS's own, which lets no service in; set "
            "KmsMasterKeyId to a key of your own"
        )
    elif receiver.key:
        statements = receiver.key.policy_statements
        missing = [
            action
            for action in ("kms:Decrypt", "kms:GenerateDataKey")
            if not lets_in(statements, caller, action)
        ]
        if missing:
            yield (
                f"expected the key of {receiver.name} to let {caller.service} do kms:Decrypt and kms:GenerateDataKey, found "
                f"{' and '.join(missing)} missing; add a statement to its KeyPolicy"
            )
