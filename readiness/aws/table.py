"""AWS::DynamoDB::Table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import botocore.exceptions

from readiness.aws.policy import statements_of
from readiness.environment import Environment
from readiness.errors import Unverified


@dataclass(frozen=True)
class Table:
    """A live table."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def description(self) -> Mapping[str, Any]:
        return dict(self.env.client("dynamodb").describe_table(TableName=self.name)["Table"])

    @property
    def arn(self) -> str:
        return str(self.description["TableArn"])

    @property
    def billing_mode(self) -> str:
        return str(self.description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))

    @property
    def deletion_protection(self) -> bool:
        return bool(self.description.get("DeletionProtectionEnabled"))

    @property
    def encryption_status(self) -> str:
        """ENABLED for a KMS key; '' means DynamoDB's own key, which the account cannot see or revoke."""
        return str(self.description.get("SSEDescription", {}).get("Status", ""))

    @cached_property
    def policy_statements(self) -> Sequence[Mapping[str, Any]]:
        """Of the policies of the table and of its stream, none without one."""
        arns = [self.arn, self.description.get("LatestStreamArn")]
        return [statement for arn in arns if arn for statement in self._policy_of(arn)]

    def _policy_of(self, arn: str) -> Sequence[Mapping[str, Any]]:
        try:
            answer = self.env.client("dynamodb").get_resource_policy(ResourceArn=arn)
        except botocore.exceptions.ClientError as problem:
            if problem.response["Error"]["Code"] != "PolicyNotFoundException":
                raise
            return []
        return statements_of(answer["Policy"])

    @cached_property
    def time_to_live(self) -> Mapping[str, Any]:
        """`TimeToLiveStatus` and, when on, `AttributeName`."""
        return dict(
            self.env.client("dynamodb").describe_time_to_live(TableName=self.name)["TimeToLiveDescription"]
        )

    @property
    def is_passing(self) -> bool:
        """Whether each row is of use only while a request is repeated or a connection lasts, so that no restore needs it.

        Source: Powertools for AWS Lambda, "Idempotency", required resources: key `id`, expiry `expiration`. API Gateway
        Developer Guide, "WebSocket chat app": a table with the key `connectionId`.
        """
        keys = [one["AttributeName"] for one in self.description["KeySchema"]]
        if [key.lower().replace("_", "") for key in keys] == ["connectionid"]:
            return True
        return keys == ["id"] and self.time_to_live.get("AttributeName") == "expiration"

    @property
    def clock(self) -> datetime:
        """What time it is for AWS, to the second. Asked each time.

        Raises:
            Unverified: the answer is not dated.
        """
        answer = self.env.client("dynamodb").describe_table(TableName=self.name)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(date)
        except ValueError as problem:
            raise Unverified(f"{self!r} was described with no readable date: {date!r}") from problem

    def keys_where(self, attribute: str, values: Collection[str]) -> Sequence[str]:
        """The keys (`pk`) of all items in which an attribute has one of the values. Reads the whole table."""
        names = {f":v{number}": {"S": value} for number, value in enumerate(sorted(values))}
        found = self._scan(
            FilterExpression=f"#attribute IN ({', '.join(names)})",
            ExpressionAttributeNames={"#attribute": attribute},
            ExpressionAttributeValues=names,
        )
        return [item["pk"]["S"] for item in found]

    def models_of_jobs(self, correlation: str, since: datetime) -> Sequence[Mapping[str, tuple[str, str]]]:
        """Of each job made since a moment whose correlation id begins so: its models' state and failure's code.

        Reads the whole table. The form of a job is that of `pixel_prompt.jobs`.
        """
        found = self._scan(
            FilterExpression="begins_with(#correlation, :correlation) AND #created >= :since",
            ProjectionExpression="#models",
            ExpressionAttributeNames={
                "#correlation": "correlationId",
                "#created": "created",
                "#models": "models",
            },
            ExpressionAttributeValues={
                ":correlation": {"S": correlation},
                ":since": {"N": str(since.timestamp())},
            },
        )
        return [
            {
                model: (entry["M"]["state"]["S"], entry["M"].get("code", {}).get("S", ""))
                for model, entry in item["models"]["M"].items()
            }
            for item in found
        ]

    def _scan(self, **wanted: Any) -> Iterator[Mapping[str, Any]]:
        """Every item that a filter lets through, by the names of Scan. Reads the whole table."""
        pages = self.env.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self.name, ConsistentRead=True, **wanted):
            yield from page["Items"]

    def rows_outliving(self, moment: datetime, attribute: str) -> Sequence[str] | None:
        """The keys (`pk`) of those of the first hundred rows that time to live leaves beyond a moment; None for no row.

        DynamoDB takes the attribute for seconds since 1970, and a row without such a number for one that stays.
        """
        # What users wrote stays where it is.
        wanted = {f"#{number}": name for number, name in enumerate(sorted({"pk", attribute} - {""}))}
        answer = self.env.client("dynamodb").scan(
            TableName=self.name,
            Limit=100,
            ProjectionExpression=", ".join(wanted),
            ExpressionAttributeNames=wanted,
        )
        if not answer["Items"]:
            return None
        expiries = {row["pk"]["S"]: row.get(attribute, {}).get("N", "inf") for row in answer["Items"]}
        return sorted(key for key, expiry in expiries.items() if float(expiry) > moment.timestamp())

    @cached_property
    def point_in_time_recovery(self) -> str:
        answer = self.env.client("dynamodb").describe_continuous_backups(TableName=self.name)
        description = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return str(description["PointInTimeRecoveryStatus"])

    @cached_property
    def scaled(self) -> set[str]:
        """Which of `ReadCapacityUnits` and `WriteCapacityUnits` Application Auto Scaling adapts to the load."""
        client = self.env.client("application-autoscaling")
        pages = client.get_paginator("describe_scalable_targets").paginate(
            ServiceNamespace="dynamodb", ResourceIds=[f"table/{self.name}"]
        )
        return {
            target["ScalableDimension"].rpartition(":")[2]
            for page in pages
            for target in page["ScalableTargets"]
        }
