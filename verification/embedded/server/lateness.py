"""Overlay: what AWS does later than it says that it has been done. Laid over MiniStack by a pessimistic pace alone.

The numbers and their sources are in `pace`.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import time
import types
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import AccountRegionScopedDict, request_scope
from ministack.services import cloudformation, cloudfront, cloudwatch, cloudwatch_logs, iam, sts
from ministack.services.cloudformation import changesets, handlers, stacks

from verification.embedded.server import pace, require
from verification.embedded.server.context import Context
from verification.embedded.server.later import Later
from verification.embedded.server.pace import Pace

require(cloudwatch_logs, "_append_log_events")
require(cloudwatch, "_list_metrics", "_metric_bucket", "_metrics")
require(cloudfront, "_create_distribution", "_update_distribution", "_distributions")
require(cloudformation, "_change_sets", "_stacks")
require(changesets, "_create_change_set")
require(iam, "_IAM_HANDLERS")
require(iam_evaluator, "_gather_role_policies")
require(sts, "register_session")
require(handlers, "_ACTION_HANDLERS", "_delete_stack_async")
require(
    stacks,
    "_delete_resource",
    "_provision_resource",
    "_roll_back_operation",
    "_runs_on_worker_thread",
    "_update_resource",
)

DISTRIBUTION = "AWS::CloudFront::Distribution"
METRICS_POLL_SECONDS = 0.2
POLICY_CHANGES = ("AttachRolePolicy", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy")


def install(context: Context) -> None:
    """Lay the overlay over MiniStack, unless the pace is MiniStack's own."""
    if not context.pace.pessimistic:
        return
    later = Later()
    _delay_log_events(context.pace, later)
    _delay_metrics(context)
    _delay_change_sets(context.pace, later)
    _delay_stacks(context.pace)
    _delay_distributions(context.pace)
    _delay_distribution_updates(context.pace, later)
    _delay_policies(context)
    _shorten_sessions(context.pace)


def _delay_log_events(slow: Pace, later: Later) -> None:
    append = cloudwatch_logs._append_log_events

    def append_log_events(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        later.do(slow.seconds(pace.LOG_EVENTS), lambda: append(stream, events))

    cloudwatch_logs._append_log_events = append_log_events


def _delay_metrics(context: Context) -> None:
    """Let values wait outside of the metrics that clients and alarms read."""
    visible = cloudwatch._metric_bucket
    waiting = AccountRegionScopedDict()

    def metric_bucket(key: tuple[Any, ...]) -> list[Any]:
        bucket: list[Any] = waiting.setdefault(key, [])
        return bucket

    def publish_for_ever() -> None:
        while True:
            time.sleep(METRICS_POLL_SECONDS)
            with request_scope(context.account_id, context.region):
                before = time.time() - context.pace.seconds(pace.METRICS)
                for key, values in list(waiting.items()):
                    while values and values[0]["Timestamp"] <= before:
                        visible(key).append(values.pop(0))

    cloudwatch._metric_bucket = metric_bucket
    _delay_list_of_metrics(context.pace)
    threading.Thread(target=publish_for_ever, name="late-metrics", daemon=True).start()


def _delay_list_of_metrics(slow: Pace) -> None:
    """A metric has values before it is listed."""
    list_metrics = cloudwatch._list_metrics
    listed_from: dict[Any, float] = {}

    def late_list(*arguments: Any) -> Any:
        seen, now = {}, time.time()
        for key, values in list(cloudwatch._metrics.items()):
            first = min((value["Timestamp"] for value in values), default=now)
            listed_from.setdefault(key, first + slow.seconds(pace.LISTED_METRICS))
            if listed_from[key] <= now:
                seen[key] = values
        # Under its own name of the store, for other threads use the store meanwhile.
        known = {**vars(cloudwatch), "_metrics": seen}
        return types.FunctionType(list_metrics.__code__, known, argdefs=list_metrics.__defaults__)(*arguments)

    cloudwatch._list_metrics = late_list


def _delay_policies(context: Context) -> None:
    """A client that changes a role's policies reads the new ones at once, while IAM still decides by the old ones.

    What a stack makes is not late: CloudFormation waits for it.
    """
    gather = iam_evaluator._gather_role_policies
    held: dict[str, tuple[float, Any]] = {}

    def gather_role_policies(name: str, account_id: str) -> Any:
        until, before = held.get(name, (0.0, None))
        return before if time.monotonic() < until else gather(name, account_id)

    def late(change: Any, parameters: Any) -> Any:
        name = iam._p(parameters, "RoleName")
        before = gather_role_policies(name, context.account_id)
        answer = change(parameters)
        held[name] = (time.monotonic() + context.pace.seconds(pace.IAM_CHANGE), before)
        return answer

    iam_evaluator._gather_role_policies = gather_role_policies
    for action in POLICY_CHANGES:
        iam._IAM_HANDLERS[action] = functools.partial(late, iam._IAM_HANDLERS[action])


def _shorten_sessions(slow: Pace) -> None:
    """Credentials of a role end on this clock; the expiry that is returned with them is on AWS's."""
    register = sts.register_session

    def register_session(access_key: str, session: dict[str, Any]) -> None:
        ends, now = session.get("Expiration"), time.time()
        if ends is not None and slow.speed is not None:
            session["Expiration"] = now + (ends - now) / slow.speed
        register(access_key, session)

    sts.register_session = register_session


def _delay_change_sets(slow: Pace, later: Later) -> None:
    create = handlers._ACTION_HANDLERS["CreateChangeSet"]

    def create_change_set(parameters: dict[str, Any]) -> Any:
        known = set(cloudformation._change_sets)
        answer = create(parameters)
        for id_ in set(cloudformation._change_sets) - known:
            made = cloudformation._change_sets[id_]
            ready = {name: made[name] for name in ("Status", "ExecutionStatus", "StatusReason")}
            made.update(Status="CREATE_IN_PROGRESS", ExecutionStatus="UNAVAILABLE", StatusReason="")
            later.do(slow.seconds(pace.CHANGE_SET), functools.partial(made.update, ready))
        return answer

    handlers._ACTION_HANDLERS["CreateChangeSet"] = create_change_set


def _delay_stacks(slow: Pace) -> None:
    roll_back, delete = stacks._roll_back_operation, handlers._delete_stack_async

    async def roll_back_operation(*arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(slow.seconds(pace.STACK_ROLLBACK))
        return await roll_back(*arguments, **named)

    async def delete_stack(name: str, *arguments: Any, **named: Any) -> Any:
        if name in cloudformation._stacks:
            cloudformation._stacks[name]["StackStatus"] = "DELETE_IN_PROGRESS"
        await asyncio.sleep(slow.seconds(pace.STACK_DELETION))
        return await delete(name, *arguments, **named)

    stacks._roll_back_operation = roll_back_operation
    handlers._delete_stack_async = delete_stack


def _delay_distributions(slow: Pace) -> None:
    """A stack waits for its distributions."""
    in_thread, provision = stacks._runs_on_worker_thread, stacks._provision_resource
    update, delete = stacks._update_resource, stacks._delete_resource

    def take_time(resource_type: str) -> None:
        if resource_type == DISTRIBUTION:
            time.sleep(slow.seconds(pace.DISTRIBUTION))

    def provision_resource(resource_type: str, *arguments: Any, **named: Any) -> Any:
        made = provision(resource_type, *arguments, **named)
        take_time(resource_type)
        return made

    def update_resource(
        resource_type: str, physical_id: str, old: Any, new: Any, *arguments: Any, **named: Any
    ) -> Any:
        made = update(resource_type, physical_id, old, new, *arguments, **named)
        if old != new:
            take_time(resource_type)
        return made

    def delete_resource(resource_type: str, *arguments: Any, **named: Any) -> Any:
        take_time(resource_type)
        return delete(resource_type, *arguments, **named)

    stacks._runs_on_worker_thread = lambda resource_type: (
        resource_type == DISTRIBUTION or in_thread(resource_type)
    )
    stacks._provision_resource = provision_resource
    stacks._update_resource = update_resource
    stacks._delete_resource = delete_resource


def _delay_distribution_updates(slow: Pace, later: Later) -> None:
    """A distribution that was changed directly is `InProgress` first."""
    change = cloudfront._update_distribution

    def update_distribution(id_: str, *arguments: Any) -> Any:
        answer = change(id_, *arguments)
        distribution = cloudfront._distributions.get(id_)
        if distribution is not None:
            version = distribution["ETag"]

            def deployed() -> None:
                if distribution["ETag"] == version:
                    distribution["Status"] = "Deployed"

            distribution["Status"] = "InProgress"
            later.do(slow.seconds(pace.DISTRIBUTION), deployed)
            answer = (*answer[:2], answer[2].replace(b">Deployed<", b">InProgress<"))
        return answer

    cloudfront._update_distribution = update_distribution
