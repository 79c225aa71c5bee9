"""How AWS's APIs refer to a resource: by its ARN, or by an ARN that says more than which resource it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_PATTERNS: Final[Mapping[str, str]] = {
    "AWS::ApiGateway::RestApi": "apigateway:{region}::/restapis/{id}",
    "AWS::ApiGatewayV2::Api": "apigateway:{region}::/apis/{id}",
    "AWS::CloudFront::Distribution": "cloudfront::{account}:distribution/{id}",
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{id}",
    "AWS::CloudWatch::CompositeAlarm": "cloudwatch:{region}:{account}:alarm:{id}",
    "AWS::Cognito::UserPool": "cognito-idp:{region}:{account}:userpool/{id}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{id}",
    "AWS::DynamoDB::GlobalTable": "dynamodb:{region}:{account}:table/{id}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{id}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{id}",
    "AWS::IAM::Role": "iam::{account}:role/{id}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{id}",
    "AWS::KinesisFirehose::DeliveryStream": "firehose:{region}:{account}:deliverystream/{id}",
    "AWS::Kinesis::Stream": "kinesis:{region}:{account}:stream/{id}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{id}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{id}",
    "AWS::S3::Bucket": "s3:::{id}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{id}",
    "AWS::SSM::Parameter": "ssm:{region}:{account}:parameter/{id}",
}
"""The form of a resource's ARN after the partition. Source: Service Authorization Reference, "Resource types" of each service."""
_OTHERS: Final[Mapping[str, str]] = {
    "elasticloadbalancing": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "secretsmanager": "AWS::SecretsManager::Secret",
    "sns": "AWS::SNS::Topic",
    "states": "AWS::StepFunctions::StateMachine",
    "wafv2": "AWS::WAFv2::WebACL",
}
"""Services whose physical ids are ARNs already."""
_PARTS_OF_AN_ACL: Final = 3
"""Name, id and scope."""
_TYPES: Final = [
    (re.compile("^arn:[^:]*:" + re.sub(r"\\\{\w+\\\}", "[^:]*", re.escape(form.replace("{id}", "")))), kind)
    for kind, form in _PATTERNS.items()
    if form != "sqs:{region}:{account}:{id}"
]
_REDUCTIONS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^(arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]+).*$", r"\1"),
        (r"^(arn:[^:]*:s3:::[^/]+).*$", r"\1"),
        (r"^(arn:[^:]*:dynamodb:[^:]*:[^:]*:table/[^/]+).*$", r"\1"),
        (r"^(arn:[^:]*:logs:[^:]*:[^:]*:log-group:[^:]+).*$", r"\1"),
        (r"^(arn:[^:]*:iam::[^:]*:role/)(?:.*/)?([^/]+)$", r"\1\2"),
        (r"^(arn:[^:]*:states:[^:]*:[^:]*:stateMachine:[^:]+).*$", r"\1"),
        (r"^arn:([^:]*):execute-api:([^:]*):[^:]*:([^/]+).*$", r"arn:\1:apigateway:\2::/apis/\3"),
        (r"^(arn:[^:]*:events:[^:]*:[^:]*:rule/)default/([^/]+)$", r"\1\2"),
        (r"^(arn:[^:]*:kinesis:[^:]*:[^:]*:stream/[^/]+)/.*$", r"\1"),
        (r"^(arn:[^:]*:apigateway:[^:]*::/)(?:rest)?apis/([^/]+).*$", r"\1apis/\2"),
    )
)


@dataclass(frozen=True)
class Home:
    """Where a stack lives, as its ARNs say it."""

    partition: str = "aws"
    region: str = ""
    account: str = ""


def short(physical_id: str) -> str:
    """A resource's name where its physical id is a URL, an ARN or `bus|rule`."""
    if physical_id.startswith(("http://", "https://", "arn:")):
        return re.split("[:/]", physical_id)[-1]
    return physical_id.rpartition("|")[2] if physical_id.count("|") == 1 else physical_id


def arn(kind: str, physical_id: str, home: Home) -> str:
    """A resource's ARN, empty where its type is not known to have one."""
    if physical_id.startswith("arn:"):
        return physical_id if kind in _OTHERS.values() else ""
    if kind == "AWS::WAFv2::WebACL" and physical_id.count("|") == _PARTS_OF_AN_ACL - 1:
        title, id_, scope = physical_id.split("|")
        where = "global" if scope == "CLOUDFRONT" else "regional"
        return f"arn:{home.partition}:wafv2:{home.region}:{home.account}:{where}/webacl/{title}/{id_}"
    if not (form := _PATTERNS.get(kind)) or not physical_id:
        return ""
    name = physical_id if kind == "AWS::Logs::LogGroup" else short(physical_id)
    if kind == "AWS::Events::Rule":
        name = physical_id.replace("|", "/")
    if kind == "AWS::SSM::Parameter":
        name = name.lstrip("/")
    return f"arn:{home.partition}:{form.format(region=home.region, account=home.account, id=name)}"


def reduced(reference: str) -> str:
    """The ARN of the resource itself: without a function's version, an object's key, a table's stream, a role's path."""
    for pattern, replacement in _REDUCTIONS:
        if (shorter := pattern.sub(replacement, reference)) != reference:
            return shorter
    return reference


def kind(reference: str) -> str:
    """CloudFormation's type of what an ARN names, empty where it is not known."""
    if not reference.startswith("arn:"):
        return ""
    for pattern, type_ in _TYPES:
        if pattern.match(reference):
            return type_
    service = reference.split(":")[2]
    return "AWS::SQS::Queue" if service == "sqs" else _OTHERS.get(service, "")


def name(reference: str) -> str:
    """What to call a resource that the stack does not declare."""
    if "log-group:" in reference:
        return reference.partition("log-group:")[2].removesuffix(":*")
    return reference.partition("alias/")[2] or short(reference)
