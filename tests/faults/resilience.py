"""Faults of what has to survive other parts' faults."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.faults.bench import Bench
from tests.faults.fault import fault


@contextmanager
def _worker_with(bench: Bench, changes: Mapping[str, tuple[str, str]]) -> Iterator[None]:
    """The worker with one change in each of several files of backend/src."""
    with ExitStack() as patches:
        for path, (old, new) in changes.items():
            patches.enter_context(bench.patched("WorkerFunction", path, old, new))
        yield


# S3 that refuses


_RETRIES = ('"total_max_attempts": attempts', '"total_max_attempts": 1')


@fault("CODE-18", "no AWS call is tried again")
def no_retries(bench: Bench) -> Iterator[None]:
    with _worker_with(bench, {"pixel_prompt/aws.py": _RETRIES}):
        yield


@fault("CODE-18", "S3 is asked twice and no more")
def one_retry(bench: Bench) -> Iterator[None]:
    twice = ('self._clients("s3", read_seconds=20', 'self._clients("s3", attempts=2, read_seconds=20')
    with _worker_with(bench, {"pixel_prompt/worker.py": twice}):
        yield


@fault("CODE-18", "an image that S3 refused is noted as stored")
def refusal_taken_for_done(bench: Bench) -> Iterator[None]:
    storing = """        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=picture.data,
            ContentType=picture.media_type,
            CacheControl=CACHE_CONTROL,
        )
"""
    lines = "".join(f"    {line}\n" for line in storing.splitlines())
    swallowed = f"        try:\n{lines}        except Exception:\n            pass\n"
    with _worker_with(
        bench, {"pixel_prompt/aws.py": _RETRIES, "pixel_prompt/storage.py": (storing, swallowed)}
    ):
        yield


# A vendor that is down


@fault("CODE-19", "one failure fails the job")
def failure_fails_the_job(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/jobs.py",
        'else "partial" if succeeded else "failed"',
        'else "failed"',
    ):
        yield


@fault("CODE-19", "progress counts images alone, and never ends")
def failure_is_not_counted(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        'sum(result.state in ("completed", "failed") for',
        'sum(result.state == "completed" for',
    ):
        yield


@fault("CODE-19", "a vendor that fails takes the job down with it")
def failure_ends_the_worker(bench: Bench) -> Iterator[None]:
    caught = ("            code = error.code\n", "            raise\n")
    with _worker_with(bench, {"pixel_prompt/generation.py": caught}):
        yield


@fault("CODE-19", "nobody is told why an image is missing")
def nameless_failure(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/api.py", "if result.code is not None:", "if result.code == 0:"
    ):
        yield


@fault("CODE-19", "a vendor that is down is reported as a fault of our own")
def misnamed_failure(bench: Bench) -> Iterator[None]:
    named = ("            code = error.code\n", '            code = "internal_error"\n')
    with _worker_with(bench, {"pixel_prompt/generation.py": named}):
        yield


# Jobs that cannot be processed


@fault("INF-22", "a failed job is tried again for ever", relatives={"INF-09"})
def no_dead_letter_queue(bench: Bench) -> Iterator[None]:
    with bench.queue_with("JobsQueue", RedrivePolicy=""):
        yield


@fault("INF-22", "a failed job is tried a thousand times", relatives={"INF-09"})
def endless_redrive(bench: Bench) -> Iterator[None]:
    dead = bench.stack.dead_letter_queue.arn
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1000})
    with bench.queue_with("JobsQueue", RedrivePolicy=policy):
        yield


@fault("INF-09", "the worker takes a message that it cannot use for done")
def swallowed_poison(bench: Bench) -> Iterator[None]:
    refused = 'log.failure("message_refused", reason=str(error))\n'
    swallowed = (refused, f"{refused}            return True\n")
    with _worker_with(bench, {"pixel_prompt/worker.py": swallowed}):
        yield


@fault("INF-09", "nobody listens to which message the worker names as failed")
def unheard_failures(bench: Bench) -> Iterator[None]:
    client = bench.client("lambda")
    (mapping,) = bench.stack.worker.event_sources
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[])
    try:
        yield
    finally:
        client.update_event_source_mapping(
            UUID=mapping["UUID"], FunctionResponseTypes=mapping["FunctionResponseTypes"]
        )


@fault("INF-22", "a job comes back while it is worked on")
def impatient_queue(bench: Bench) -> Iterator[None]:
    with bench.queue_with("JobsQueue", VisibilityTimeout="120"):
        yield


@fault("INF-22", "dead letters are thrown away after a minute")
def forgetful_dead_letters(bench: Bench) -> Iterator[None]:
    with bench.queue_with("JobsDeadLetterQueue", MessageRetentionPeriod="60"):
        yield


@fault("INF-22", "a job that waits for a minute is lost")
def forgetful_jobs(bench: Bench) -> Iterator[None]:
    with bench.queue_with("JobsQueue", MessageRetentionPeriod="60"):
        yield


@fault("INF-22", "each job waits for a second before it is delivered")
def late_jobs(bench: Bench) -> Iterator[None]:
    with bench.queue_with("JobsQueue", DelaySeconds="1"):
        yield


@fault("CODE-19", "a failure tells of the insides")
def talkative_failure(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        'message = MESSAGES.get(result.code, MESSAGES["internal_error"])',
        'message = f"{MESSAGES[result.code]} {result!r}"',
    ):
        yield


# Alarms


@fault("INF-14", "the error alarm has no action", relatives={"CONF-11"})
def alarm_without_action(bench: Bench) -> Iterator[None]:
    with bench.alarm("ApiErrorsAlarm", lambda alarm: {**alarm, "AlarmActions": []}):
        yield


@fault("INF-14", "the error alarm watches a function of a former name", relatives={"CONF-09"})
def alarm_of_a_former_function(bench: Bench) -> Iterator[None]:
    former = [{"Name": "FunctionName", "Value": "former"}]
    with bench.alarm("ApiErrorsAlarm", lambda alarm: {**alarm, "Dimensions": former}):
        yield


@fault("INF-14", "a thousand errors go by without an alarm", relatives={"CONF-09"})
def deaf_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("ApiErrorsAlarm", lambda alarm: {**alarm, "Threshold": 1000.0}):
        yield


@fault("INF-14", "the topic tells the inbox no longer")
def unsubscribed_inbox(bench: Bench) -> Iterator[None]:
    client, topic, inbox = bench.client("sns"), bench.stack.alarm_topic.arn, bench.stack.alarm_inbox.arn
    (own,) = [
        entry["SubscriptionArn"]
        for entry in client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        if entry["Endpoint"] == inbox
    ]
    client.unsubscribe(SubscriptionArn=own)
    try:
        yield
    finally:
        client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox)


@fault("INF-14", "whom the topic tells does not let it in", relatives={"CONF-11"})
def closed_inbox(bench: Bench) -> Iterator[None]:
    with bench.queue_with("AlarmInbox", Policy=""):
        yield
