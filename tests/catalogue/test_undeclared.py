"""STACK-07 on the embedded AWS: nothing at a stack that was just deployed, and each thing that is added to it by hand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from readiness.catalogue.undeclared.search import undeclared
from readiness.discovery import live
from tests.embedded.conftest import Running, cloud
from tests.embedded.stacks import Stack, deployed
from verification.application import connect

__all__ = ["cloud"]
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("undeclared")]
STRANGER = "444455556666"

# Every type with as little as its template must say, so that all else is AWS's default.
BARE = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: [lambda.amazonaws.com, states.amazonaws.com]}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: queue
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]
                Resource: !GetAtt Queue.Arn
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: {ZipFile: "def handler(event, context): return {}"}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Function, FunctionVersion: !GetAtt Version.Version, Name: live}
  Asynchronous:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: !Ref Function, Qualifier: !GetAtt Version.Version, MaximumRetryAttempts: 1}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Function, AuthType: AWS_IAM}}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Alias, Action: lambda:InvokeFunction, Principal: events.amazonaws.com, SourceArn: !GetAtt Rule.Arn}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Alias, EventSourceArn: !GetAtt Queue.Arn}
  Queue: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}
  Bucket: {Type: AWS::S3::Bucket}
  Kept:
    Type: AWS::S3::Bucket
    Properties:
      LifecycleConfiguration:
        Rules:
          - {Id: old, Status: Enabled, NoncurrentVersionExpirationInDays: 30}
          - {Status: Enabled, Prefix: tmp/, ExpirationInDays: 1, Transition: {StorageClass: STANDARD_IA, TransitionInDays: 90}}
  Unnamed:
    Type: AWS::S3::Bucket
    Properties:
      LifecycleConfiguration: {Rules: [{Status: Enabled, Prefix: tmp/, ExpirationInDays: 1}]}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Group: {Type: AWS::Logs::LogGroup}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  Rule:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [shop]}, Targets: [{Id: alias, Arn: !Ref Alias}]}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/Lambda
      MetricName: Errors
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanThreshold
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: bare, ProtocolType: HTTP}}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !Ref Alias, PayloadFormatVersion: "2.0"}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: GET /, Target: !Sub "integrations/${Integration}"}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: v1}}
  Rest: {Type: AWS::ApiGateway::RestApi, Properties: {Name: bare}}
  Things:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: things}
  Root:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !GetAtt Rest.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      Integration: {Type: MOCK}
  Thing:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Rest, ResourceId: !Ref Things, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: MOCK}}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties: {RoleArn: !GetAtt Role.Arn, DefinitionString: '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: kms:*, Resource: "*"}
  Users: {Type: AWS::Cognito::UserPool}
  Page: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Users}}
  CachePolicy:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig:
        Name: !Sub "${AWS::StackName}-cache"
        MinTTL: 1
        DefaultTTL: 60
        MaxTTL: 600
        ParametersInCacheKeyAndForwardedToOrigin:
          CookiesConfig: {CookieBehavior: none}
          HeadersConfig: {HeaderBehavior: none}
          QueryStringsConfig: {QueryStringBehavior: none}
          EnableAcceptEncodingGzip: true
  RequestPolicy:
    Type: AWS::CloudFront::OriginRequestPolicy
    Properties:
      OriginRequestPolicyConfig:
        Name: !Sub "${AWS::StackName}-request"
        CookiesConfig: {CookieBehavior: none}
        HeadersConfig: {HeaderBehavior: none}
        QueryStringsConfig: {QueryStringBehavior: none}
  HeadersPolicy:
    Type: AWS::CloudFront::ResponseHeadersPolicy
    Properties:
      ResponseHeadersPolicyConfig:
        Name: !Sub "${AWS::StackName}-headers"
        SecurityHeadersConfig: {ContentTypeOptions: {Override: true}}
  OwnHeaders:
    Type: AWS::CloudFront::ResponseHeadersPolicy
    Properties:
      ResponseHeadersPolicyConfig:
        Name: !Sub "${AWS::StackName}-own-headers"
        CustomHeadersConfig: {Items: [{Header: x-own, Value: "1", Override: true}]}
  AccessControl:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        Name: !Sub "${AWS::StackName}-access"
        OriginAccessControlOriginType: s3
        SigningBehavior: always
        SigningProtocol: sigv4
  Acl:
    Type: AWS::WAFv2::WebACL
    Properties:
      Scope: REGIONAL
      DefaultAction: {Allow: {}}
      VisibilityConfig: {CloudWatchMetricsEnabled: true, MetricName: acl, SampledRequestsEnabled: true}
      Rules:
        - Name: floods
          Priority: 1
          Action: {Block: {}}
          Statement: {RateBasedStatement: {Limit: 1000, AggregateKeyType: IP}}
          VisibilityConfig: {CloudWatchMetricsEnabled: true, MetricName: floods, SampledRequestsEnabled: true}
        - Name: talkers
          Priority: 2
          Action: {Block: {}}
          Statement:
            SizeConstraintStatement:
              FieldToMatch: {SingleHeader: {Name: User-Agent}}
              ComparisonOperator: GT
              Size: 1000
              TextTransformations: [{Priority: 0, Type: NONE}]
          VisibilityConfig: {CloudWatchMetricsEnabled: true, MetricName: talkers, SampledRequestsEnabled: true}
"""


def found(cloud: Running, stack: Stack) -> Mapping[str, Sequence[str]]:
    env = connect("local", cloud=cloud.cloud.name)
    env = replace(env, settings=replace(env.settings, stack=stack.name))
    return undeclared(env, live.resources(env))


@pytest.fixture(scope="module")
def bare(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, BARE) as stack:
        yield stack


def policy(action: str, resource: str = "*") -> str:
    principal = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def bucket_website(stack: Stack) -> None:
    configuration = {"IndexDocument": {"Suffix": "index.html"}}
    stack.cloud.client("s3").put_bucket_website(
        Bucket=stack.id_of("Bucket"), WebsiteConfiguration=configuration
    )


def bucket_lifecycle(stack: Stack) -> None:
    rule = {"ID": "by-hand", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    stack.cloud.client("s3").put_bucket_lifecycle_configuration(
        Bucket=stack.id_of("Bucket"), LifecycleConfiguration={"Rules": [rule]}
    )


def bucket_policy(stack: Stack) -> None:
    name = stack.id_of("Bucket")
    document = policy("s3:GetObject", f"arn:aws:s3:::{name}/*")
    stack.cloud.client("s3").put_bucket_policy(Bucket=name, Policy=document)


def bucket_versioning(stack: Stack) -> None:
    stack.cloud.client("s3").put_bucket_versioning(
        Bucket=stack.id_of("Bucket"), VersioningConfiguration={"Status": "Enabled"}
    )


def bucket_notification(stack: Stack) -> None:
    stack.cloud.client("s3").put_bucket_notification_configuration(
        Bucket=stack.id_of("Bucket"), NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


def function_of_the_alias(stack: Stack) -> None:
    """A statement in the policy of an alias, which the function's own policy does not show."""
    stack.cloud.client("lambda").add_permission(
        FunctionName=stack.id_of("Function"),
        Qualifier="live",
        StatementId="by-hand",
        Action="lambda:InvokeFunction",
        Principal=STRANGER,
    )


def function_concurrency(stack: Stack) -> None:
    stack.cloud.client("lambda").put_function_concurrency(
        FunctionName=stack.id_of("Function"), ReservedConcurrentExecutions=1
    )


def function_variable(stack: Stack) -> None:
    stack.cloud.client("lambda").update_function_configuration(
        FunctionName=stack.id_of("Function"), Environment={"Variables": {"DEBUG": "1"}}
    )


def table_expiry(stack: Stack) -> None:
    stack.cloud.client("dynamodb").update_time_to_live(
        TableName=stack.id_of("Table"),
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "created"},
    )


def topic_policy(stack: Stack) -> None:
    arn = stack.id_of("Topic")
    stack.cloud.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy("sns:Subscribe", arn)
    )


def queue_redrive_allowed(stack: Stack) -> None:
    stack.cloud.client("sqs").set_queue_attributes(
        QueueUrl=stack.id_of("Queue"), Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'}
    )


def role_attached(stack: Stack) -> None:
    stack.cloud.client("iam").attach_role_policy(
        RoleName=stack.id_of("Role"), PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )


def role_trust(stack: Stack) -> None:
    iam, name = stack.cloud.client("iam"), stack.id_of("Role")
    document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    principal = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    document["Statement"].append({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))


def secret_policy(stack: Stack) -> None:
    stack.cloud.client("secretsmanager").put_resource_policy(
        SecretId=stack.id_of("Secret"), ResourcePolicy=policy("secretsmanager:GetSecretValue")
    )


def rule_target(stack: Stack) -> None:
    arn = stack.cloud.client("sqs").get_queue_attributes(
        QueueUrl=stack.id_of("Queue"), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    stack.cloud.client("events").put_targets(
        Rule=stack.id_of("Rule"), Targets=[{"Id": "by-hand", "Arn": arn}]
    )


def stage_variables(stack: Stack) -> None:
    stack.cloud.client("apigatewayv2").update_stage(
        ApiId=stack.id_of("Api"), StageName="v1", StageVariables={"debug": "1"}
    )


def rest_method(stack: Stack) -> None:
    client, api = stack.cloud.client("apigateway"), stack.id_of("Rest")
    where = {"restApiId": api, "resourceId": stack.id_of("Things"), "httpMethod": "POST"}
    client.put_method(**where, authorizationType="NONE")
    client.put_integration(**where, type="MOCK")


def key_alias(stack: Stack) -> None:
    stack.cloud.client("kms").create_alias(
        AliasName=f"alias/{stack.name}-by-hand", TargetKeyId=stack.id_of("Key")
    )


def bucket_transition(stack: Stack) -> None:
    client, name = stack.cloud.client("s3"), stack.id_of("Kept")
    rules = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    next(one for one in rules if one["ID"] == "old")["Transitions"] = [
        {"Days": 60, "StorageClass": "GLACIER"}
    ]
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})


def alias_weights(stack: Stack) -> None:
    client, name = stack.cloud.client("lambda"), stack.id_of("Function")
    client.update_function_configuration(FunctionName=name, Description="another version")
    version = client.publish_version(FunctionName=name)["Version"]
    client.update_alias(
        FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {version: 0.5}}
    )
    client.update_function_configuration(FunctionName=name, Description="")


def asynchronous_destination(stack: Stack) -> None:
    stack.cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=stack.id_of("Function"),
        Qualifier="1",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": stack.id_of("Topic")}},
    )


def url_for_all_origins(stack: Stack) -> None:
    stack.cloud.client("lambda").update_function_url_config(
        FunctionName=stack.id_of("Function"), Cors={"AllowOrigins": ["*"]}
    )


def subscription_filter(stack: Stack) -> None:
    stack.cloud.client("sns").set_subscription_attributes(
        SubscriptionArn=stack.id_of("Subscription"),
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps({"kind": ["none"]}),
    )


def short_memory(stack: Stack) -> None:
    stack.cloud.client("logs").put_retention_policy(logGroupName=stack.id_of("Group"), retentionInDays=1)


def _response_header(stack: Stack, policy: str) -> None:
    client, id_ = stack.cloud.client("cloudfront"), stack.id_of(policy)
    answer = client.get_response_headers_policy(Id=id_)
    config = answer["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
    added = {"Header": "x-by-hand", "Value": "1", "Override": True}
    headers = [*config.get("CustomHeadersConfig", {}).get("Items", []), added]
    config["CustomHeadersConfig"] = {"Quantity": len(headers), "Items": headers}
    client.update_response_headers_policy(Id=id_, IfMatch=answer["ETag"], ResponseHeadersPolicyConfig=config)


def response_header(stack: Stack) -> None:
    _response_header(stack, "HeadersPolicy")


def header_beside_a_declared_one(stack: Stack) -> None:
    _response_header(stack, "OwnHeaders")


def brotli(stack: Stack) -> None:
    client, id_ = stack.cloud.client("cloudfront"), stack.id_of("CachePolicy")
    answer = client.get_cache_policy(Id=id_)
    config = answer["CachePolicy"]["CachePolicyConfig"]
    config["ParametersInCacheKeyAndForwardedToOrigin"]["EnableAcceptEncodingBrotli"] = True
    client.update_cache_policy(Id=id_, IfMatch=answer["ETag"], CachePolicyConfig=config)


def _firewall(stack: Stack, change: Callable[[list[dict[str, Any]]], None]) -> None:
    client = stack.cloud.client("wafv2")
    name, id_, scope = stack.id_of("Acl").split("|")
    which = {"Name": name, "Id": id_, "Scope": scope}
    answer = client.get_web_acl(**which)
    acl = answer["WebACL"]
    change(acl["Rules"])
    client.update_web_acl(
        **which,
        LockToken=answer["LockToken"],
        DefaultAction=acl["DefaultAction"],
        VisibilityConfig=acl["VisibilityConfig"],
        Rules=acl["Rules"],
    )


DUTCH = {"GeoMatchStatement": {"CountryCodes": ["NL"]}}


def firewall_rule(stack: Stack) -> None:
    measured = {"CloudWatchMetricsEnabled": True, "MetricName": "hand", "SampledRequestsEnabled": True}
    rule = {
        "Name": "by-hand",
        "Priority": 0,
        "Action": {"Allow": {}},
        "Statement": DUTCH,
        "VisibilityConfig": measured,
    }
    _firewall(stack, lambda rules: rules.insert(0, rule))


def scope_of_the_declared_rule(stack: Stack) -> None:
    """The declared rule counts the requests from one country only."""

    def narrow(rules: list[dict[str, Any]]) -> None:
        floods = next(one for one in rules if one["Name"] == "floods")
        floods["Statement"]["RateBasedStatement"]["ScopeDownStatement"] = DUTCH

    _firewall(stack, narrow)


def lifecycle_rule_beside_an_unnamed_one(stack: Stack) -> None:
    """S3 has given the declared rule an id, which the template does not have."""
    client, name = stack.cloud.client("s3"), stack.id_of("Unnamed")
    rules = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    rule = {"ID": "by-hand", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule, *rules]})


def trigger(stack: Stack) -> None:
    """A function that may add claims to every token."""
    arn = stack.cloud.client("lambda").get_function(FunctionName=stack.id_of("Function"))["Configuration"]
    stack.cloud.client("cognito-idp").update_user_pool(
        UserPoolId=stack.id_of("Users"), LambdaConfig={"PreTokenGeneration": arn["FunctionArn"]}
    )


def page_client(stack: Stack) -> None:
    stack.cloud.client("cognito-idp").create_user_pool_client(
        UserPoolId=stack.id_of("Users"), ClientName="by-hand"
    )


def identity_provider(stack: Stack) -> None:
    stack.cloud.client("cognito-idp").create_identity_provider(
        UserPoolId=stack.id_of("Users"),
        ProviderName="elsewhere",
        ProviderType="OIDC",
        ProviderDetails={
            "client_id": "by-hand",
            "authorize_scopes": "openid",
            "attributes_request_method": "GET",
            "oidc_issuer": "https://issuer.example",
        },
    )


ADDITIONS: Sequence[tuple[Callable[[Stack], Any], str, str]] = [
    (bucket_website, "Bucket", "WebsiteConfiguration"),
    (bucket_lifecycle, "Bucket", "LifecycleConfiguration"),
    (bucket_policy, "Bucket", "Policy"),
    (bucket_versioning, "Bucket", "VersioningConfiguration"),
    (bucket_notification, "Bucket", "NotificationConfiguration"),
    (function_of_the_alias, "Function", "Policy"),
    (function_concurrency, "Function", "ReservedConcurrentExecutions"),
    (function_variable, "Function", "Environment.Variables.DEBUG"),
    (table_expiry, "Table", "TimeToLiveSpecification"),
    (topic_policy, "Topic", "Policy"),
    (queue_redrive_allowed, "Queue", "RedriveAllowPolicy"),
    (role_attached, "Role", "AttachedPolicies"),
    (role_trust, "Role", "Policy"),
    (secret_policy, "Secret", "Policy"),
    (rule_target, "Rule", "Targets"),
    (stage_variables, "Stage", "StageVariables"),
    (rest_method, "Rest", "Routes RouteKey=POST /things"),
    (key_alias, "Key", "KeyAliases"),
    (bucket_transition, "Kept", "LifecycleConfiguration.Rules.Transitions"),
    (alias_weights, "Alias", "RoutingConfig"),
    (asynchronous_destination, "Asynchronous", "DestinationConfig"),
    (url_for_all_origins, "Url", "Cors"),
    (subscription_filter, "Subscription", "FilterPolicy"),
    (short_memory, "Group", "RetentionInDays 1"),
    (response_header, "HeadersPolicy", "ResponseHeadersPolicyConfig.CustomHeadersConfig"),
    (
        brotli,
        "CachePolicy",
        "CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.EnableAcceptEncodingBrotli True",
    ),
    (
        header_beside_a_declared_one,
        "OwnHeaders",
        "ResponseHeadersPolicyConfig.CustomHeadersConfig Header=x-by-hand",
    ),
    (trigger, "Users", "LambdaConfig.PreTokenGeneration"),
    (page_client, "Users", "UserPoolClients"),
    (identity_provider, "Users", "IdentityProviders elsewhere"),
    (firewall_rule, "Acl", "Rules Name=by-hand"),
    (
        scope_of_the_declared_rule,
        "Acl",
        "Rules.Statement.RateBasedStatement.ScopeDownStatement.GeoMatchStatement.CountryCodes",
    ),
    (lifecycle_rule_beside_an_unnamed_one, "Unnamed", "LifecycleConfiguration.Rules Id=by-hand"),
]


def test_defaults_are_those_of_a_stack_that_was_just_deployed(cloud: Running, bare: Stack) -> None:
    """Where AWS, or the emulator, sets something that the table does not know, this names it."""
    assert found(cloud, bare) == {}


def test_each_addition_by_hand_is_found(cloud: Running, bare: Stack) -> None:
    for add, _, _ in ADDITIONS:
        add(bare)
    seen = found(cloud, bare)

    missed = [
        add.__name__
        for add, name, member in ADDITIONS
        if not any(re.search(rf"found {re.escape(member)}[ .=;,]", one) for one in seen.get(name, []))
    ]
    assert missed == []
    expected = Counter(name for _, name, _ in ADDITIONS) + Counter(
        ["Queue"]
    )  # which the added target is, too
    assert {name: len(some) for name, some in seen.items()} == expected, seen
