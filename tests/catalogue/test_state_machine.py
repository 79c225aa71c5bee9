"""readiness/aws/state_machine.py"""

from __future__ import annotations

import json
from typing import Any

import pytest

from readiness.aws.state_machine import StateMachine
from readiness.errors import Unverified

INVOKE = "arn:aws:states:::lambda:invoke"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"


def machine(states: dict[str, Any] | None = None, **told: Any) -> StateMachine:
    env: Any = None
    found = StateMachine(env, "arn:aws:states:us-east-1:123456789012:stateMachine:shop")
    described = {"definition": json.dumps({"States": states or {}}), **told}
    found.__dict__["description"] = described
    return found


def test_tasks_within_maps_and_parallels_are_found() -> None:
    task = {"Type": "Task", "Resource": FUNCTION}
    inner = {"States": {"Inner": task}}
    states = {
        "All": {"Type": "Parallel", "Branches": [inner]},
        "Each": {"Type": "Map", "ItemProcessor": {"States": {"One": task}}},
        "Old": {"Type": "Map", "Iterator": {"States": {"Two": task}}},
        "Last": task,
    }

    assert [task.name for task in machine(states).tasks] == ["Inner", "One", "Two", "Last"]


def test_a_task_is_handled_by_itself_or_by_what_stands_around_it() -> None:
    task, catch = {"Type": "Task", "Resource": FUNCTION}, [{"ErrorEquals": ["States.ALL"], "Next": "Stop"}]
    states = {
        "All": {"Type": "Parallel", "Branches": [{"States": {"Around": task}}], "Catch": catch},
        "Bare": {"Type": "Map", "ItemProcessor": {"States": {"Alone": task}}},
        "Own": {**task, "Catch": catch},
    }

    assert {task.name: task.handles_errors for task in machine(states).tasks} == {
        "Around": True,
        "Alone": False,
        "Own": True,
    }


def test_the_function_of_a_task_is_found_in_both_forms() -> None:
    states = {
        "Direct": {"Type": "Task", "Resource": FUNCTION},
        "Integrated": {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": FUNCTION}},
        "Queried": {"Type": "Task", "Resource": INVOKE, "Arguments": {"FunctionName": "work"}},
        "Chosen": {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName.$": "$.name"}},
    }

    assert [task.function for task in machine(states).tasks] == [FUNCTION, FUNCTION, "work", ""]


@pytest.mark.parametrize(
    "waits", ["glue:startJobRun.sync", "states:startExecution.sync:2", "sqs:sendMessage.waitForTaskToken"]
)
def test_a_task_that_waits_for_others_says_so(waits: str) -> None:
    (task,) = machine({"One": {"Type": "Task", "Resource": f"arn:aws:states:::{waits}"}}).tasks

    assert task.waits_for_others
    assert not task.has_time_limit


def test_log_and_trace_are_as_described() -> None:
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/shop/steps:*"
    logging = {"level": "ERROR", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}
    told = machine(loggingConfiguration=logging, tracingConfiguration={"enabled": True})

    assert (told.log_level, list(told.log_group_names), told.traces) == ("ERROR", ["/shop/steps"], True)
    assert not machine(tracingConfiguration={"enabled": False}).traces


def test_what_aws_does_not_return_is_not_judged() -> None:
    with pytest.raises(Unverified):
        _ = machine().traces
    with pytest.raises(Unverified):
        _ = machine(loggingConfiguration={}).log_level
