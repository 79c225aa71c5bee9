"""What CloudWatch counts of AWS's own services, as far as alarms on failures need it.

Sources: Lambda Developer Guide, "Types of metrics for Lambda functions"; SQS, API Gateway, Step Functions, CloudFront
and EventBridge developer guides, each its page on CloudWatch metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Counted:
    """One metric.

    Args:
        unit: the only one that its data points have.
        failure: whether more of it is worse.
        each: whether every data point is 0 or 1, so that only a sum exceeds 1.
        percent: whether its average is a rate of at most a hundred.
    """

    unit: str = "Count"
    failure: bool = True
    each: bool = False
    percent: bool = False


_TIME: Final = Counted("Milliseconds")
_USE: Final = Counted(failure=False)
_RATE: Final = Counted("Percent", percent=True)
METRICS: Final[Mapping[str, Mapping[str, Counted]]] = {
    "AWS/Lambda": {
        "Errors": Counted(each=True),
        "Throttles": Counted(each=True),
        "DeadLetterErrors": Counted(each=True),
        "DestinationDeliveryFailures": Counted(each=True),
        "Duration": _TIME,
    },
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage": Counted("Seconds"),
        "ApproximateNumberOfMessagesVisible": Counted(),
        "ApproximateNumberOfMessagesNotVisible": Counted(),
        "ApproximateNumberOfMessagesDelayed": _USE,
        "NumberOfMessagesSent": _USE,
        "NumberOfMessagesReceived": _USE,
        "NumberOfMessagesDeleted": _USE,
        "NumberOfEmptyReceives": _USE,
        "SentMessageSize": Counted("Bytes", failure=False),
        "ApproximateAgeOfOldestMessageInQuietGroups": Counted("Seconds"),
        "ApproximateNumberOfMessagesVisibleInQuietGroups": Counted(),
        "ApproximateNumberOfMessagesNotVisibleInQuietGroups": Counted(),
        "ApproximateNumberOfMessagesDelayedInQuietGroups": _USE,
        "ApproximateNumberOfNoisyGroups": _USE,
        "ApproximateNumberOfGroupsWithInflightMessages": _USE,
        "NumberOfDeduplicatedSentMessages": _USE,
    },
    "AWS/ApiGateway": {
        "5xx": Counted(each=True),
        "4xx": Counted(each=True),
        "5XXError": Counted(each=True),
        "4XXError": Counted(each=True),
        "Count": _USE,
        "Latency": _TIME,
        "IntegrationLatency": _TIME,
        "DataProcessed": Counted("Bytes", failure=False),
        "CacheHitCount": _USE,
        "CacheMissCount": _USE,
        "IntegrationError": Counted(),  # this one and those below: of WebSocket APIs
        "ClientError": Counted(),
        "ExecutionError": Counted(),
        "ConnectCount": _USE,
        "MessageCount": _USE,
    },
    "AWS/States": {
        "ExecutionsFailed": Counted(),
        "ExecutionsTimedOut": Counted(),
        "ExecutionsAborted": Counted(),
        "ExecutionThrottled": Counted(),
        "ExecutionTime": _TIME,
    },
    "AWS/CloudFront": {"5xxErrorRate": _RATE, "4xxErrorRate": _RATE, "TotalErrorRate": _RATE},
}
"""Metrics by namespace and name. Only those of SQS and API Gateway are complete."""

COMPLETE: Final = ("AWS/SQS", "AWS/ApiGateway")

DIMENSIONS: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    "AWS/Lambda": (
        frozenset(),
        frozenset({"FunctionName"}),
        frozenset({"FunctionName", "Resource"}),
        frozenset({"FunctionName", "Resource", "ExecutedVersion"}),
        frozenset({"EventSourceMappingUUID"}),
    ),
    "AWS/SQS": (frozenset({"QueueName"}),),
    "AWS/ApiGateway": (
        frozenset(),
        *(frozenset({id_, *more}) for id_ in ("ApiId", "ApiName") for more in ((), ("Stage",))),
        *(frozenset({id_, "Stage", "Resource", "Method"}) for id_ in ("ApiId", "ApiName")),
        frozenset({"ApiId", "Stage", "Route"}),
        frozenset({"ApiId", "Route"}),
    ),
    "AWS/States": (
        *(frozenset({"StateMachineArn", *more}) for more in ((), ("Version",), ("Alias",))),
        *(
            frozenset({name})
            for name in ("ActivityArn", "LambdaFunctionArn", "ServiceIntegrationResourceArn")
        ),
        *(frozenset({name}) for name in ("APIName", "ServiceMetric")),
    ),
    "AWS/CloudFront": (frozenset({"DistributionId", "Region"}),),
}
"""The sets of dimensions that a service's metrics have; with any other, an alarm has no data."""

OF_HTTP_API: Final = frozenset({"5xx", "4xx", "DataProcessed"})
OF_REST_API: Final = frozenset({"5XXError", "4XXError", "CacheHitCount", "CacheMissCount"})
EVERYWHERE: Final = "Region", "Global"
"""The dimension that each of CloudFront's metrics has beside the distribution's."""
