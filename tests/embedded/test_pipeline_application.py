"""tests/applications/pipeline: an event pipeline without HTTP, deployed by the plain SAM CLI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.embedded.conftest import Running
from verification.application import ROOT, connect
from verification.deployment import sam

APP = ROOT / "tests" / "applications" / "pipeline"
DEFECTS = tomllib.loads((APP / "defects.toml").read_text(encoding="utf-8"))["defect"]
STACK = "meter-readings-local"
FILE = b"meter,time,kwh\nM-1,2026-03-01T00:15:00Z,0.25\nM-1,2026-03-01T00:30:00Z,0.5\n"
PATIENCE_SECONDS = 20.0
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("pipeline-application")]


def until(look: Callable[[], Any], what: str) -> Any:
    """Return what `look` finds, once it finds something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_SECONDS:g} s"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def outputs(cloud: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The application as its samconfig.toml has it, from a folder outside this repository."""
    folder = tmp_path_factory.mktemp("pipeline") / "app"
    shutil.copytree(APP, folder)
    variables = sam.variables(connect("local", cloud=cloud.cloud.name), os.environ)
    for step in (["build"], ["deploy", "--config-env", "local", "--no-progressbar"]):
        done = subprocess.run(
            [str(ROOT / ".tools" / "bin" / "sam"), *step],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    stack = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    yield {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    cloud.client("cloudformation").delete_stack(StackName=STACK)


def item(cloud: Running, table: str, key: str, sort: str) -> dict[str, Any] | None:
    answer = cloud.client("dynamodb").get_item(
        TableName=table, Key={"pk": {"S": key}, "sk": {"S": sort}}, ConsistentRead=True
    )
    return answer.get("Item")


def test_a_file_becomes_a_days_figure(cloud: Running, outputs: dict[str, str]) -> None:
    key = "sites/harbour/good.csv"
    cloud.client("s3").put_object(Bucket=outputs["UploadsBucket"], Key=key, Body=FILE)

    found = until(
        lambda: item(cloud, outputs["ReadingsTable"], "DAY#2026-03-01", f"harbour#{key}"), "the figure"
    )
    assert found["kwh"] == {"N": "0.75"}


def test_a_file_that_cannot_be_read_is_rejected_and_its_import_fails(
    cloud: Running, outputs: dict[str, str]
) -> None:
    key = "sites/harbour/bad.csv"
    cloud.client("s3").put_object(Bucket=outputs["UploadsBucket"], Key=key, Body=b"hello\nworld\n")

    found = until(lambda: item(cloud, outputs["ReadingsTable"], "REJECTED", key), "the rejection")
    assert found["error"] == {"S": "InvalidFile"}
    states = cloud.client("stepfunctions")
    (failed,) = until(
        lambda: states.list_executions(stateMachineArn=outputs["ImportMachineArn"], statusFilter="FAILED")[
            "executions"
        ],
        "the failed execution",
    )
    assert states.describe_execution(executionArn=failed["executionArn"])["error"] == "InvalidFile"


def test_a_poisoned_message_reaches_the_dead_letters(cloud: Running, outputs: dict[str, str]) -> None:
    queues, source = cloud.client("sqs"), outputs["ArrivalsQueueUrl"]
    # The queue hides a message for three minutes after each of five attempts; nobody waits for that here.
    queues.set_queue_attributes(QueueUrl=source, Attributes={"VisibilityTimeout": "1"})
    queues.send_message(QueueUrl=source, MessageBody="no event")

    (dead,) = until(
        lambda: queues.receive_message(QueueUrl=outputs["ArrivalsDeadLettersUrl"]).get("Messages"),
        "the dead letter",
    )
    queues.set_queue_attributes(QueueUrl=source, Attributes={"VisibilityTimeout": "180"})
    assert dead["Body"] == "no event"


def test_the_nightly_report_adds_up_what_the_files_say(cloud: Running, outputs: dict[str, str]) -> None:
    cloud.client("dynamodb").put_item(
        TableName=outputs["ReadingsTable"],
        Item={
            "pk": {"S": "DAY#2026-04-01"},
            "sk": {"S": "mill#sites/mill/a.csv"},
            "site": {"S": "mill"},
            "kwh": {"N": "1.5"},
        },
    )
    functions = cloud.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="ReportFunction"
    )
    answer = cloud.client("lambda").invoke(
        FunctionName=functions["StackResourceDetail"]["PhysicalResourceId"],
        Payload=json.dumps({"time": "2026-04-02T03:30:00Z"}),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    report = cloud.client("s3").get_object(Bucket=outputs["ReportsBucket"], Key="daily/2026-04-01.json")
    assert json.loads(report["Body"].read()) == {"day": "2026-04-01", "kwh": {"mill": "1.5"}}


def test_its_alarms_stand_in_the_nested_stack(cloud: Running, outputs: dict[str, str]) -> None:
    formation = cloud.client("cloudformation")
    nested = formation.describe_stack_resource(StackName=STACK, LogicalResourceId="Monitoring")
    live = formation.describe_stack_resources(StackName=nested["StackResourceDetail"]["PhysicalResourceId"])[
        "StackResources"
    ]
    alarms = [one["PhysicalResourceId"] for one in live if one["ResourceType"] == "AWS::CloudWatch::Alarm"]
    found = cloud.client("cloudwatch").describe_alarms(AlarmNames=alarms)["MetricAlarms"]
    assert len(found) == len(alarms) == 17
    assert all(one["AlarmActions"] for one in found)


@pytest.mark.parametrize("defect", DEFECTS, ids=[defect["id"] for defect in DEFECTS])
def test_each_defect_changes_exactly_what_it_names(defect: dict[str, Any]) -> None:
    texts: dict[str, str] = {}
    for edit in defect["edit"]:
        text = texts.get(edit["file"]) or (APP / edit["file"]).read_text(encoding="utf-8")
        assert text.count(edit["find"]) == 1, edit["find"]
        texts[edit["file"]] = text.replace(edit["find"], edit["replace"])
    assert all(text != (APP / file).read_text(encoding="utf-8") for file, text in texts.items())
