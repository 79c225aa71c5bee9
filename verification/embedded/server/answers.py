"""Overlay: answers that hold what AWS would not send, or lack what it would.

Found by tests/embedded/test_answers.py, which reads botocore's service models, and tests/embedded/test_second_opinion.py,
which asks moto. Sources, each from the operation's page of the service's API reference unless named:

- DescribeAlarms: AWS leaves out what an alarm does not have; MiniStack sent `null` and an empty description.
- ListEventSourceMappings: an `EventSourceMappingConfiguration` has no `Qualifier` and no `Tags`.
- GetWebACL: a `WebACL` has no `Scope`; its ARN says it.
- DescribeSecret: `RotationEnabled` is left out where rotation has never been configured.
- CreateQueue: `SqsManagedSseEnabled` is on for new queues (Amazon SQS Developer Guide, "Encryption at rest").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch, lambda_svc, secretsmanager, sqs, waf

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(cloudwatch, "_describe_alarms")
require(lambda_svc, "_esm_response")
require(secretsmanager, "_describe_secret")
require(sqs, "_HANDLERS", "_queues")
require(waf, "_get_web_acl")

Answer = tuple[int, dict[str, str], Any]


def install(_context: Context) -> None:
    """Correct the answers where they are made."""
    cloudwatch._describe_alarms = _corrected(cloudwatch._describe_alarms, _without_what_an_alarm_lacks)
    secretsmanager._describe_secret = _corrected(secretsmanager._describe_secret, _without_rotation)
    waf._get_web_acl = _corrected(waf._get_web_acl, _without_scope)
    lambda_svc._esm_response = _without_own_members(lambda_svc._esm_response)
    sqs._HANDLERS["CreateQueue"] = _encrypting(sqs._HANDLERS["CreateQueue"])


def _corrected(
    answer: Callable[..., Answer], correct: Callable[[dict[str, Any]], None]
) -> Callable[..., Answer]:
    """Return the same answer with corrected JSON; an answer in another form stays as it is."""

    def corrected(*arguments: Any, **options: Any) -> Answer:
        status, headers, body = answer(*arguments, **options)
        try:
            content = json.loads(body)
        except ValueError:
            return status, headers, body
        correct(content)
        return status, headers, json.dumps(content).encode()

    return corrected


def _without_what_an_alarm_lacks(content: dict[str, Any]) -> None:
    for kind in ("MetricAlarms", "CompositeAlarms"):
        for alarm in content.get(kind, ()):
            for name in [name for name, value in alarm.items() if value is None]:
                del alarm[name]
            if not alarm.get("AlarmDescription", True):
                del alarm["AlarmDescription"]


def _without_rotation(content: dict[str, Any]) -> None:
    if not content.get("RotationEnabled") and "RotationRules" not in content:
        content.pop("RotationEnabled", None)
    for name in [name for name, value in content.items() if value in (None, "")]:
        del content[name]


def _without_scope(content: dict[str, Any]) -> None:
    content.get("WebACL", {}).pop("Scope", None)


def _without_own_members(
    answer: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def corrected(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answer(mapping).items() if name not in ("Qualifier", "Tags")}

    return corrected


def _encrypting(create: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def created(*arguments: Any) -> dict[str, Any]:
        answer = create(*arguments)
        attributes = sqs._queues[answer["QueueUrl"]]["attributes"]
        if "KmsMasterKeyId" not in attributes:
            attributes.setdefault("SqsManagedSseEnabled", "true")
        return answer

    return created
