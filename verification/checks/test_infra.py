"""Section Infrastructure: the stack is complete, and withstands failures."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from readiness import budgets as general
from readiness.aws.alarm import AlarmState
from readiness.aws.api import Throttle
from readiness.aws.log_group import LogEvent
from readiness.aws.queue import Message
from readiness.catalogue.undeclared.search import undeclared
from readiness.discovery import live
from readiness.environment import Environment
from readiness.errors import Unverified, existing
from readiness.probes.cdn import Cdn
from readiness.samples import assert_p95_under
from verification import budgets, costs
from verification.deployment import drill
from verification.deployment.drill import ThrowAway
from verification.probes.api import Api, Job, gateway_event, new_correlation_id
from verification.probes.burst import burst
from verification.probes.commands import Source
from verification.probes.traffic import traffic
from verification.stack import Stack

pytestmark = pytest.mark.infra

_POISON = "INF-09"


@pytest.mark.item("INF-01")
def test_stack_is_complete(stack: Stack) -> None:
    """A stack that rolled back runs something else than what was released."""
    failed = [resource for resource in stack.formation.resources.values() if "FAILED" in resource.status]
    absent = [f"{stack.formation!r} has no resource '{logical_id}'" for logical_id in stack.absent]

    assert stack.formation.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
    assert failed == []
    assert absent == []


@pytest.mark.item("INF-02")
def test_health_names_this_environment(api: Api, env: Environment) -> None:
    """Everything else may look right while users of one environment reach another."""
    health = api.call("GET", "/health")

    assert health.status == HTTPStatus.OK, health
    assert health.json()["status"] == "ok", health
    assert health.json()["environment"] == env.name


@pytest.mark.item("INF-03")
def test_outputs_point_at_live_resources(stack: Stack) -> None:
    """People and scripts follow the outputs, wherever they lead."""
    api, bucket, images, page = stack.http_api, stack.bucket, stack.distribution, stack.site_distribution
    live = {
        "ApiEndpoint": existing(lambda: api.base_url),
        "S3BucketName": existing(lambda: bucket.live_name),
        "CloudFrontDomain": existing(lambda: images.public_domain),
        "SiteUrl": existing(lambda: f"https://{page.public_domain}"),
    }
    outputs = {name: stack.formation.outputs.get(name) for name in live}

    assert [name for name, where in live.items() if where is None] == [], "what they name does not exist"
    assert outputs == live


@pytest.mark.item("INF-04")
def test_nothing_has_drifted_from_the_template(stack: Stack, evidence: dict[str, object]) -> None:
    """The next deployment would undo a change that was made by hand, or keep an undocumented one."""
    drifts = stack.formation.drifts
    compared, resources = drifts.values(), stack.formation.resources.values()
    evidence["compared"] = f"{len(compared)} of {len(resources)} resources"
    evidence["types that CloudFormation cannot compare"] = ", ".join(
        sorted({resource.type for resource in resources} - {drift.type for drift in compared})
    )

    assert {
        drift.logical_id: drift.differences or drift.status
        for drift in compared
        if drift.status in ("MODIFIED", "DELETED")
    } == {}
    if unread := [drift.logical_id for drift in compared if drift.status != "IN_SYNC"]:
        raise Unverified(f"CloudFormation could not read {', '.join(unread)}; allow their reads, run again")
    if not {"AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::S3::Bucket"} <= {d.type for d in compared}:
        raise Unverified(f"CloudFormation compared {sorted(drifts)} alone; check the stack's drift by hand")


@pytest.mark.item("INF-05")
def test_every_route_is_throttled(stack: Stack) -> None:
    """One client could use up the account's concurrency, so that all other clients are refused."""
    expected = Throttle(rate=budgets.API_RATE, burst=budgets.API_BURST)

    assert {
        f"{route} on {stage.name}": throttle
        for stage in stack.http_api.stages
        for route, throttle in stage.throttles.items()
        if throttle != expected
    } == {}
    assert stack.http_api.route_keys, f"{stack.http_api!r} has no route"


@pytest.mark.item("INF-06")
def test_gateway_refuses_a_burst_and_recovers(api: Api) -> None:
    """A limit that is not enforced protects nothing, and one that does not recover is an outage."""
    seen = burst(
        api,
        "/health",
        requests=budgets.BURST_REQUESTS,
        rounds=budgets.BURST_ROUNDS,
        rate=budgets.BURST_RATE,
        connections=budgets.BURST_CONNECTIONS,
    )
    assert seen.statuses.keys() <= {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}, seen.statuses
    allowed = budgets.API_BURST + budgets.API_RATE * seen.elapsed.total_seconds()
    if allowed >= len(seen.answers):
        raise Unverified(
            f"{seen.rate:.0f} requests a second are too few to exceed {budgets.API_RATE}; run from a faster machine"
        )
    if not seen.refused:
        raise Unverified(
            f"none of {len(seen.answers)} requests was refused, at {seen.rate:.0f} a second where {budgets.API_RATE} are "
            "allowed; API Gateway limits as well as it can and promises no more. Check INF-05, then run again"
        )
    recovered = api.recovers("/health", within=budgets.BURST_RECOVERY)
    assert recovered.status == HTTPStatus.OK, f"{budgets.BURST_RECOVERY} after the burst: {recovered!r}"


@pytest.mark.item("INF-07")
def test_concurrency_carries_the_users(stack: Stack) -> None:
    """The service would refuse users in its first busy minute."""
    assert {
        mapping["EventSourceArn"]: mapping["State"]
        for mapping in stack.worker.event_sources
        if mapping["State"] not in ("Enabled", "Enabling", "Creating", "Updating")
    } == {}, f"{stack.worker!r} takes no job from its queue; enable the mapping"
    at_once = [
        mapping.get("ScalingConfig", {}).get("MaximumConcurrency") for mapping in stack.worker.event_sources
    ]
    if not at_once or None in at_once:
        raise Unverified(f"{stack.worker!r}: no MaximumConcurrency says how much its queue asks of it")
    needed = {stack.api: budgets.USERS_AT_ONCE, stack.worker: sum(at_once)}
    reserved = {function: function.reserved_concurrency for function in needed}
    shared = sum(need for function, need in needed.items() if reserved[function] is None)

    assert {
        function.name: f"reserves {kept}, needs {needed[function]}"
        for function, kept in reserved.items()
        if kept is not None and kept < needed[function]
    } == {}
    assert needed[stack.worker] >= budgets.USERS_AT_ONCE, f"{stack.worker!r} is given {at_once} jobs at once"
    assert shared == 0 or stack.concurrency.unreserved >= shared, stack.concurrency.limits


@pytest.mark.item("INF-10")
def test_cold_starts_are_short(stack: Stack) -> None:
    """The first users after a quiet hour, and each one that a burst adds, would wait before anything happens."""
    starts = stack.api.cold_starts(gateway_event("GET", "/health"), budgets.COLD_STARTS)

    assert_p95_under(
        budgets.COLD_START_P95, "cold start", [(start.start_to_answer, start.hindered) for start in starts]
    )


@pytest.mark.item("INF-11")
def test_warm_requests_are_short(stack: Stack, shown_job: Job) -> None:
    """The page asks for a job's status all the while, so that a slow answer is waited and paid for many times."""
    event = gateway_event("GET", f"/status/{shown_job.id}")
    reports = stack.api.warm_invocations(event, budgets.WARM_INVOCATIONS)

    assert_p95_under(
        budgets.WARM_P95, "warm request", [(report.duration, report.hindered) for report in reports]
    )


@pytest.mark.item("INF-08")
def test_quotas_have_headroom(stack: Stack, evidence: dict[str, object]) -> None:
    """A deployment, or the busiest hour, would be refused; raising a quota takes AWS hours to days."""
    quotas = stack.quotas.all(requests_per_second=budgets.API_RATE)
    evidence |= {quota.name: repr(quota) for quota in quotas}

    assert [quota for quota in quotas if quota.used > general.QUOTA_USE * quota.limit] == []


@pytest.mark.item("INF-22")
def test_queues_keep_each_job(stack: Stack) -> None:
    """A job that returns during its work is paid for twice, and one that expires is lost without a trace."""
    jobs, dead = stack.queue, stack.dead_letter_queue
    receives = _receives(stack)
    hidden = jobs.visibility_timeout
    assert hidden >= stack.worker.timeout, (
        f"{jobs!r}: expected that a job stays hidden for the worker's {stack.worker.timeout}, found {hidden}"
    )
    assert jobs.retention > receives * hidden, (
        f"{jobs!r}: expected that a job is kept longer than {receives} attempts of {hidden}, found {jobs.retention}"
    )
    assert dead.retention >= general.DEAD_LETTER_RETENTION, (
        f"{dead!r}: expected that it keeps a failed job for {general.DEAD_LETTER_RETENTION}, found {dead.retention}"
    )
    assert jobs.delay == timedelta(0), (
        f"{jobs!r}: expected that it delivers at once, found a delay of {jobs.delay}"
    )


def _receives(stack: Stack) -> int:
    """Return how often a job is tried before it goes to the dead-letter queue."""
    policy = stack.queue.redrive_policy
    assert policy.get("deadLetterTargetArn") == stack.dead_letter_queue.arn, f"{stack.queue!r}: {policy}"
    receives = int(policy.get("maxReceiveCount", 0))
    assert receives in general.DEAD_LETTER_RECEIVES, f"{stack.queue!r}: {policy}"
    return receives


@pytest.mark.item("INF-09")
def test_failed_jobs_reach_the_dead_letter_queue(stack: Stack) -> None:
    """A poisonous message would be retried until it expires, and then be gone without trace."""
    receives = _receives(stack)

    sent = datetime.now(UTC)
    poison = stack.queue.send(
        {"jobId": str(uuid.uuid4()), "correlationId": new_correlation_id(), "drill": _POISON}
    )
    within = budgets.DEAD_LETTER_DEADLINE
    dead = stack.dead_letter_queue.take(lambda message: message.id == poison, within, _is_poison)
    if not dead:
        assert not stack.queue.stays_empty(), (
            f"message {poison}, which names no job, is neither in {stack.queue!r} nor in {stack.dead_letter_queue!r} "
            f"after {within.total_seconds():.0f} s"
        )
        raise Unverified(
            f"messages are still on their way through {stack.queue!r} {within.total_seconds():.0f} s after {poison} was sent; "
            "SQS gives no bound: run again"
        )
    events = stack.worker_log.wait_for(poison, sent, lambda events: len(_deliveries(events)) >= receives)
    if len(_deliveries(events)) < receives:
        raise Unverified(
            f"the worker's log tells of {len(_deliveries(events))} of {receives} deliveries of {poison}"
        )
    assert len(_deliveries(events)) == receives, [event.message for event in events]


def _is_poison(message: Message) -> bool:
    """Whether a drill sent it, and ended before the message had come."""
    return message.content.get("drill") == _POISON


def _deliveries(events: Sequence[LogEvent]) -> set[int]:
    """Which deliveries of a message a log tells of: the first, the second ..."""
    return {event.fields["received"] for event in events if "received" in event.fields}


@pytest.mark.item("INF-12")
def test_requests_are_traced(stack: Stack) -> None:
    """The operators could not find the slow part of a request."""
    assert {f.name: f.tracing_mode for f in (stack.api, stack.worker) if f.tracing_mode != "Active"} == {}


@pytest.mark.item("INF-13")
def test_table_can_be_restored(stack: Stack) -> None:
    """One wrong delete would lose every job, one busy hour would be refused."""
    assert stack.table.point_in_time_recovery == "ENABLED"
    assert stack.table.billing_mode == "PAY_PER_REQUEST"


@pytest.mark.item("INF-16")
def test_monthly_cost_is_within_a_watched_budget(
    stack: Stack, env: Environment, evidence: dict[str, object]
) -> None:
    """Nine paid calls a request add up within hours, and the invoice comes at the end of the month."""
    assert stack.has("MonthlyBudget"), f"{stack.formation!r} has no budget"
    shape = costs.Shape(
        worker_memory_mb=stack.worker.memory_mb,
        api_memory_mb=stack.api.memory_mb,
        alarms=len(stack.alarms),
        web_acl_rules=stack.formation.web_acl_rules,
    )
    lines = costs.estimate(shape, env.settings.jobs_a_month)
    dearest = sorted(lines, key=lambda line: line.usd, reverse=True)[:3]
    evidence["estimate"] = f"{costs.total_usd(lines):.2f} USD for {env.settings.jobs_a_month} jobs a month"
    evidence["dearest"] = ", ".join(f"{line.what} {line.usd:.2f}" for line in dearest)
    evidence["budget"] = f"{stack.budget.monthly_usd} USD a month"

    assert stack.budget.monthly_usd == float(stack.formation.parameter("MonthlyBudgetUsd"))
    assert costs.total_usd(lines) <= stack.budget.monthly_usd, dearest
    assert stack.budget.left_out == [], f"{stack.budget!r} does not count everything; take its filters out"
    assert [
        notification
        for notification in stack.budget.notifications
        if notification.of == "ACTUAL"
        and notification.percent is not None
        and notification.percent <= general.BUDGET_ALARM_PERCENT
        and stack.alarm_topic.arn in notification.subscribers
    ], f"no subscriber is notified in time: {stack.budget.notifications}"


@pytest.mark.item("INF-14")
def test_forced_errors_end_in_a_notification(stack: Stack) -> None:
    """Metric, dimensions, threshold, permission and topic can each look right, and still no operator is notified."""
    switch, alarm = stack.api_errors_alarm, stack.api_errors_alarm.alarm
    topic, inbox = stack.alarm_topic, stack.alarm_inbox
    threshold = int(alarm.threshold or 0)
    assert 0 < threshold <= general.ERRORS_UNSEEN, f"{switch!r} lets {threshold} errors go by"
    assert alarm.watches("AWS/Lambda", "Errors", FunctionName=stack.api.name), (
        f"{alarm} watches {alarm.metrics}"
    )
    assert topic.arn in alarm.actions, f"{switch!r} tells {alarm.actions or 'nobody'}, not {topic!r}"
    assert inbox.arn in {subscription.endpoint for subscription in topic.subscriptions}, (
        f"{topic!r} does not tell {inbox!r}: {topic.subscriptions}"
    )
    assert inbox.lets_in("sns.amazonaws.com"), (
        f"{inbox!r} takes nothing from {topic!r}: {inbox.policy_statements}"
    )
    assert alarm.treat_missing_data == "notBreaching", f"{switch!r} would not return to OK by itself"

    if switch.state.value == "ALARM":
        switch.lower()
    began, errors = (
        datetime.now(UTC),
        2 * threshold - 1,
    )  # where a period ends among them, one side has enough
    counted = stack.api.errors(began)
    for _ in range(errors):
        stack.api.fail({"drill": "an event that no HTTP API sends"})
    stack.api.wait_for_errors(counted + errors, began, budgets.METRIC_DEADLINE)
    raised = switch.wait_until_raised(budgets.ALARM_DEADLINE)
    if raised.value != "ALARM":
        raise Unverified(
            f"{switch!r}: {raised} {budgets.ALARM_DEADLINE} after CloudWatch counted {errors} errors; it gives no bound: "
            "check the alarm's history, then run again"
        )

    within = budgets.NOTIFICATION_DEADLINE.total_seconds()
    notifications = inbox.take(
        lambda message: _is_notification_of(message, topic.arn, switch.name, raised),
        budgets.NOTIFICATION_DEADLINE,
    )
    if not notifications:
        raise Unverified(
            f"{switch!r}: {raised}, and no notification of {topic!r} arrived in {inbox!r} within {within:.0f} s; SNS gives no bound: "
            "check its metric NumberOfNotificationsFailed, then run again"
        )


def _is_notification_of(message: Message, topic_arn: str, alarm_name: str, raised: AlarmState) -> bool:
    """Whether a message is the topic's word that the alarm has just been raised."""
    if message.content.get("TopicArn") != topic_arn:
        return False
    try:
        said: Mapping[str, Any] = json.loads(message.content["Message"])
        changed = datetime.fromisoformat(said["StateChangeTime"])
    except (KeyError, TypeError, ValueError):
        return False
    known = (said.get("AlarmName"), said.get("NewStateValue")) == (alarm_name, "ALARM")
    return known and abs(changed - raised.since) <= budgets.SAME_EVENT


@pytest.mark.item("INF-19")
def test_api_and_cdn_write_access_logs_that_expire(stack: Stack, api: Api, cdn: Cdn) -> None:
    """After abuse the operators could not find out who sent which requests."""
    assert stack.has("CdnLogsBucket"), f"{stack.formation!r} has no log of its distributions"
    assert stack.http_api.access_log_name == stack.access_log.name
    assert stack.access_log.retention, f"{stack.access_log!r} never expires its lines"
    for distribution in stack.distributions:
        assert distribution.log_bucket_name == stack.edge_log_bucket.name, distribution
        assert [
            rule
            for rule in stack.edge_log_bucket.lifecycle_rules
            if rule.enabled and rule.expiration and distribution.log_prefix.startswith(rule.prefix)
        ], f"{stack.edge_log_bucket!r} never expires its files: {stack.edge_log_bucket.lifecycle_rules}"

    asked = datetime.now(UTC)
    cdn.get("/images/verification-of-the-access-log.png")
    request_id = api.call("GET", "/health").headers["apigw-requestid"]
    lines = stack.access_log.wait_for(request_id, asked, lambda lines: bool(_of(request_id, lines)))
    own = _of(request_id, lines)
    if not own:
        raise Unverified(
            f"expected a line of request {request_id} in {stack.access_log!r}, found none after {general.LOG_DEADLINE}; API Gateway "
            "guarantees no delivery: run again"
        )
    assert any(line.addresses for line in own), (
        f"{stack.access_log!r}: expected the sender's address of {request_id}, found {[line.message for line in own]}; correct the log's format"
    )
    if not stack.edge_log.wait_for_delivery(within=budgets.EDGE_LOG_DELAY):
        raise Unverified(
            f"expected an access log of the last 24 hours in {stack.edge_log_bucket!r}, found none; CloudFront may deliver it a day "
            "late: run again tomorrow"
        )


def _of(id_: str, lines: Sequence[LogEvent]) -> Sequence[LogEvent]:
    """Those lines that are about the request of that id; another's may quote it."""
    return [line for line in lines if line.mentions(id_)]


@pytest.mark.item("INF-15")
def test_failing_update_is_undone_while_the_api_answers(throw_away: ThrowAway) -> None:
    """A failed release would leave users on a half-updated stack until an operator repairs it."""
    if not throw_away.created:
        raise Unverified(f"there is no stack to update ({throw_away.why()}); see INF-20")
    before = Stack(throw_away.env)
    settings = dict(before.api.environment)
    with traffic(Api(throw_away.env, before.formation.output("ApiEndpoint"))) as users:
        ended = throw_away.fail_update()
    after = Stack(throw_away.env)

    assert ended.status == "UPDATE_ROLLBACK_COMPLETE", throw_away.why()
    assert dict(after.api.environment) == settings, "the API's function was not put back"
    assert users.failed == [], f"{len(users.failed)} of {len(users.failed) + len(users.answered)} requests"


@pytest.mark.item("INF-18")
def test_redeploying_changes_nothing(env: Environment, source: Source, tmp_path: Path) -> None:
    """If every deployment changes something, a reviewer cannot see the changes that matter."""
    assert drill.changes(env, source.app, tmp_path) == []


@pytest.mark.item("INF-20")
def test_stack_can_be_rebuilt_from_nothing(throw_away: ThrowAway) -> None:
    """In a disaster the operators do not remember a manual step of a year ago."""
    assert throw_away.created, throw_away.why()
    throw_away.delete()
    rebuilt = throw_away.deploy()

    assert rebuilt.status == "CREATE_COMPLETE", throw_away.why()
    assert throw_away.wait_until_healthy()["status"] == "ok"


@pytest.mark.item("INF-21")
def test_stack_has_no_undeclared_configuration(env: Environment) -> None:
    """Drift detection compares declared resources alone: a resource added by hand stays in use and undocumented."""
    assert undeclared(env, live.resources(env)) == {}


@pytest.mark.item("INF-17")
def test_stack_survives_an_accidental_deletion(stack: Stack, env: Environment) -> None:
    """Deleting the wrong stack would delete the users' images, and all jobs, with it."""
    template = stack.formation.template["Resources"]
    names = [stack.part(name).logical_id for name in ("ImagesBucket", "JobsTable")]
    kept = {name: template[name].get("DeletionPolicy") for name in names}

    assert {n: p for n, p in kept.items() if p not in ("Retain", "RetainExceptOnCreate")} == {}
    if env.settings.production:
        assert stack.formation.termination_protection, f"{stack.formation!r} can be deleted"
        assert stack.table.deletion_protection, f"{stack.table!r} can be deleted"
