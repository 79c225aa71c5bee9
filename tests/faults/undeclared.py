"""Faults that somebody adds by hand to what the template declares, which no drift shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tests.faults.bench import Bench
from tests.faults.delivery import headers_policy
from tests.faults.fault import fault

_STRANGER = "999999999999"


def _arn(bench: Bench, service: str, rest: str) -> str:
    return f"arn:aws:{service}:{bench.env.region}:{bench.env.account_id}:{rest}"


@fault(
    "INF-21",
    "a second queue is mapped to the worker, disabled for now",
    finding="EventSourceMappings",
    relatives={"INF-07", "SEC-16"},
)
def second_mapping(bench: Bench) -> Iterator[None]:
    client, iam = bench.client("lambda"), bench.client("iam")
    queue = _arn(bench, "sqs", bench.physical("JobsDeadLetterQueue").rpartition("/")[2])
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": queue}
    role = {"RoleName": bench.physical("WorkerFunctionRole"), "PolicyName": "for-a-moment"}
    iam.put_role_policy(
        **role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    try:
        made = client.create_event_source_mapping(
            FunctionName=bench.physical("WorkerFunction"), EventSourceArn=queue, Enabled=False
        )
    finally:
        iam.delete_role_policy(**role)
    try:
        yield
    finally:
        client.delete_event_source_mapping(UUID=made["UUID"])


@fault("INF-21", "another API calls the API function by a role of its own", finding="Callers")
def second_api(bench: Bench) -> Iterator[None]:
    client = bench.client("apigatewayv2")
    function = _arn(bench, "lambda", f"function:{bench.physical('ApiFunction')}")
    api = client.create_api(Name="shadow", ProtocolType="HTTP")["ApiId"]
    client.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function,
        PayloadFormatVersion="2.0",
        CredentialsArn=f"arn:aws:iam::{bench.env.account_id}:role/shadow",
    )
    try:
        yield
    finally:
        client.delete_api(ApiId=api)


@fault("INF-21", "an integration gives up after 20 seconds", finding="TimeoutInMillis 20000")
def shorter_integration(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    routes = client.get_routes(ApiId=api)["Items"]
    route = next(one for one in routes if one["RouteKey"] == "POST /log")
    id_ = route["Target"].removeprefix("integrations/")
    client.update_integration(ApiId=api, IntegrationId=id_, TimeoutInMillis=20000)
    try:
        yield
    finally:
        client.update_integration(ApiId=api, IntegrationId=id_, TimeoutInMillis=30000)


@fault("INF-21", "an authorizer that no route asks for", finding="Authorizers spare")
def authorizer(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    made = client.create_authorizer(
        ApiId=api,
        Name="spare",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Audience": ["spare"], "Issuer": "https://issuer.example"},
    )
    try:
        yield
    finally:
        client.delete_authorizer(ApiId=api, AuthorizerId=made["AuthorizerId"])


@fault("INF-21", "an alias of the worker holds its present code", finding="Aliases")
def alias(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("WorkerFunction")
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="kept", FunctionVersion=version)
    try:
        yield
    finally:
        client.delete_alias(FunctionName=name, Name="kept")
        client.delete_function(FunctionName=name, Qualifier=version)


@fault("INF-21", "a version of the worker that nothing invokes is kept warm", finding="Provisioned")
def warm_version(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("WorkerFunction")
    version = client.publish_version(FunctionName=name)["Version"]
    which = {"FunctionName": name, "Qualifier": version}
    client.put_provisioned_concurrency_config(**which, ProvisionedConcurrentExecutions=10)
    try:
        yield
    finally:
        client.delete_provisioned_concurrency_config(**which)
        # Where another fault published the same code, its alias keeps the version until that fault ends.
        with suppress(client.exceptions.ResourceConflictException):
            client.delete_function(**which)


@fault("INF-21", "the worker's asynchronous invocations are never tried again", finding="EventInvokeConfigs")
def event_invoke_configuration(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("WorkerFunction")
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    try:
        yield
    finally:
        client.delete_function_event_invoke_config(FunctionName=name)


@fault(
    "INF-21", "a service may invoke the worker", finding="Service events.amazonaws.com", relatives={"SEC-16"}
)
def permission(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("WorkerFunction")
    client.add_permission(
        FunctionName=name,
        StatementId="by-hand",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=_arn(bench, "events", "rule/by-hand"),
    )
    try:
        yield
    finally:
        client.remove_permission(FunctionName=name, StatementId="by-hand")


@fault("INF-21", "a rule hands events to the dead-letter queue", finding="EventRules by-hand")
def rule(bench: Bench) -> Iterator[None]:
    client = bench.client("events")
    queue = _arn(bench, "sqs", bench.physical("JobsDeadLetterQueue").rpartition("/")[2])
    client.put_rule(Name="by-hand", EventPattern=json.dumps({"source": ["by-hand"]}), State="DISABLED")
    client.put_targets(Rule="by-hand", Targets=[{"Id": "queue", "Arn": queue}])
    try:
        yield
    finally:
        client.remove_targets(Rule="by-hand", Ids=["queue"])
        client.delete_rule(Name="by-hand")


@fault("INF-21", "somebody else is mailed every alarm", finding="Subscriptions email")
def subscription(bench: Bench) -> Iterator[None]:
    client, topic = bench.client("sns"), bench.physical("AlarmTopic")
    made = client.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="somebody@else.example", ReturnSubscriptionArn=True
    )
    try:
        yield
    finally:
        client.unsubscribe(SubscriptionArn=made["SubscriptionArn"])


@fault("INF-21", "a queue's policy has one statement more", finding="Sid=ByHand", relatives={"SEC-25"})
def queue_statement(bench: Bench) -> Iterator[None]:
    client, url = bench.client("sqs"), bench.physical("AlarmInbox")
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "QueueArn"])[
        "Attributes"
    ]
    policy = json.loads(attributes["Policy"])
    policy["Statement"].append(
        {
            "Sid": "ByHand",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{bench.env.account_id}:role/by-hand"},
            "Action": "sqs:ReceiveMessage",
            "Resource": attributes["QueueArn"],
        }
    )
    with bench.queue_with("AlarmInbox", Policy=json.dumps(policy)):
        yield


@fault("INF-21", "a bucket answers browsers of any origin", finding="CorsConfiguration")
def bucket_cors(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("CdnLogsBucket")
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    try:
        yield
    finally:
        client.delete_bucket_cors(Bucket=bucket)


@fault("INF-21", "another account reads the access logs", finding="Grants Grantee=")
def access_logs_granted(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("CdnLogsBucket")
    before = client.get_bucket_acl(Bucket=bucket)
    own = {"Owner": before["Owner"], "Grants": before["Grants"]}
    stranger = {"Grantee": {"Type": "CanonicalUser", "ID": "9" * 64}, "Permission": "READ"}
    client.put_bucket_acl(Bucket=bucket, AccessControlPolicy={**own, "Grants": [*before["Grants"], stranger]})
    try:
        yield
    finally:
        client.put_bucket_acl(Bucket=bucket, AccessControlPolicy=own)


@fault("INF-21", "the table has a stream of its changes", finding="StreamSpecification")
def table_stream(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.update_table(TableName=table, StreamSpecification=stream)
    try:
        yield
    finally:
        client.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})


@fault("INF-21", "another account may read the table", relatives={"SEC-26"}, finding="dynamodb:Scan")
def table_policy(bench: Bench) -> Iterator[None]:
    client = bench.client("dynamodb")
    arn = _arn(bench, "dynamodb", f"table/{bench.physical('JobsTable')}")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{_STRANGER}:root"},
        "Action": "dynamodb:Scan",
        "Resource": arn,
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))
    try:
        yield
    finally:
        client.delete_resource_policy(ResourceArn=arn)


@fault("INF-21", "the worker's role has another policy", finding="InlinePolicies by-hand")
def inline_policy(bench: Bench) -> Iterator[None]:
    client, role = bench.client("iam"), bench.physical("WorkerFunctionRole")
    statement = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.put_role_policy(RoleName=role, PolicyName="by-hand", PolicyDocument=policy)
    try:
        yield
    finally:
        client.delete_role_policy(RoleName=role, PolicyName="by-hand")


@fault("INF-21", "a log group's lines are handed to another account", finding="SubscriptionFilters by-hand")
def subscription_filter(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical("WorkerLogGroup")
    destination = f"arn:aws:logs:{bench.env.region}:{_STRANGER}:destination:all"
    client.put_subscription_filter(
        logGroupName=group, filterName="by-hand", filterPattern="", destinationArn=destination
    )
    try:
        yield
    finally:
        client.delete_subscription_filter(logGroupName=group, filterName="by-hand")


@fault("INF-21", "a metric counts lines of a log group", finding="MetricFilters by-hand")
def metric_filter(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical("ApiLogGroup")
    counted = {"metricName": "lines", "metricNamespace": "by-hand", "metricValue": "1"}
    client.put_metric_filter(
        logGroupName=group, filterName="by-hand", filterPattern="", metricTransformations=[counted]
    )
    try:
        yield
    finally:
        client.delete_metric_filter(logGroupName=group, filterName="by-hand")


@fault(
    "INF-21",
    "another account may read the keys' secret",
    finding="secretsmanager:GetSecretValue",
    relatives={"SEC-26"},
)
def secret_policy(bench: Bench) -> Iterator[None]:
    client, secret = bench.client("secretsmanager"), bench.physical("ProviderKeys")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{_STRANGER}:root"},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client.put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(policy))
    try:
        yield
    finally:
        client.delete_resource_policy(SecretId=secret)


@fault("INF-21", "another account may use the alarms' key", finding="KeyGrants")
def key_grant(bench: Bench) -> Iterator[None]:
    client, key = bench.client("kms"), bench.physical("AlarmKey")
    grantee = f"arn:aws:iam::{_STRANGER}:role/stranger"
    made = client.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Decrypt"])
    try:
        yield
    finally:
        client.revoke_grant(KeyId=key, GrantId=made["GrantId"])


@fault("INF-21", "images under one more path are cached in a way of their own", finding=r"/by-hand/\*")
def cache_behaviour(bench: Bench) -> Iterator[None]:
    def add(configuration: dict[str, Any]) -> None:
        methods = {
            "Quantity": 2,
            "Items": ["GET", "HEAD"],
            "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
        }
        default = configuration["DefaultCacheBehavior"]
        more = {**default, "PathPattern": "/by-hand/*", "AllowedMethods": methods}
        configuration["CacheBehaviors"] = {"Quantity": 1, "Items": [more]}

    with bench.distribution_changed(add):
        yield


@fault("INF-21", "an alarm counts in a unit of its own", finding="Unit Megabits", relatives={"CONF-12"})
def alarm_unit(bench: Bench) -> Iterator[None]:
    with bench.alarm("ApiThrottlesAlarm", lambda alarm: {**alarm, "Unit": "Megabits"}):
        yield


@fault("INF-21", "a function of somebody's runs at the edge", finding="function/by-hand")
def function_at_the_edge(bench: Bench) -> Iterator[None]:
    client = bench.client("cloudfront")
    made = client.create_function(
        Name="by-hand",
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"function handler(event) { return event.response; }",
    )
    published = client.publish_function(Name="by-hand", IfMatch=made["ETag"])
    arn = published["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    function = {"FunctionARN": arn, "EventType": "viewer-response"}
    try:
        with bench.distribution_with(FunctionAssociations={"Quantity": 1, "Items": [function]}):
            yield
    finally:
        client.delete_function(
            Name="by-hand", IfMatch=client.describe_function(Name="by-hand", Stage="DEVELOPMENT")["ETag"]
        )


@fault("INF-21", "the worker runs with a layer of another account", finding="Layers")
def layer(bench: Bench) -> Iterator[None]:
    arn = f"arn:aws:lambda:{bench.env.region}:{_STRANGER}:layer:by-hand:1"
    with bench.configured("WorkerFunction", Layers=[arn]):
        yield


@fault("INF-21", "the worker has an address of its own", finding="Urls arn:", relatives={"SEC-16"})
def function_url(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("WorkerFunction")
    client.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    try:
        yield
    finally:
        client.delete_function_url_config(FunctionName=name)


@fault(
    "INF-21",
    "one route more leads to the API function",
    finding="RouteKey=GET /by-hand",
    relatives={"CODE-08"},
)
def route(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    target = client.get_routes(ApiId=api)["Items"][0]["Target"]
    made = client.create_route(ApiId=api, RouteKey="GET /by-hand", Target=target)
    try:
        yield
    finally:
        client.delete_route(ApiId=api, RouteId=made["RouteId"])


@fault("INF-21", "a second stage serves the API", relatives={"INF-05"}, finding="Stages byhand")
def stage(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    client.create_stage(ApiId=api, StageName="byhand", AutoDeploy=True)
    try:
        yield
    finally:
        client.delete_stage(ApiId=api, StageName="byhand")


@fault("INF-21", "a log group's lines are masked", finding="DataProtectionPolicy.*ApiLogGroup")
def masked_lines(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical("ApiLogGroup")
    policy = json.dumps({"Name": "by-hand", "Version": "2021-06-01", "Statement": []})
    client.put_data_protection_policy(logGroupIdentifier=group, policyDocument=policy)
    try:
        yield
    finally:
        client.delete_data_protection_policy(logGroupIdentifier=group)


@fault("INF-21", "a topic's messages are searched", finding="DataProtectionPolicy.*AlarmTopic")
def searched_messages(bench: Bench) -> Iterator[None]:
    client, topic = bench.client("sns"), bench.physical("AlarmTopic")
    policy = json.dumps({"Name": "by-hand", "Version": "2021-06-01", "Statement": []})
    client.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=policy)
    try:
        yield
    finally:
        client.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy="")


@fault("INF-21", "alarms that cannot be delivered go to a queue of another account", finding="RedrivePolicy")
def foreign_dead_letters(bench: Bench) -> Iterator[None]:
    client, topic = bench.client("sns"), bench.physical("AlarmTopic")
    found = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    arn = next(one["SubscriptionArn"] for one in found if one["Protocol"] == "sqs")
    queue = f"arn:aws:sqs:{bench.env.region}:{_STRANGER}:undelivered"

    def set_(policy: str) -> None:
        client.set_subscription_attributes(
            SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue=policy
        )

    set_(json.dumps({"deadLetterTargetArn": queue}))
    try:
        yield
    finally:
        set_("")


@fault(
    "INF-21",
    "images are answered with a header that the template does not declare",
    finding="CustomHeadersConfig",
)
def undeclared_header(bench: Bench) -> Iterator[None]:
    added = {"Header": "x-by-hand", "Value": "1", "Override": True}
    yield from headers_policy(
        bench, lambda policy: policy.update(CustomHeadersConfig={"Quantity": 1, "Items": [added]})
    )


@fault("INF-21", "the web ACL writes every request to another account", finding="Logging arn:")
def web_acl_log(bench: Bench) -> Iterator[None]:
    client = bench.client("wafv2")
    name, id_, _ = bench.physical("CdnWebAcl").split("|")
    arn = _arn(bench, "wafv2", f"global/webacl/{name}/{id_}")
    destination = f"arn:aws:firehose:{bench.env.region}:{_STRANGER}:deliverystream/aws-waf-logs-by-hand"
    configuration = {"ResourceArn": arn, "LogDestinationConfigs": [destination]}
    client.put_logging_configuration(LoggingConfiguration=configuration)
    try:
        yield
    finally:
        client.delete_logging_configuration(ResourceArn=arn)


@fault("INF-21", "a stack policy denies every update", finding="stack policy")
def stack_policy(bench: Bench) -> Iterator[None]:
    client = bench.client("cloudformation")

    def set_(effect: str) -> None:
        statement = {"Effect": effect, "Action": "Update:*", "Principal": "*", "Resource": "*"}
        body = json.dumps({"Statement": [statement]})
        client.set_stack_policy(StackName=bench.env.stack_name, StackPolicyBody=body)

    set_("Deny")
    try:
        yield
    finally:
        set_("Allow")


@fault("INF-21", "a daily list of the images goes to a bucket of a foreign account", finding="Inventor")
def inventory(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    client.put_bucket_inventory_configuration(
        Bucket=bucket,
        Id="everything",
        InventoryConfiguration={
            "Id": "everything",
            "IsEnabled": True,
            "IncludedObjectVersions": "All",
            "Schedule": {"Frequency": "Daily"},
            "Destination": {
                "S3BucketDestination": {
                    "AccountId": _STRANGER,
                    "Bucket": "arn:aws:s3:::somebody-elses",
                    "Format": "CSV",
                }
            },
        },
    )
    try:
        yield
    finally:
        client.delete_bucket_inventory_configuration(Bucket=bucket, Id="everything")
