"""Faults of the deployed configuration: section config."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests import registry
from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("CONF-01", "the API knows eight models", relatives={"CODE-09"})
def eight_models(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", MODEL_OVERRIDES=json.dumps({registry.MODELS[-1].id: None})):
        yield


@fault("CONF-05", "worker timeout of 60 s", relatives={"CONF-10"})
def short_worker(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", Timeout=60):
        yield


@fault("CONF-06", "API timeout of 60 s")
def patient_api(bench: Bench) -> Iterator[None]:
    with bench.configured("ApiFunction", Timeout=60):
        yield


@fault("CONF-07", "worker memory of 512 MB")
def small_worker(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", MemorySize=512):
        yield


def _lifecycle(bench: Bench, **changes: Any) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    before = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    altered = [{**rule, **changes} for rule in before]
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": altered})
    try:
        yield
    finally:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": before})


@fault("CONF-08", "the expiry rule is disabled")
def disabled_expiry(bench: Bench) -> Iterator[None]:
    yield from _lifecycle(bench, Status="Disabled")


@fault("CONF-08", "the expiry rule is about another prefix")
def expiry_of_other_objects(bench: Bench) -> Iterator[None]:
    yield from _lifecycle(bench, Filter={"Prefix": "thumbnails/"})


@fault("CONF-08", "only images with a tag expire")
def expiry_of_some_images(bench: Bench) -> Iterator[None]:
    picked = {"And": {"Prefix": "images/", "Tags": [{"Key": "draft", "Value": "yes"}]}}
    yield from _lifecycle(bench, Filter=picked)


@fault("CONF-08", "some images expire after a day")
def early_expiry_of_some(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    before = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    early = {"ID": "early", "Status": "Enabled", "Filter": {"Prefix": "images/0"}, "Expiration": {"Days": 1}}
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [*before, early]}
    )
    try:
        yield
    finally:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": before})


@fault("CONF-08", "images move to an archive after a day")
def archived_images(bench: Bench) -> Iterator[None]:
    yield from _lifecycle(bench, Transitions=[{"Days": 1, "StorageClass": "GLACIER"}])


@fault("CONF-08", "an image that expires stays as an old version")
def versions_kept(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        yield
    finally:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


@fault("CONF-08", "images expire after 300 days")
def late_expiry(bench: Bench) -> Iterator[None]:
    yield from _lifecycle(bench, Expiration={"Days": 300})


def _watching_another(alarm: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(alarm).replace('"FunctionName", "Value": "', '"FunctionName", "Value": "former-')
    return dict(json.loads(text))


@fault("CONF-09", "the error alarm watches a function of a former name")
def stale_error_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", _watching_another):
        yield


@fault("CONF-09", "the error alarm tells nobody", relatives={"CONF-11", "INF-14"})
def mute_error_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("ApiErrorsAlarm", lambda alarm: {**alarm, "ActionsEnabled": False}):
        yield


@fault("CONF-09", "the error alarm looks at a day at a time")
def daily_error_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "Period": 86_400}):
        yield


@fault("CONF-09", "the error alarm counts seconds, and errors are a count")
def unit_of_no_error(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "Unit": "Seconds"}):
        yield


@fault("CONF-09", "one call that succeeds hides the errors of its period")
def least_of_the_errors(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "Statistic": "Minimum", "Threshold": 1.0}):
        yield


@fault("CONF-09", "the error alarm is up whenever nobody calls, so that errors do not raise it")
def always_raised(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "TreatMissingData": "breaching"}):
        yield


@fault("CONF-10", "the fastest call of each period decides whether the function is slow")
def least_of_the_durations(bench: Bench) -> Iterator[None]:
    def fastest(alarm: dict[str, Any]) -> dict[str, Any]:
        return {**{k: v for k, v in alarm.items() if k != "ExtendedStatistic"}, "Statistic": "Minimum"}

    with bench.alarm("ApiDurationAlarm", fastest):
        yield


@fault("CONF-10", "the duration alarm waits for longer than the function may run")
def late_duration_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerDurationAlarm", lambda alarm: {**alarm, "Threshold": 900_000.0}):
        yield


@fault("CONF-10", "the duration alarm is gone")
def no_duration_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("ApiDurationAlarm", None):
        yield


@fault("CONF-12", "the dead-letter alarm is gone")
def no_dead_letter_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("DeadLetter", None):
        yield


@fault("CONF-12", "nobody watches the API's 5xx")
def no_5xx_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("Api5xx", None):
        yield


@fault("CONF-12", "a hundred thousand 5xx raise no alarm")
def deaf_5xx_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("Api5xx", lambda alarm: {**alarm, "Threshold": 100_000.0}):
        yield


@fault("CONF-12", "the 5xx alarm is up while there are few 5xx, and not while there are many")
def turned_5xx_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("Api5xx", lambda alarm: {**alarm, "ComparisonOperator": "LessThanThreshold"}):
        yield


@fault("CONF-12", "throttles have to go on for half an hour")
def patient_throttles_alarm(bench: Bench) -> Iterator[None]:
    patient = {"EvaluationPeriods": 6, "DatapointsToAlarm": 6}
    with bench.alarm("ApiThrottlesAlarm", lambda alarm: {**alarm, **patient}):
        yield


@fault("CONF-12", "jobs may wait for an hour", relatives={"INF-04"})
def late_queue_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("QueueAgeAlarm", lambda alarm: {**alarm, "Threshold": 3600.0}):
        yield


@fault("CONF-13", "the frontend points at another stack's API")
def frontend_of_another_stack(bench: Bench) -> Iterator[None]:
    endpoint = bench.stack.formation.output("ApiEndpoint")
    with bench.checkout.changed(
        "frontend/.env", endpoint, "https://abcdef1234.execute-api.us-east-1.amazonaws.com"
    ):
        yield


@fault("CONF-16", "the worker's log is kept for ever")
def eternal_log(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical("WorkerLogGroup")
    days = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"]
    client.delete_retention_policy(logGroupName=group)
    try:
        yield
    finally:
        client.put_retention_policy(logGroupName=group, retentionInDays=days)


@fault("CONF-16", "the API's log is kept for ten years")
def log_of_ten_years(bench: Bench) -> Iterator[None]:
    yield from _log_kept(bench, "ApiLogGroup", 3653)


@fault("CONF-16", "the worker's log is kept for a day")
def log_of_a_day(bench: Bench) -> Iterator[None]:
    yield from _log_kept(bench, "WorkerLogGroup", 1)


@fault("CONF-16", "the API's log is kept for longer than samconfig.toml says")
def log_of_ninety_days(bench: Bench) -> Iterator[None]:
    yield from _log_kept(bench, "ApiLogGroup", 90)


def _log_kept(bench: Bench, name: str, kept: int) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical(name)
    days = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"]
    client.put_retention_policy(logGroupName=group, retentionInDays=kept)
    try:
        yield
    finally:
        client.put_retention_policy(logGroupName=group, retentionInDays=days)


@fault(
    "CONF-16",
    "the worker logs into the access log's group",
    relatives={"CODE-09", "CODE-17", "CODE-20", "SEC-08", "SEC-15"},
)
def log_of_another(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", LoggingConfig={"LogGroup": bench.physical("AccessLogGroup")}):
        yield


@fault(
    "CONF-16",
    "the worker's log group is gone",
    relatives={"CODE-09", "CODE-17", "CODE-20", "SEC-15", "SEC-26"},
)
def lost_log(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical("WorkerLogGroup")
    before = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    tags = client.list_tags_for_resource(resourceArn=before["logGroupArn"])["tags"]
    client.delete_log_group(logGroupName=group)
    try:
        yield
    finally:
        client.create_log_group(
            logGroupName=group,
            tags={name: text for name, text in tags.items() if not name.startswith("aws:")},
        )
        client.put_retention_policy(logGroupName=group, retentionInDays=before["retentionInDays"])


@fault("CONF-17", "jobs and counters stay for ever")
def eternal_rows(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")
    attribute = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"]

    def switch(enabled: bool) -> None:
        specification = {"Enabled": enabled, "AttributeName": attribute}
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)

    switch(enabled=False)
    try:
        yield
    finally:
        switch(enabled=True)


@fault("CONF-17", "TTL looks at an attribute that no row has")
def ttl_of_another_attribute(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")
    attribute = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"]

    def move(old: str, new: str) -> None:
        for name, enabled in ((old, False), (new, True)):
            specification = {"Enabled": enabled, "AttributeName": name}
            client.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)

    move(attribute, "deleteAfter")
    try:
        yield
    finally:
        move("deleteAfter", attribute)


@fault("CONF-17", "a job's expiry is in milliseconds")
def expiry_in_milliseconds(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")
    rows = client.scan(TableName=table, Limit=100)["Items"]
    row = next(row for row in rows if row["pk"]["S"].startswith("job#"))

    def expire(at: str) -> None:
        client.update_item(
            TableName=table,
            Key={"pk": row["pk"]},
            UpdateExpression="SET expiresAt = :at",
            ExpressionAttributeValues={":at": {"N": at}},
        )

    expire(row["expiresAt"]["N"] + "000")
    try:
        yield
    finally:
        expire(row["expiresAt"]["N"])
