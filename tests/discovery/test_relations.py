"""Each relation, from answers in the form of each service's API."""

from __future__ import annotations

import json

import pytest

from readiness.discovery.graph import Edge, Graph, Relation
from readiness.discovery.relations import (
    apigateway,
    cloudfront,
    cloudwatch,
    elbv2,
    events,
    iam,
    kms,
    lambda_,
    logs,
    s3,
    sns,
    sqs,
    stepfunctions,
)
from readiness.errors import Missing
from tests.answering import ACCOUNT, REGION, Answering
from tests.discovery.declared import arn, resource, sentences

FUNCTION = resource("Lambda::Function", "Worker", "shop-worker")
QUEUE = resource("SQS::Queue", "Jobs", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/shop-jobs")
DEAD = resource("SQS::Queue", "Failed", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/shop-failed")
TABLE = resource("DynamoDB::Table", "Orders", "shop-orders")
BUCKET = resource("S3::Bucket", "Files", "shop-files")
LOGS = resource("S3::Bucket", "Logs", "shop-logs")
TOPIC = resource("SNS::Topic", "Alarms", arn("sns", "shop-alarms"))
ROLE = resource("IAM::Role", "WorkerRole", "shop-role")
KEY = resource("KMS::Key", "Key", "11111111-2222-3333-4444-555555555555")
SECRET = resource("SecretsManager::Secret", "Keys", arn("secretsmanager", "secret:shop-keys-AbCdEf"))
GROUP = resource("Logs::LogGroup", "WorkerLog", "/shop/worker")
MACHINE = resource("StepFunctions::StateMachine", "Import", arn("states", "stateMachine:shop-import"))
RULE = resource("Events::Rule", "Nightly", "shop-nightly")
HTTP = resource("ApiGatewayV2::Api", "Http", "abc123")
REST = resource("ApiGateway::RestApi", "Rest", "def456")
POOL = resource("Cognito::UserPool", "Users", f"{REGION}_Pool1")
ACL = resource("WAFv2::WebACL", "Acl", "shop|9f8e|REGIONAL")
BALANCER = resource(
    "ElasticLoadBalancingV2::LoadBalancer",
    "Balancer",
    arn("elasticloadbalancing", "loadbalancer/app/shop/1f"),
)
FUNCTION_URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION.arn}/invocations"


def found(module, graph: Graph, answers) -> set[str]:
    """What a module adds, with nothing left unread."""
    whole = graph.plus(module.edges(Answering(answers), graph))
    assert list(whole.gaps) == []
    return sentences(whole) - sentences(graph)


OF_ONE_FUNCTION = {
    "lambda:GetFunctionConfiguration": {"FunctionName": "shop-worker"},
    "lambda:ListAliases": {"Aliases": []},
    "lambda:ListVersionsByFunction": {"Versions": [{"Version": "$LATEST"}]},
}


def test_functions() -> None:
    policy = {
        "Statement": [
            {
                "Sid": "Bucket",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Condition": {"ArnLike": {"AWS:SourceArn": BUCKET.arn}},
            },
            {"Sid": "Anyone", "Effect": "Allow", "Principal": "*"},
        ]
    }
    answers = {
        "lambda:ListFunctions": {
            "Functions": [
                {
                    "FunctionName": "shop-worker",
                    "FunctionArn": FUNCTION.arn,
                    "Role": f"arn:aws:iam::{ACCOUNT}:role/service/shop-role",
                    "KMSKeyArn": KEY.arn,
                    "DeadLetterConfig": {"TargetArn": DEAD.arn},
                    "Environment": {"Variables": {"TABLE": "shop-orders", "MODE": "fast"}},
                },
                {"FunctionName": "other", "FunctionArn": arn("lambda", "function:other"), "Role": "r"},
            ]
        },
        "lambda:ListEventSourceMappings": {
            "EventSourceMappings": [
                {
                    "FunctionArn": f"{FUNCTION.arn}:live",
                    "EventSourceArn": f"{TABLE.arn}/stream/2026-01-01",
                    "DestinationConfig": {"OnFailure": {"Destination": DEAD.arn}},
                },
                {"FunctionArn": FUNCTION.arn, "EventSourceArn": QUEUE.arn, "State": "Disabled"},
            ]
        },
        "lambda:ListFunctionEventInvokeConfigs": {
            "FunctionEventInvokeConfigs": [{"DestinationConfig": {"OnSuccess": {"Destination": TOPIC.arn}}}]
        },
        **OF_ONE_FUNCTION,
        "lambda:GetPolicy": {"Policy": json.dumps(policy)},
    }
    graph = Graph([FUNCTION, ROLE, KEY, DEAD, QUEUE, TABLE, TOPIC, BUCKET])

    assert found(lambda_, graph, answers) == {
        "Worker assumes WorkerRole",
        "Worker logs to /aws/lambda/shop-worker*",
        "Worker dead letters to Failed [asynchronous invocations]",
        "Worker dead letters to Failed [event source]",
        "Worker encrypts with Key",
        "Worker uses Orders [TABLE]",
        "Worker reads from Orders",
        "Worker reads from Jobs [Disabled]",
        "Worker notifies Alarms [on success]",
        "Files may invoke Worker [Bucket]",
        "* may invoke Worker [Anyone]",
    }


def test_a_function_without_a_policy_lets_nobody_in() -> None:
    answers = {
        "lambda:ListFunctions": {"Functions": []},
        "lambda:ListEventSourceMappings": {"EventSourceMappings": []},
        "lambda:ListFunctionEventInvokeConfigs": {"FunctionEventInvokeConfigs": []},
        **OF_ONE_FUNCTION,
        "lambda:GetPolicy": Missing("none"),
    }
    url = resource("Lambda::Url", "WorkerUrl", FUNCTION.arn)

    assert found(lambda_, Graph([url, FUNCTION]), answers) == {"WorkerUrl routes to Worker [function URL]"}


def test_http_apis() -> None:
    stage = resource("ApiGatewayV2::Stage", "Stage", "$default", ApiId={"Ref": "Http"})
    foreign = resource("ApiGatewayV2::Stage", "Foreign", "$default", ApiId={"Ref": "Other"})
    answers = {
        "apigatewayv2:GetRoutes": {
            "Items": [
                {
                    "RouteKey": "GET /orders",
                    "Target": "integrations/i1",
                    "AuthorizerId": "a1",
                    "AuthorizationType": "JWT",
                },
                {"RouteKey": "POST /jobs", "Target": "integrations/i2", "AuthorizationType": "AWS_IAM"},
            ]
        },
        "apigatewayv2:GetIntegrations": {
            "Items": [
                {"IntegrationId": "i1", "IntegrationUri": FUNCTION.arn},
                {"IntegrationId": "i2", "RequestParameters": {"QueueUrl": QUEUE.physical_id}},
            ]
        },
        "apigatewayv2:GetStages": {
            "Items": [{"StageName": "$default", "AccessLogSettings": {"DestinationArn": GROUP.arn}}]
        },
        "apigatewayv2:GetAuthorizers": {
            "Items": [
                {
                    "AuthorizerId": "a1",
                    "Name": "users",
                    "JwtConfiguration": {
                        "Issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{POOL.physical_id}"
                    },
                }
            ]
        },
    }

    assert found(apigateway, Graph([HTTP, foreign, stage, FUNCTION, QUEUE, GROUP, POOL]), answers) == {
        "Http routes to Worker [GET /orders]",
        "Http routes to Jobs [POST /jobs]",
        "Stage logs to WorkerLog",
        "Http authorized by users* [GET /orders]",
        "Http authorized by Users [GET /orders]",
        "Http authorized by IAM* [POST /jobs]",
    }


def test_rest_apis() -> None:
    authorizer = resource("ApiGateway::Authorizer", "Guard", "a1")
    stage = resource("ApiGateway::Stage", "Live", "live")
    queue = f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/shop-jobs"
    methods = {
        "GET": {
            "authorizerId": "a1",
            "authorizationType": "CUSTOM",
            "methodIntegration": {"uri": FUNCTION_URI},
        },
        "POST": {"authorizationType": "NONE", "methodIntegration": {"uri": queue}},
    }
    answers = {
        "apigateway:GetResources": {"items": [{"path": "/orders", "resourceMethods": methods}]},
        "apigateway:GetStages": {
            "item": [
                {
                    "stageName": "live",
                    "webAclArn": ACL.arn,
                    "accessLogSettings": {"destinationArn": GROUP.arn},
                }
            ]
        },
        "apigateway:GetAuthorizers": {"items": [{"id": "a1", "authorizerUri": FUNCTION_URI}]},
    }

    assert found(apigateway, Graph([REST, authorizer, stage, FUNCTION, QUEUE, GROUP, ACL]), answers) == {
        "Rest routes to Worker [GET /orders]",
        "Rest routes to Jobs [POST /orders]",
        "Rest authorized by Guard [GET /orders]",
        "Rest authorized by Worker [GET /orders]",
        "Live logs to WorkerLog",
        "Live protected by Acl",
    }


def test_load_balancers() -> None:
    group = arn("elasticloadbalancing", "targetgroup/shop/2f")
    listener = arn("elasticloadbalancing", "listener/app/shop/1f/3f")
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    answers = {
        "elbv2:DescribeTargetGroups": {"TargetGroups": [{"TargetGroupArn": group, "TargetType": "lambda"}]},
        "elbv2:DescribeTargetHealth": {"TargetHealthDescriptions": [{"Target": {"Id": FUNCTION.arn}}]},
        "elbv2:DescribeListeners": {"Listeners": [{"ListenerArn": listener}]},
        "elbv2:DescribeRules": {"Rules": [{"Conditions": [{"Values": ["/api/*"]}], "Actions": forward}]},
        "elbv2:DescribeLoadBalancerAttributes": {
            "Attributes": [
                {"Key": "access_logs.s3.enabled", "Value": "true"},
                {"Key": "access_logs.s3.bucket", "Value": "shop-logs"},
            ]
        },
        "wafv2:GetWebACLForResource": {"WebACL": _acl()},
    }

    assert found(elbv2, Graph([BALANCER, FUNCTION, LOGS, ACL]), answers) == {
        "Balancer routes to Worker [/api/*]",
        "Balancer logs to Logs",
        "Balancer protected by Acl",
    }


def _acl():
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "shop"}
    return {
        "Name": "shop",
        "Id": "9f8e",
        "ARN": ACL.arn,
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": visible,
    }


def test_distributions() -> None:
    distribution = resource("CloudFront::Distribution", "Cdn", "E1")
    url = resource("Lambda::Url", "WorkerUrl", FUNCTION.arn)
    origins = {
        "files": f"shop-files.s3.{REGION}.amazonaws.com",
        "api": f"abc123.execute-api.{REGION}.amazonaws.com",
        "url": f"xyz.lambda-url.{REGION}.on.aws",
        "away": "shop.example",
    }
    paths = {"/api/*": "api", "/run": "url", "/away": "away"}
    config = {
        "CallerReference": "1",
        "Comment": "",
        "Enabled": True,
        "WebACLId": ACL.arn,
        "Logging": {
            "Enabled": True,
            "IncludeCookies": False,
            "Prefix": "",
            "Bucket": "shop-logs.s3.amazonaws.com",
        },
        "Origins": {
            "Quantity": 4,
            "Items": [{"Id": id_, "DomainName": name} for id_, name in origins.items()],
        },
        "DefaultCacheBehavior": {"TargetOriginId": "files", "ViewerProtocolPolicy": "https-only"},
        "CacheBehaviors": {
            "Quantity": 3,
            "Items": [
                {"PathPattern": path, "TargetOriginId": id_, "ViewerProtocolPolicy": "https-only"}
                for path, id_ in paths.items()
            ],
        },
    }
    answers = {
        "cloudfront:GetDistributionConfig": {"DistributionConfig": config},
        "lambda:GetFunctionUrlConfig": {
            "FunctionUrl": f"https://{origins['url']}/",
            "FunctionArn": FUNCTION.arn,
            "AuthType": "NONE",
            "CreationTime": "now",
            "LastModifiedTime": "now",
        },
    }

    assert found(cloudfront, Graph([distribution, BUCKET, LOGS, HTTP, url, FUNCTION, ACL]), answers) == {
        "Cdn serves Files [*]",
        "Cdn serves Http [/api/*]",
        "Cdn serves WorkerUrl [/run]",
        "Cdn serves shop.example* [/away]",
        "Cdn protected by Acl",
        "Cdn logs to Logs",
    }


def test_rules_and_schedules() -> None:
    schedule = resource("Scheduler::Schedule", "Daily", "shop-daily", GroupName={"Ref": "Group"})
    dead = {"DeadLetterConfig": {"Arn": DEAD.arn}}
    answers = {
        "events:ListRules": {
            "Rules": [{"Name": "shop-nightly", "Arn": RULE.arn, "EventPattern": '{"bucket": ["shop-files"]}'}]
        },
        "events:ListTargetsByRule": {
            "Targets": [
                {"Id": "work", "Arn": FUNCTION.arn, **dead},
                {"Id": "import", "Arn": MACHINE.arn, "RoleArn": ROLE.arn},
                {"Id": "queue", "Arn": QUEUE.arn},
            ]
        },
        "scheduler:ListSchedules": {"Schedules": [{"Name": "shop-daily", "GroupName": "shop"}]},
        "scheduler:GetSchedule": lambda asked: (
            {
                "ScheduleExpression": "rate(1 day)",
                "Target": {"Arn": FUNCTION.arn, "RoleArn": ROLE.arn, **dead},
            }
            if asked.get("GroupName") == "shop"
            else None
        ),
    }

    assert found(events, Graph([RULE, schedule, BUCKET, FUNCTION, MACHINE, QUEUE, DEAD, ROLE]), answers) == {
        "Files notifies Nightly [events]",
        "Nightly invokes Worker",
        "Nightly invokes Import",
        "Nightly notifies Jobs",
        "Nightly dead letters to Failed [work]",
        "Nightly assumes WorkerRole",
        "Daily invokes Worker [rate(1 day)]",
        "Daily dead letters to Failed",
        "Daily assumes WorkerRole",
    }


def test_state_machines() -> None:
    definition = {"Resource": FUNCTION.arn, "QueueUrl": QUEUE.physical_id, "TableName": "shop-orders"}
    answers = {
        "stepfunctions:DescribeStateMachine": {
            "stateMachineArn": MACHINE.arn,
            "name": "shop-import",
            "type": "STANDARD",
            "creationDate": "2026-01-01",
            "definition": json.dumps(definition),
            "roleArn": ROLE.arn,
            "loggingConfiguration": {
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": f"{GROUP.arn}:*"}}]
            },
            "encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY.physical_id},
        }
    }

    assert found(stepfunctions, Graph([MACHINE, FUNCTION, QUEUE, TABLE, ROLE, GROUP, KEY]), answers) == {
        "Import assumes WorkerRole",
        "Import logs to WorkerLog",
        "Import encrypts with Key",
        "Import invokes Worker [definition]",
        "Import notifies Jobs [definition]",
        "Import uses Orders [definition]",
    }


def test_queues() -> None:
    attributes = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD.arn}), "KmsMasterKeyId": KEY.arn}
    answers = {
        "sqs:GetQueueAttributes": lambda asked: {
            "Attributes": attributes if asked["QueueUrl"] == QUEUE.physical_id else {}
        }
    }

    assert found(sqs, Graph([QUEUE, DEAD, KEY]), answers) == {
        "Jobs dead letters to Failed [redrive]",
        "Jobs encrypts with Key",
    }


def test_topics() -> None:
    to_queue, to_mail = arn("sns", "shop-alarms:1"), "PendingConfirmation"
    answers = {
        "sns:ListSubscriptionsByTopic": {
            "Subscriptions": [
                {"SubscriptionArn": to_queue, "Protocol": "sqs", "Endpoint": QUEUE.arn},
                {"SubscriptionArn": f"{to_queue}2", "Protocol": "lambda", "Endpoint": FUNCTION.arn},
                {"SubscriptionArn": to_mail, "Protocol": "email", "Endpoint": "someone@shop.example"},
            ]
        },
        "sns:GetSubscriptionAttributes": lambda asked: {
            "Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD.arn})}
            if asked["SubscriptionArn"] == to_queue
            else {}
        },
        "sns:GetTopicAttributes": {"Attributes": {"KmsMasterKeyId": KEY.physical_id}},
    }

    assert found(sns, Graph([TOPIC, QUEUE, FUNCTION, DEAD, KEY]), answers) == {
        "Alarms notifies Jobs [sqs]",
        "Alarms invokes Worker [lambda]",
        "Alarms notifies email* [email, pending]",
        "Alarms dead letters to Failed [subscription]",
        "Alarms encrypts with Key",
    }


def test_buckets() -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY.arn}}
    created = ["s3:ObjectCreated:*"]
    answers = {
        "s3:GetBucketNotificationConfiguration": {
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": FUNCTION.arn, "Events": created}],
            "QueueConfigurations": [{"QueueArn": QUEUE.arn, "Events": created}],
            "TopicConfigurations": [{"TopicArn": TOPIC.arn, "Events": created}],
        },
        "s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "elsewhere", "TargetPrefix": ""}},
        "s3:GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}},
    }

    assert found(s3, Graph([BUCKET, FUNCTION, QUEUE, TOPIC, KEY]), answers) == {
        "Files invokes Worker [s3:ObjectCreated:*]",
        "Files notifies Jobs [s3:ObjectCreated:*]",
        "Files notifies Alarms [s3:ObjectCreated:*]",
        "Files logs to elsewhere*",
        "Files encrypts with Key",
    }


def test_alarms() -> None:
    own = {"MetricName": "Bad", "Namespace": "Shop"}
    errors = {
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "Dimensions": [{"Name": "FunctionName", "Value": "shop-worker"}],
    }
    sum_ = {"Id": "m", "MetricStat": {"Metric": errors, "Period": 60, "Stat": "Sum"}}
    rest = {
        "MetricName": "5XXError",
        "Namespace": "AWS/ApiGateway",
        "Dimensions": [{"Name": "ApiName", "Value": "shop"}],
    }
    alarms = [resource("CloudWatch::Alarm", name, name.lower()) for name in ("Single", "Maths", "Own", "Api")]
    both = resource("CloudWatch::CompositeAlarm", "Both", "both")
    answers = {
        "cloudwatch:DescribeAlarms": {
            "MetricAlarms": [
                {"AlarmName": "single", **errors, "AlarmActions": [TOPIC.arn], "OKActions": [FUNCTION.arn]},
                {"AlarmName": "maths", "Metrics": [sum_, {"Id": "e", "Expression": "m * 2"}]},
                {"AlarmName": "own", **own},
                {"AlarmName": "api", **rest},
            ],
            "CompositeAlarms": [{"AlarmName": "both", "AlarmRule": "ALARM(single) OR ALARM(maths)"}],
        },
        "logs:DescribeMetricFilters": {"metricFilters": [{"logGroupName": GROUP.physical_id}]},
        "apigateway:GetRestApi": {"name": "shop"},
    }
    filter_ = resource("Logs::MetricFilter", "BadLines", "bad")

    assert found(cloudwatch, Graph([*alarms, both, FUNCTION, TOPIC, GROUP, filter_, REST]), answers) == {
        "Single notifies Alarms [Alarm]",
        "Single invokes Worker [OK]",
        "Single watches Worker [Errors]",
        "Maths watches Worker [Errors]",
        "Own watches WorkerLog [Bad]",
        "Api watches Rest [5XXError]",
        "Both watches Single [rule]",
        "Both watches Maths [rule]",
    }


def test_log_groups() -> None:
    lines = resource("Logs::SubscriptionFilter", "Lines", "lines")
    answers = {
        "logs:DescribeLogGroups": {"logGroups": [{"logGroupName": GROUP.physical_id, "kmsKeyId": KEY.arn}]},
        "logs:DescribeSubscriptionFilters": {
            "subscriptionFilters": [{"destinationArn": FUNCTION.arn, "filterPattern": "ERROR"}]
        },
    }

    assert found(logs, Graph([GROUP, KEY, lines, FUNCTION]), answers) == {
        "WorkerLog encrypts with Key",
        "WorkerLog invokes Worker [ERROR]",
    }


def test_keys_by_alias_too() -> None:
    alias = resource("KMS::Alias", "Alias", "alias/shop")
    graph = Graph([TABLE, SECRET, KEY, alias, FUNCTION])
    answers = {
        "dynamodb:DescribeTable": {"Table": {"SSEDescription": {"KMSMasterKeyArn": KEY.arn}}},
        "secretsmanager:DescribeSecret": {"KmsKeyId": "alias/shop", "RotationLambdaARN": FUNCTION.arn},
        "kms:ListAliases": {"Aliases": [{"AliasName": "alias/shop", "TargetKeyId": KEY.physical_id}]},
    }
    queued = graph.plus([Edge(QUEUE, Relation.ENCRYPTS_WITH, graph.at("alias/shop", "AWS::KMS::Key"))])

    assert found(kms, queued, answers) >= {
        "Orders encrypts with Key",
        "Keys invokes Worker [rotation]",
        "Jobs encrypts with Key [alias/shop]",
    }


def test_policies_of_roles() -> None:
    managed = resource("IAM::ManagedPolicy", "Shared", f"arn:aws:iam::{ACCOUNT}:policy/shared")
    graph = Graph([FUNCTION, ROLE, SECRET, TABLE, QUEUE, BUCKET, GROUP, managed])
    graph = graph.plus([Edge(FUNCTION, Relation.ASSUMES, ROLE)])
    inline = {
        "Statement": [
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET.arn},
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject"],
                "Resource": [f"{BUCKET.arn}/entries/*", GROUP.arn],
            },
            {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"},
            {"Effect": "Deny", "Action": "dynamodb:*", "Resource": TABLE.arn},
        ]
    }
    shared = {"Statement": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn("sqs", "shop-*")}}
    answers = {
        "iam:ListRolePolicies": {"PolicyNames": ["work"]},
        "iam:GetRolePolicy": {
            "RoleName": "shop-role",
            "PolicyName": "work",
            "PolicyDocument": json.dumps(inline),
        },
        "iam:ListAttachedRolePolicies": {"AttachedPolicies": [{"PolicyArn": managed.physical_id}]},
        "iam:GetPolicy": {"Policy": {"DefaultVersionId": "v1"}},
        "iam:GetPolicyVersion": {"PolicyVersion": {"Document": json.dumps(shared)}},
    }

    assert found(iam, graph, answers) == {
        "Worker uses Keys [secretsmanager:GetSecretValue]",
        "Worker uses Files [s3:PutObject]",
        "Worker uses Jobs [sqs:SendMessage]",
    }


def test_a_queue_of_the_same_name_elsewhere_is_another() -> None:
    graph = Graph([QUEUE])
    there = graph.at(QUEUE.arn.replace(ACCOUNT, "999999999999"))

    assert (there.type, there.declared) == ("AWS::SQS::Queue", False)
    assert graph.at(QUEUE.arn) == QUEUE


@pytest.mark.parametrize(
    "module", [apigateway, cloudfront, cloudwatch, elbv2, events, iam, kms, lambda_, logs, s3, sns, sqs]
)
def test_a_service_is_not_asked_without_a_resource_of_it(module) -> None:
    env = Answering({})

    assert list(module.edges(env, Graph([MACHINE]))) == []
    assert not env.calls
