"""The readers of every resource type, one service in each module."""

from __future__ import annotations

from typing import Any

from readiness.discovery.template import UNKNOWN
from verification.embedded.fidelity.live import Aws, Live, Type
from verification.embedded.fidelity.readers import (
    apigateway,
    budgets,
    cloudfront,
    cloudwatch,
    cognito,
    dynamodb,
    iam,
    kms,
    lambda_,
    s3,
    secretsmanager,
    sns,
    sqs,
    wafv2,
)

TYPES: dict[str, Type] = {
    **apigateway.TYPES,
    **budgets.TYPES,
    **cloudfront.TYPES,
    **cloudwatch.TYPES,
    **cognito.TYPES,
    **dynamodb.TYPES,
    **iam.TYPES,
    **kms.TYPES,
    **lambda_.TYPES,
    **s3.TYPES,
    **secretsmanager.TYPES,
    **sns.TYPES,
    **sqs.TYPES,
    **wafv2.TYPES,
}


def attribute(aws: Aws, kind: str, physical_id: str, name: str) -> Any:
    """Return the value of GetAtt for a live resource, or UNKNOWN where no reader here has it."""
    found = TYPES[kind].attributes.get(name) if kind in TYPES else None
    value = found(Live(aws, physical_id, {})) if found is not None else None
    return UNKNOWN if value is None else value
