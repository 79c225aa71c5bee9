"""What the read handlers of CloudFormation's resource types do not return, so that drift detection does not compare it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOT_CHECKED: Final = frozenset({"AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"})
"""Types whose schema has no read handler, so that CloudFormation does not compare them. Source: the CloudFormation registry."""
WRITE_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "AWS::ApiGatewayV2::Api": frozenset({"Body", "DisableSchemaValidation"}),
    "AWS::ApiGatewayV2::Authorizer": frozenset(
        {
            "AuthorizerPayloadFormatVersion",
            "AuthorizerResultTtlInSeconds",
            "AuthorizerUri",
            "EnableSimpleResponses",
        }
    ),
    "AWS::ApiGatewayV2::Route": frozenset({"AuthorizerId"}),
    "AWS::Lambda::Function": frozenset({"Code", "SnapStart"}),
    "AWS::SecretsManager::Secret": frozenset({"SecretString"}),
}
"""Properties that a read handler does not return. Source: `writeOnlyProperties` of each type in the CloudFormation registry."""
