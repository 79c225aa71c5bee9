"""What boto3's client of each service is, for mypy: it knows every operation, paginator, waiter and parameter.

A method or function that makes clients is marked with `typed`; the types come from boto3-stubs, which only development needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Protocol, cast, overload

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_budgets import BudgetsClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_wafv2 import WAFV2Client

P = ParamSpec("P")


class Clients(Protocol[P]):
    """Makes the client of a service that boto3 knows by a name; `P` is what else it is given.

    A new service needs a line here and its stubs in pyproject.toml. Without them its client has no operations.
    """

    @overload
    def __call__(
        self, service: Literal["apigateway"], *args: P.args, **more: P.kwargs
    ) -> APIGatewayClient: ...
    @overload
    def __call__(
        self, service: Literal["apigatewayv2"], *args: P.args, **more: P.kwargs
    ) -> ApiGatewayV2Client: ...
    @overload
    def __call__(
        self, service: Literal["application-autoscaling"], *args: P.args, **more: P.kwargs
    ) -> ApplicationAutoScalingClient: ...
    @overload
    def __call__(self, service: Literal["bedrock"], *args: P.args, **more: P.kwargs) -> BedrockClient: ...
    @overload
    def __call__(self, service: Literal["budgets"], *args: P.args, **more: P.kwargs) -> BudgetsClient: ...
    @overload
    def __call__(
        self, service: Literal["cloudformation"], *args: P.args, **more: P.kwargs
    ) -> CloudFormationClient: ...
    @overload
    def __call__(
        self, service: Literal["cloudfront"], *args: P.args, **more: P.kwargs
    ) -> CloudFrontClient: ...
    @overload
    def __call__(
        self, service: Literal["cloudwatch"], *args: P.args, **more: P.kwargs
    ) -> CloudWatchClient: ...
    @overload
    def __call__(
        self, service: Literal["cognito-idp"], *args: P.args, **more: P.kwargs
    ) -> CognitoIdentityProviderClient: ...
    @overload
    def __call__(self, service: Literal["dynamodb"], *args: P.args, **more: P.kwargs) -> DynamoDBClient: ...
    @overload
    def __call__(
        self, service: Literal["elbv2"], *args: P.args, **more: P.kwargs
    ) -> ElasticLoadBalancingv2Client: ...
    @overload
    def __call__(self, service: Literal["events"], *args: P.args, **more: P.kwargs) -> EventBridgeClient: ...
    @overload
    def __call__(self, service: Literal["iam"], *args: P.args, **more: P.kwargs) -> IAMClient: ...
    @overload
    def __call__(self, service: Literal["kinesis"], *args: P.args, **more: P.kwargs) -> KinesisClient: ...
    @overload
    def __call__(self, service: Literal["kms"], *args: P.args, **more: P.kwargs) -> KMSClient: ...
    @overload
    def __call__(self, service: Literal["lambda"], *args: P.args, **more: P.kwargs) -> LambdaClient: ...
    @overload
    def __call__(self, service: Literal["logs"], *args: P.args, **more: P.kwargs) -> CloudWatchLogsClient: ...
    @overload
    def __call__(self, service: Literal["s3"], *args: P.args, **more: P.kwargs) -> S3Client: ...
    @overload
    def __call__(
        self, service: Literal["scheduler"], *args: P.args, **more: P.kwargs
    ) -> EventBridgeSchedulerClient: ...
    @overload
    def __call__(
        self, service: Literal["secretsmanager"], *args: P.args, **more: P.kwargs
    ) -> SecretsManagerClient: ...
    @overload
    def __call__(
        self, service: Literal["service-quotas"], *args: P.args, **more: P.kwargs
    ) -> ServiceQuotasClient: ...
    @overload
    def __call__(self, service: Literal["sns"], *args: P.args, **more: P.kwargs) -> SNSClient: ...
    @overload
    def __call__(self, service: Literal["sqs"], *args: P.args, **more: P.kwargs) -> SQSClient: ...
    @overload
    def __call__(self, service: Literal["ssm"], *args: P.args, **more: P.kwargs) -> SSMClient: ...
    @overload
    def __call__(self, service: Literal["stepfunctions"], *args: P.args, **more: P.kwargs) -> SFNClient: ...
    @overload
    def __call__(self, service: Literal["sts"], *args: P.args, **more: P.kwargs) -> STSClient: ...
    @overload
    def __call__(self, service: Literal["wafv2"], *args: P.args, **more: P.kwargs) -> WAFV2Client: ...
    @overload
    def __call__(self, service: str, *args: P.args, **more: P.kwargs) -> BaseClient: ...


def typed(make: Callable[Concatenate[Any, str, P], Any]) -> Clients[P]:
    """Let mypy know what the method returns for each service; the method stays as it is."""
    return cast("Clients[P]", make)
