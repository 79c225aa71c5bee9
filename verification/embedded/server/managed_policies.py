"""Overlay: AWS's own policy that SAM attaches to the role of a function with `Tracing: Active`, which MiniStack lacks.

Source: AWS Managed Policy Reference, "AWSXrayWriteOnlyAccess"; AWS SAM's `TracingConfig` of AWS::Serverless::Function.
"""

from __future__ import annotations

import json
from typing import Final

from ministack.services import iam

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(iam, "_AWS_MANAGED_POLICY_PREFIX", "_aws_managed_policies", "_make_aws_managed_record")

_NAME: Final = "AWSXrayWriteOnlyAccess"
_ACTIONS: Final = (
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries",
)


def install(_context: Context) -> None:
    """Add the policy to those that MiniStack knows."""
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": _ACTIONS, "Resource": ["*"]}],
    }
    record = iam._make_aws_managed_record(_NAME, json.dumps(document))
    iam._aws_managed_policies[f"{iam._AWS_MANAGED_POLICY_PREFIX}{_NAME}"] = record
