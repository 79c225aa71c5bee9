"""Faults of the alarms and of how they arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.faults.bench import Bench
from tests.faults.fault import fault


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


@fault("CONF-11", "the inbox of the alarms has lost its policy", relatives={"INF-14"})
def inbox_without_policy(bench: Bench) -> Iterator[None]:
    with bench.queue_with("AlarmInbox", Policy=""):
        yield


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
