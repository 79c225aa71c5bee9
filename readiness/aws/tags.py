"""Tags of live resources, each in its own service's words, as one mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import botocore.exceptions

from readiness.environment import Environment
from readiness.errors import Unverified

Read = Callable[[Environment, str], Mapping[str, str]]

UNTAGGABLE: Final = frozenset(
    {
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::Lambda::Permission",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)
"""Types without a property for tags. Source: CloudFormation Template Reference, each type's page."""


def tags_of(env: Environment, kind: str, physical_id: str) -> Mapping[str, str]:
    """Return the tags of a resource by its type and its physical id; for a stage, that is `<api id>/stages/<name>`.

    Raises:
        Unverified: this module has no reader of the tags of this type.
    """
    if kind not in _READERS:
        raise Unverified(f"no reader of tags for {kind}; add one, or name it in UNTAGGABLE ({__name__})")
    return _READERS[kind](env, physical_id)


def _mapping(
    tags: Iterable[Mapping[str, object]], key: str = "Key", value: str = "Value"
) -> Mapping[str, str]:
    return {str(tag[key]): str(tag[value]) for tag in tags}


def _arn(env: Environment, service: str, what: str, region: str | None = None, *, owned: bool = True) -> str:
    where = env.region if region is None else region
    return f"arn:{env.partition}:{service}:{where}:{env.account_id if owned else ''}:{what}"


def _api(env: Environment, id_: str) -> Mapping[str, str]:
    arn = _arn(env, "apigateway", f"/apis/{id_}", owned=False)
    return dict(env.client("apigatewayv2").get_tags(ResourceArn=arn)["Tags"])


def _function(env: Environment, name: str) -> Mapping[str, str]:
    return dict(env.client("lambda").list_tags(Resource=_arn(env, "lambda", f"function:{name}"))["Tags"])


def _event_source(env: Environment, id_: str) -> Mapping[str, str]:
    arn = _arn(env, "lambda", f"event-source-mapping:{id_}")
    return dict(env.client("lambda").list_tags(Resource=arn)["Tags"])


def _bucket(env: Environment, name: str) -> Mapping[str, str]:
    try:
        return _mapping(env.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
    except botocore.exceptions.ClientError as problem:
        if problem.response["Error"]["Code"] == "NoSuchTagSet":  # how S3 says: it has none
            return {}
        raise


def _log_group(env: Environment, name: str) -> Mapping[str, str]:
    answer = env.client("logs").list_tags_for_resource(resourceArn=_arn(env, "logs", f"log-group:{name}"))
    return dict(answer["tags"])


def _distribution(env: Environment, id_: str) -> Mapping[str, str]:
    arn = _arn(env, "cloudfront", f"distribution/{id_}", region="")
    return _mapping(env.client("cloudfront").list_tags_for_resource(Resource=arn)["Tags"]["Items"])


def _table(env: Environment, name: str) -> Mapping[str, str]:
    arn = _arn(env, "dynamodb", f"table/{name}")
    pages = env.client("dynamodb").get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return _mapping(tag for page in pages for tag in page["Tags"])


def _alarm(env: Environment, name: str) -> Mapping[str, str]:
    arn = _arn(env, "cloudwatch", f"alarm:{name}")
    return _mapping(env.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"])


def _key(env: Environment, id_: str) -> Mapping[str, str]:
    return _mapping(env.client("kms").list_resource_tags(KeyId=id_)["Tags"], "TagKey", "TagValue")


def _web_acl(env: Environment, id_: str) -> Mapping[str, str]:
    name, acl, scope = id_.split("|")
    where = "us-east-1" if scope == "CLOUDFRONT" else env.region
    kind = "global" if scope == "CLOUDFRONT" else "regional"
    arn = _arn(env, "wafv2", f"{kind}/webacl/{name}/{acl}", region=where)
    answer = env.client("wafv2", where).list_tags_for_resource(ResourceARN=arn)
    return _mapping(answer["TagInfoForResource"]["TagList"])


def _budget(env: Environment, name: str) -> Mapping[str, str]:
    arn = _arn(env, "budgets", f"budget/{name}", region="")
    return _mapping(env.client("budgets").list_tags_for_resource(ResourceARN=arn).get("ResourceTags", []))


def _rest_api(env: Environment, id_: str) -> Mapping[str, str]:
    arn = _arn(env, "apigateway", f"/restapis/{id_}", owned=False)
    return dict(env.client("apigateway").get_tags(resourceArn=arn)["tags"])


def _rule(env: Environment, id_: str) -> Mapping[str, str]:
    arn = _arn(env, "events", f"rule/{id_.replace('|', '/')}")
    return _mapping(env.client("events").list_tags_for_resource(ResourceARN=arn)["Tags"])


def _state_machine(env: Environment, arn: str) -> Mapping[str, str]:
    answer = env.client("stepfunctions").list_tags_for_resource(resourceArn=arn)
    return _mapping(answer["tags"], "key", "value")


def _user_pool(env: Environment, id_: str) -> Mapping[str, str]:
    answer = env.client("cognito-idp").list_tags_for_resource(
        ResourceArn=_arn(env, "cognito-idp", f"userpool/{id_}")
    )
    return dict(answer.get("Tags", {}))


_READERS: Final[Mapping[str, Read]] = {
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGatewayV2::Api": _api,
    "AWS::ApiGatewayV2::Stage": _api,
    "AWS::Budgets::Budget": _budget,
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Cognito::UserPool": _user_pool,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": lambda env, name: _mapping(env.client("iam").list_role_tags(RoleName=name)["Tags"]),
    "AWS::KMS::Key": _key,
    "AWS::Lambda::EventSourceMapping": _event_source,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Topic": lambda env, arn: _mapping(
        env.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
    ),
    "AWS::SQS::Queue": lambda env, url: dict(env.client("sqs").list_queue_tags(QueueUrl=url).get("Tags", {})),
    "AWS::SecretsManager::Secret": lambda env, arn: _mapping(
        env.client("secretsmanager").describe_secret(SecretId=arn).get("Tags", [])
    ),
    "AWS::StepFunctions::StateMachine": _state_machine,
    "AWS::WAFv2::WebACL": _web_acl,
}
_OWN_ALONE: Final = {"AWS::ApiGatewayV2::Stage", "AWS::Budgets::Budget", "AWS::Events::Rule"}
READABLE: Final = tuple(sorted(_READERS.keys() - _OWN_ALONE))
"""Types that get their stack's tags, and tell them by what the stack calls them; a stage's also need its API's id."""
