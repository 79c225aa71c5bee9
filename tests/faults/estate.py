"""Faults of what the application stands on: rights, entrances, quotas, logs, tags and the stack itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from tests import registry
from tests.faults.bench import Bench
from tests.faults.fault import fault

OTHER_ACCOUNT = "111122223333"

# Rights


@contextmanager
def _granted(bench: Bench, role: str, document: Mapping[str, Any]) -> Iterator[None]:
    """A role with one policy more."""
    client, which = (
        bench.client("iam"),
        {"RoleName": bench.physical(role), "PolicyName": f"fault-{uuid4().hex}"},
    )
    client.put_role_policy(**which, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        client.delete_role_policy(**which)


def _policy(action: str, resource: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


@fault("SEC-08", "the worker may do everything with its bucket's images")
def wildcard_action(bench: Bench) -> Iterator[None]:
    images = f"arn:aws:s3:::{bench.physical('ImagesBucket')}/images/*"
    with _granted(bench, "WorkerFunctionRole", _policy("s3:*", images)):
        yield


@fault("SEC-08", "the API may send to every queue of the account")
def wildcard_resource(bench: Bench) -> Iterator[None]:
    every = bench.stack.queue.arn.rpartition(":")[0] + ":*"
    with _granted(bench, "ApiFunctionRole", _policy("sqs:SendMessage", every)):
        yield


@fault("SEC-08", "the API may read the providers' keys", relatives={"SEC-24"})
def api_reads_the_keys(bench: Bench) -> Iterator[None]:
    keys = bench.physical("ProviderKeys")
    with _granted(bench, "ApiFunctionRole", _policy("secretsmanager:GetSecretValue", keys)):
        yield


@fault("SEC-08", "the worker may use somebody else's table")
def table_of_somebody_else(bench: Bench) -> Iterator[None]:
    table = bench.stack.table.arn.rpartition("/")[0] + "/customers"
    with _granted(bench, "WorkerFunctionRole", _policy("dynamodb:GetItem", table)):
        yield


@fault("SEC-08", "the worker may read a secret of the same name in another account")
def secret_of_another_account(bench: Bench) -> Iterator[None]:
    secret = bench.physical("ProviderKeys").replace(f":{bench.stack.env.account_id}:", f":{OTHER_ACCOUNT}:")
    with _granted(bench, "WorkerFunctionRole", _policy("secretsmanager:GetSecretValue", secret)):
        yield


@fault("SEC-08", "the worker may overwrite the page")
def bucket_of_the_page(bench: Bench) -> Iterator[None]:
    page = f"arn:aws:s3:::{bench.physical('SiteBucket')}/index.html"
    with _granted(bench, "WorkerFunctionRole", _policy("s3:PutObject", page)):
        yield


@fault("SEC-08", "the API may send to the stack's other queue")
def the_other_queue(bench: Bench) -> Iterator[None]:
    queue = bench.stack.dead_letter_queue.arn
    with _granted(bench, "ApiFunctionRole", _policy("sqs:SendMessage", queue)):
        yield


@fault("SEC-08", "the API may use every table but one")
def every_table_but_one(bench: Bench) -> Iterator[None]:
    but = {**_policy("dynamodb:GetItem", "*")["Statement"][0], "NotResource": bench.stack.table.arn}
    del but["Resource"]
    with _granted(bench, "ApiFunctionRole", {"Version": "2012-10-17", "Statement": but}):
        yield


@fault("SEC-08", "both functions share one role", relatives={"SEC-24"})
def one_role_for_both(bench: Bench) -> Iterator[None]:
    client = bench.client("iam")
    both = client.get_role_policy(RoleName=bench.physical("ApiFunctionRole"), PolicyName="api")
    worker = client.get_role(RoleName=bench.physical("WorkerFunctionRole"))["Role"]["Arn"]
    with (
        _granted(bench, "WorkerFunctionRole", both["PolicyDocument"]),
        bench.configured("ApiFunction", Role=worker),
    ):
        yield


@fault("SEC-09", "the worker is granted an action by the name of its endpoint")
def action_of_an_endpoint(bench: Bench) -> Iterator[None]:
    model = f"arn:aws:bedrock:us-west-2::foundation-model/{registry.of('bedrock')[0].vendor_model}"
    with _granted(bench, "WorkerFunctionRole", _policy("bedrock-runtime:InvokeModel", model)):
        yield


@fault("SEC-09", "an action in the template is misspelt")
def misspelt_action(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed("backend/template.yaml", "dynamodb:Query", "dynamodb:Querry"):
        yield


@fault("SEC-24", "the API may do what only the worker does")
def granted_and_never_called(bench: Bench) -> Iterator[None]:
    queue = bench.stack.queue.arn
    with _granted(bench, "ApiFunctionRole", _policy("sqs:ChangeMessageVisibility", queue)):
        yield


@fault("SEC-24", "the worker no longer stores what it may store", relatives={"CONF-14"}, alone=True)
def granted_and_no_longer_called(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        "backend/src/pixel_prompt/storage.py", "self._client.put_object(", "self._client.store("
    ):
        yield


# What is stored


@fault("SEC-10", "the access logs' bucket may be opened by a policy")
def open_access_logs(bench: Bench) -> Iterator[None]:
    with bench.opened("BlockPublicPolicy", of="CdnLogsBucket"):
        yield


@fault("SEC-11", "the inbox of alarms is not encrypted")
def bare_inbox(bench: Bench) -> Iterator[None]:
    with bench.queue_with("AlarmInbox", SqsManagedSseEnabled="false"):
        yield


@fault("SEC-12", "the access logs' bucket answers over plain HTTP")
def plain_access_logs(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("CdnLogsBucket")
    before = client.get_bucket_policy(Bucket=bucket)["Policy"]
    client.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        client.put_bucket_policy(Bucket=bucket, Policy=before)


@fault("INF-17", "the jobs would be deleted with the stack", alone=True)
def jobs_go_with_the_stack(bench: Bench) -> Iterator[None]:
    with bench.template(lambda template: template["Resources"]["JobsTable"].pop("DeletionPolicy")):
        yield


# Entrances


@contextmanager
def _permitted(bench: Bench, function: str, **permission: str) -> Iterator[None]:
    """A function that somebody more may invoke."""
    client = bench.client("lambda")
    which = {"FunctionName": bench.physical(function), "StatementId": f"fault-{uuid4().hex}"}
    client.add_permission(**which, Action="lambda:InvokeFunction", **permission)
    try:
        yield
    finally:
        qualifier = {name: value for name, value in permission.items() if name == "Qualifier"}
        client.remove_permission(**which, **qualifier)


@fault("SEC-16", "every account may invoke the API function")
def anybody_invokes(bench: Bench) -> Iterator[None]:
    with _permitted(bench, "ApiFunction", Principal="*"):
        yield


@fault("SEC-16", "every HTTP API may invoke the API function")
def any_api_invokes(bench: Bench) -> Iterator[None]:
    with _permitted(bench, "ApiFunction", Principal="apigateway.amazonaws.com"):
        yield


@fault("SEC-16", "the worker has a URL of its own")
def function_url(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("WorkerFunction")
    client.create_function_url_config(FunctionName=name, AuthType="NONE")
    try:
        yield
    finally:
        client.delete_function_url_config(FunctionName=name)


@fault("SEC-16", "another account may invoke the API function by an alias")
def alias_for_another_account(bench: Bench) -> Iterator[None]:
    client, name = bench.client("lambda"), bench.physical("ApiFunction")
    client.create_alias(FunctionName=name, Name="fault", FunctionVersion="$LATEST")
    try:
        with _permitted(bench, "ApiFunction", Qualifier="fault", Principal=OTHER_ACCOUNT):
            yield
    finally:
        client.delete_alias(FunctionName=name, Name="fault")


def _everybody(action: str, resource: str, **further: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource, **further}


@fault("SEC-25", "anybody may put jobs into the queue")
def open_queue(bench: Bench) -> Iterator[None]:
    before = json.loads(bench.stack.queue.attributes["Policy"])
    everybody = _everybody("sqs:SendMessage", bench.stack.queue.arn)
    policy = json.dumps({**before, "Statement": [*before["Statement"], everybody]})
    with bench.queue_with("JobsQueue", Policy=policy):
        yield


@fault("SEC-25", "any topic may tell the inbox of alarms")
def open_inbox(bench: Bench) -> Iterator[None]:
    inbox = bench.stack.alarm_inbox
    before = json.loads(inbox.attributes["Policy"])
    others = {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}
    policy = {
        **before,
        "Statement": [*before["Statement"], _everybody("sqs:SendMessage", inbox.arn, Condition=others)],
    }
    with bench.queue_with("AlarmInbox", Policy=json.dumps(policy)):
        yield


@fault("SEC-25", "anybody may raise an alarm")
def open_topic(bench: Bench) -> Iterator[None]:
    with _allowed_by_topic(bench, _everybody("sns:Publish", bench.stack.alarm_topic.arn)):
        yield


@fault("SEC-25", "CloudWatch may do everything with the alarms' topic")
def unlimited_topic(bench: Bench) -> Iterator[None]:
    own = {
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": bench.env.account_id}},
    }
    with _allowed_by_topic(bench, _everybody("sns:*", bench.stack.alarm_topic.arn) | own):
        yield


@contextmanager
def _allowed_by_topic(bench: Bench, statement: Mapping[str, Any]) -> Iterator[None]:
    """The alarms' topic with one statement more in its policy."""
    client, topic = bench.client("sns"), bench.stack.alarm_topic
    before = topic.attributes["Policy"]
    document = json.loads(before)
    opened = {**document, "Statement": [*document["Statement"], statement]}

    def write(policy: str) -> None:
        client.set_topic_attributes(TopicArn=topic.arn, AttributeName="Policy", AttributeValue=policy)

    write(json.dumps(opened))
    try:
        yield
    finally:
        write(before)


def _lets_in(**elements: Any) -> str:
    """A policy by which another account may do something."""
    of_another = {"Principal": {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}, "Resource": "*"}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", **of_another, **elements}},
    )


@fault("SEC-26", "another account may read the providers' keys")
def lent_keys(bench: Bench) -> Iterator[None]:
    client, secret = bench.client("secretsmanager"), bench.physical("ProviderKeys")
    policy = _lets_in(NotAction="secretsmanager:PutSecretValue")
    client.put_resource_policy(SecretId=secret, ResourcePolicy=policy)
    try:
        yield
    finally:
        client.delete_resource_policy(SecretId=secret)


@fault("SEC-26", "another account may read the jobs")
def lent_jobs(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.stack.table.arn
    client.put_resource_policy(ResourceArn=table, Policy=_lets_in(Action="dynamodb:GetItem", Resource=table))
    try:
        yield
    finally:
        client.delete_resource_policy(ResourceArn=table)


@fault("SEC-26", "another account may read the worker's log")
def lent_log(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.stack.worker_log.description["arn"]
    policy = _lets_in(Action="logs:FilterLogEvents", Resource=group)
    client.put_resource_policy(policyName="fault", policyDocument=policy)
    try:
        yield
    finally:
        client.delete_resource_policy(policyName="fault")


@contextmanager
def _allowed_by_key(bench: Bench, **statement: Any) -> Iterator[None]:
    """The alarms' key with one statement more in its policy."""
    client = bench.client("kms")
    key = {"KeyId": bench.physical("AlarmKey"), "PolicyName": "default"}
    before = client.get_key_policy(**key)["Policy"]
    document = json.loads(before)
    more = {"Effect": "Allow", "Resource": "*", **statement}
    client.put_key_policy(**key, Policy=json.dumps({**document, "Statement": [*document["Statement"], more]}))
    try:
        yield
    finally:
        client.put_key_policy(**key, Policy=before)


@fault("SEC-26", "everybody but one account may use the alarms' key")
def lent_key(bench: Bench) -> Iterator[None]:
    with _allowed_by_key(bench, NotPrincipal={"AWS": OTHER_ACCOUNT}, Action="kms:Decrypt"):
        yield


@fault("SEC-26", "CloudWatch may do everything with the alarms' key")
def unlimited_key(bench: Bench) -> Iterator[None]:
    condition = {"StringEquals": {"aws:SourceAccount": bench.env.account_id}}
    service = {"Service": "cloudwatch.amazonaws.com"}
    with _allowed_by_key(bench, Principal=service, Action="kms:*", Condition=condition):
        yield


@fault("SEC-26", "another account may read the access logs")
def lent_access_logs(bench: Bench) -> Iterator[None]:
    bucket = bench.physical("CdnLogsBucket")
    others = json.loads(_lets_in(Action="s3:GetObject", Resource=f"arn:aws:s3:::{bucket}/*"))["Statement"]
    with bench.bucket_policy(lambda statements: statements.append(others), "CdnLogsBucket"):
        yield


@fault("SEC-17", "the distribution has no web ACL")
def no_web_acl(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration.update(WebACLId="")):
        yield


@contextmanager
def _rules_changed(
    bench: Bench, change: Callable[[dict[str, Any]], dict[str, Any]], *more: dict[str, Any]
) -> Iterator[None]:
    """The web ACL with each of its rules changed, and more rules."""
    client = bench.client("wafv2")
    name, id_, scope = bench.physical("CdnWebAcl").split("|")
    which = {"Name": name, "Id": id_, "Scope": scope}

    def write(rules: list[dict[str, Any]]) -> None:
        answer = client.get_web_acl(**which)
        kept = {key: answer["WebACL"][key] for key in ("DefaultAction", "Description", "VisibilityConfig")}
        client.update_web_acl(**which, **kept, Rules=rules, LockToken=answer["LockToken"])

    before = client.get_web_acl(**which)["WebACL"]["Rules"]
    write([*(change(rule) for rule in before), *more])
    try:
        yield
    finally:
        write(before)


@fault("SEC-17", "every rule of the web ACL merely counts")
def counting_web_acl(bench: Bench) -> Iterator[None]:
    def count(rule: dict[str, Any]) -> dict[str, Any]:
        return {**rule, **{key: {"Count": {}} for key in ("Action", "OverrideAction") if key in rule}}

    with _rules_changed(bench, count):
        yield


@fault("SEC-17", "the web ACL refuses everybody who is abroad")
def home_only(bench: Bench) -> Iterator[None]:
    abroad = {"NotStatement": {"Statement": {"GeoMatchStatement": {"CountryCodes": ["US", "CA"]}}}}
    rule = {
        "Name": "home-only",
        "Priority": 9,
        "Action": {"Block": {}},
        "Statement": abroad,
        "VisibilityConfig": {
            "SampledRequestsEnabled": True,
            "CloudWatchMetricsEnabled": True,
            "MetricName": "home",
        },
    }
    with _rules_changed(bench, lambda rule: rule, rule):
        yield


@fault("SEC-17", "the web ACL takes a flood only after a million requests")
def flood_of_a_million(bench: Bench) -> Iterator[None]:
    def widened(rule: dict[str, Any]) -> dict[str, Any]:
        statement = rule["Statement"].get("RateBasedStatement")
        return (
            {**rule, "Statement": {"RateBasedStatement": {**statement, "Limit": 1000000}}}
            if statement
            else rule
        )

    with _rules_changed(bench, widened):
        yield


# Quotas


@contextmanager
def _reserved(bench: Bench, function: str, executions: int) -> Iterator[None]:
    """A function with another reservation."""
    client, name = bench.client("lambda"), bench.physical(function)
    before = client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=executions)
    try:
        yield
    finally:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)


@fault("INF-07", "ten executions are reserved for the API")
def small_reservation(bench: Bench) -> Iterator[None]:
    with _reserved(bench, "ApiFunction", 10):
        yield


@fault("INF-07", "the queue hands the worker more jobs than are reserved for it")
def worker_behind_its_queue(bench: Bench) -> Iterator[None]:
    with _reserved(bench, "WorkerFunction", 50):
        yield


@fault("INF-07", "two workers serve everybody")
def two_workers(bench: Bench) -> Iterator[None]:
    client = bench.client("lambda")
    (mapping,) = bench.stack.worker.event_sources
    client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 2})
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=mapping["ScalingConfig"])


# Alarms


@fault("CONF-11", "an alarm's actions are switched off", relatives={"CONF-09"})
def muted_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "ActionsEnabled": False}):
        yield


@fault("CONF-11", "the key of the alarms' topic is scheduled for deletion")
def doomed_key(bench: Bench) -> Iterator[None]:
    client, key = bench.client("kms"), bench.physical("AlarmKey")
    client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    try:
        yield
    finally:
        client.cancel_key_deletion(KeyId=key)
        client.enable_key(KeyId=key)


@fault("CONF-11", "the alarms' key no longer admits CloudWatch")
def key_of_the_account_alone(bench: Bench) -> Iterator[None]:
    client = bench.client("kms")
    key = {"KeyId": bench.physical("AlarmKey"), "PolicyName": "default"}
    before = client.get_key_policy(**key)["Policy"]
    document = json.loads(before)
    left = [one for one in document["Statement"] if "Service" not in one["Principal"]]
    client.put_key_policy(**key, Policy=json.dumps({**document, "Statement": left}))
    try:
        yield
    finally:
        client.put_key_policy(**key, Policy=before)


@fault("CONF-11", "a filter on the inbox's subscription lets no alarm pass", relatives={"INF-14"})
def filtered_inbox(bench: Bench) -> Iterator[None]:
    client, subscription = bench.client("sns"), bench.physical("AlarmInboxSubscription")
    which = {"SubscriptionArn": subscription, "AttributeName": "FilterPolicy"}
    client.set_subscription_attributes(**which, AttributeValue=json.dumps({"severity": ["critical"]}))
    try:
        yield
    finally:
        client.set_subscription_attributes(**which, AttributeValue="{}")


@fault("CONF-11", "an alarm tells a topic of yesterday")
def alarm_of_yesterday(bench: Bench) -> Iterator[None]:
    topic = bench.physical("AlarmTopic") + "-yesterday"
    with bench.alarm("Api5xxAlarm", lambda alarm: {**alarm, "AlarmActions": [topic]}):
        yield


@fault("CONF-11", "whoever is to be told has not confirmed")
def unconfirmed_subscriber(bench: Bench) -> Iterator[None]:
    client, topic, endpoint = bench.client("sns"), bench.physical("AlarmTopic"), "https://127.0.0.1:1/alarms"
    client.subscribe(TopicArn=topic, Protocol="https", Endpoint=endpoint)
    try:
        yield
    finally:
        for entry in client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
            if entry["Endpoint"] == endpoint:
                client.unsubscribe(SubscriptionArn=entry["SubscriptionArn"])


@fault("CONF-11", "the alarms' topic tells the stack's own queue alone")
def nobody_outside(bench: Bench) -> Iterator[None]:
    client, topic = bench.client("sns"), bench.physical("AlarmTopic")
    listed = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    outside = [entry for entry in listed if entry["Protocol"] != "sqs"]
    assert outside, "the fault no longer fits: nobody outside the stack is subscribed"
    for entry in outside:
        client.unsubscribe(SubscriptionArn=entry["SubscriptionArn"])
    try:
        yield
    finally:
        for entry in outside:
            client.subscribe(TopicArn=topic, Protocol=entry["Protocol"], Endpoint=entry["Endpoint"])


# Logs


@fault("INF-19", "the API's access log goes into the worker's log", relatives={"SEC-15"})
def access_log_elsewhere(bench: Bench) -> Iterator[None]:
    client = bench.client("apigatewayv2")
    stage = {"ApiId": bench.physical("HttpApi"), "StageName": "$default"}
    before = client.get_stage(**stage)["AccessLogSettings"]
    own, other = bench.physical("AccessLogGroup"), bench.physical("WorkerLogGroup")
    elsewhere = {**before, "DestinationArn": before["DestinationArn"].replace(own, other)}
    client.update_stage(**stage, AccessLogSettings=elsewhere)
    try:
        yield
    finally:
        client.update_stage(**stage, AccessLogSettings=before)


@fault("INF-19", "the distribution writes no access log")
def no_edge_log(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration["Logging"].update(Enabled=False)):
        yield


@fault("INF-19", "the distribution's log is kept for ever")
def eternal_edge_log(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("CdnLogsBucket")
    before = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    client.delete_bucket_lifecycle(Bucket=bucket)
    try:
        yield
    finally:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": before})


# Entrances of the CDN


@fault("SEC-20", "the distribution uses CloudFront's own certificate")
def default_certificate(bench: Bench) -> Iterator[None]:
    own = {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    }
    with bench.distribution_changed(lambda configuration: configuration.update(ViewerCertificate=own)):
        yield


def _refusals(**settings: Any) -> Callable[[dict[str, Any]], None]:
    """Other settings for the answer to what may not be read."""

    def change(configuration: dict[str, Any]) -> None:
        for entry in configuration["CustomErrorResponses"]["Items"]:
            if entry["ErrorCode"] == HTTPStatus.FORBIDDEN:
                entry.update(settings)

    return change


@fault("CDN-12", "an error is remembered for a minute")
def long_lived_errors(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(_refusals(ErrorCachingMinTTL=60)):
        yield


@fault("CDN-12", "the error page names the bucket")
def telling_error_page(bench: Bench) -> Iterator[None]:
    client, bucket, key = bench.client("s3"), bench.physical("ImagesBucket"), "images/refused.html"
    text = f"There is no such image in {bucket}.".encode()
    client.put_object(Bucket=bucket, Key=key, Body=text, ContentType="text/html", CacheControl="no-store")
    page = _refusals(ResponsePagePath=f"/{key}", ResponseCode="403")
    try:
        with bench.distribution_changed(page):
            yield
    finally:
        client.delete_object(Bucket=bucket, Key=key)


# Environments


@fault("CONF-15", "a queue has the same name in every environment", alone=True)
def fixed_name(bench: Bench) -> Iterator[None]:
    def name(template: dict[str, Any]) -> None:
        like = json.loads(json.dumps(template["Resources"]["JobsDeadLetterQueue"]))
        template["Resources"]["NamedQueue"] = {
            **like,
            "Properties": {**like["Properties"], "QueueName": "jobs"},
        }

    with bench.template(name):
        yield


@fault("CONF-15", "another environment names this one's bucket as its own")
def shared_bucket(bench: Bench) -> Iterator[None]:
    client, other = bench.client("cloudformation"), "pixel-prompt-dev"
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"S3BucketName": {"Value": bench.physical("ImagesBucket")}},
    }
    client.create_stack(StackName=other, TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName=other, WaiterConfig={"Delay": 1})
    try:
        yield
    finally:
        client.delete_stack(StackName=other)
        client.get_waiter("stack_delete_complete").wait(StackName=other, WaiterConfig={"Delay": 1})


# What only part of a resource shows


# The mapping of the jobs themselves, switched off, would leave every item about a job waiting for a quarter of an hour.
@fault("INF-07", "a second mapping of the jobs to the worker is switched off", relatives={"SEC-16"})
def disabled_mapping(bench: Bench) -> Iterator[None]:
    client = bench.client("lambda")
    made = client.create_event_source_mapping(
        FunctionName=bench.physical("WorkerFunction"),
        EventSourceArn=bench.stack.queue.arn,
        ScalingConfig={"MaximumConcurrency": 2},
        Enabled=False,
    )
    try:
        yield
    finally:
        client.delete_event_source_mapping(UUID=made["UUID"])


@fault("INF-05", "a second stage of the API has no limit")
def unthrottled_stage(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    client.create_stage(ApiId=api, StageName="trial", AutoDeploy=True)
    try:
        yield
    finally:
        client.delete_stage(ApiId=api, StageName="trial")


@fault("CDN-03", "one path may be asked for over plain HTTP")
def plain_path(bench: Bench) -> Iterator[None]:
    def add(configuration: dict[str, Any]) -> None:
        own = {
            **configuration["DefaultCacheBehavior"],
            "PathPattern": "plain/*",
            "ViewerProtocolPolicy": "allow-all",
        }
        configuration["CacheBehaviors"] = {"Quantity": 1, "Items": [own]}

    with bench.distribution_changed(add):
        yield


@fault("CDN-12", "an origin's failure is remembered for a day")
def lasting_failures(bench: Bench) -> Iterator[None]:
    def keep(configuration: dict[str, Any]) -> None:
        for entry in configuration["CustomErrorResponses"]["Items"]:
            if entry["ErrorCode"] == HTTPStatus.BAD_GATEWAY:
                entry["ErrorCachingMinTTL"] = 86_400

    with bench.distribution_changed(keep, of="SiteDistribution"):
        yield


@fault("SEC-17", "AWS's list of known attackers merely counts")
def counting_group(bench: Bench) -> Iterator[None]:
    def count(rule: dict[str, Any]) -> dict[str, Any]:
        return {**rule, "OverrideAction": {"Count": {}}} if "OverrideAction" in rule else rule

    with _rules_changed(bench, count):
        yield


@fault("INF-16", "the budget counts one service alone")
def budget_of_one_service(bench: Bench) -> Iterator[None]:
    client = bench.client("budgets")
    which = {"AccountId": bench.env.account_id, "BudgetName": bench.physical("MonthlyBudget")}
    told = client.describe_budget(**which)["Budget"]
    before = {key: told[key] for key in ("BudgetName", "BudgetType", "TimeUnit", "BudgetLimit")}
    alone = {**before, "CostFilters": {"Service": ["Amazon Simple Storage Service"]}}
    client.update_budget(AccountId=bench.env.account_id, NewBudget=alone)
    try:
        yield
    finally:
        client.update_budget(AccountId=bench.env.account_id, NewBudget=before)


@fault("CONF-14", "one route runs the code of a version", relatives={"INF-10"})
def route_of_a_version(bench: Bench) -> Iterator[None]:
    functions, client = bench.client("lambda"), bench.client("apigatewayv2")
    name, api = bench.physical("ApiFunction"), bench.physical("HttpApi")
    version = functions.publish_version(FunctionName=name)
    functions.add_permission(
        FunctionName=name,
        Qualifier=version["Version"],
        StatementId="trial",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{bench.env.region}:{bench.env.account_id}:{api}/*",
    )
    route = next(one for one in client.get_routes(ApiId=api)["Items"] if one["RouteKey"] == "POST /log")
    made = client.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=version["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    client.update_route(ApiId=api, RouteId=route["RouteId"], Target=f"integrations/{made}")
    try:
        yield
    finally:
        client.update_route(ApiId=api, RouteId=route["RouteId"], Target=route["Target"])
        client.delete_integration(ApiId=api, IntegrationId=made)
        functions.delete_function(FunctionName=name, Qualifier=version["Version"])
