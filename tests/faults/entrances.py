"""Faults of the policies by which resources let others in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tests.faults.bench import OTHER_ACCOUNT, Bench
from tests.faults.fault import fault


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
