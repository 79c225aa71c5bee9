"""Whether what a stack's outputs name exists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from readiness.catalogue.compute import Compute
from readiness.catalogue.existence import exists
from readiness.discovery.graph import Graph
from readiness.environment import Environment

_API: Final = re.compile(r"(?:https|wss)://(?P<name>[a-z0-9]+)\.execute-api\.")
_CDN: Final = re.compile(r"(?:https?://)?(?P<name>[a-z0-9]+\.cloudfront\.net)(?:/.*)?$")
_BUCKET: Final = re.compile(
    r"https?://(?P<name>[a-z0-9.-]+)\.s3[.-](?:website[.-])?(?:[a-z0-9-]+\.)?amazonaws\.com|arn:aws[\w-]*:s3:::(?P<arn>[^/*]+)"
)
_TABLE: Final = re.compile(r"arn:aws[\w-]*:dynamodb:[^:]+:\d+:table/(?P<name>[\w.-]+)$")
_QUEUE: Final = re.compile(r"https?://sqs\.[^/]+/\d{12}/(?P<name>[\w.-]+)$")


@dataclass(frozen=True)
class Outputs:
    """Looks for what outputs of a stack name: by ARN, by address, or by the name of one of its own resources."""

    env: Environment = field(repr=False)
    graph: Graph = field(repr=False)
    compute: Compute = field(repr=False)

    def exists(self, value: str) -> bool | None:
        """Whether there is what a value names; None for a text that names nothing of AWS's that is known here."""
        resource = self.graph.named(value) if value else None
        if resource and resource.declared and resource.type in self._by_type:
            return self._by_type[resource.type](resource.physical_id)
        for pattern, ask in self._by_form:
            if found := pattern.match(value):
                return ask(found[found.lastgroup or 0])
        return self.compute.is_there(value)

    @property
    def _by_form(self) -> Sequence[tuple[re.Pattern[str], Callable[[str], bool]]]:
        return [
            (_BUCKET, self._bucket),
            (_TABLE, lambda name: self._asked("dynamodb", "describe_table", TableName=name)),
            (_QUEUE, lambda name: self._asked("sqs", "get_queue_url", QueueName=name)),
            (_API, self._api),
            (_CDN, lambda name: name in self._cdn_names),
        ]

    @property
    def _by_type(self) -> Mapping[str, Callable[[str], bool]]:
        return {
            "AWS::S3::Bucket": self._bucket,
            "AWS::DynamoDB::Table": lambda name: self._asked("dynamodb", "describe_table", TableName=name),
            "AWS::Lambda::Function": lambda name: self._asked(
                "lambda", "get_function_configuration", FunctionName=name
            ),
            "AWS::SQS::Queue": lambda url: self._asked(
                "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"]
            ),
            "AWS::SNS::Topic": lambda arn: self._asked("sns", "get_topic_attributes", TopicArn=arn),
            "AWS::ApiGatewayV2::Api": self._api,
            "AWS::ApiGateway::RestApi": self._api,
            "AWS::Cognito::UserPool": lambda id_: self._asked(
                "cognito-idp", "describe_user_pool", UserPoolId=id_
            ),
        }

    def _bucket(self, name: str) -> bool:
        return self._asked("s3", "head_bucket", Bucket=name)

    def _api(self, id_: str) -> bool:
        return self._asked("apigatewayv2", "get_api", ApiId=id_) or self._asked(
            "apigateway", "get_rest_api", restApiId=id_
        )

    @cached_property
    def _cdn_names(self) -> set[str]:
        pages = self.env.client("cloudfront").get_paginator("list_distributions").paginate()
        return {one["DomainName"] for page in pages for one in page["DistributionList"].get("Items", [])}

    def _asked(self, service: str, operation: str, **which: object) -> bool:
        return exists(self.env, service, operation, **which)
