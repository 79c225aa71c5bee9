"""Faults of the stack and its resources: section infra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.exceptions

from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("INF-01", "an update failed and was rolled back", alone=True)
def rolled_back_update(bench: Bench) -> Iterator[None]:
    def impossible(template: dict[str, Any]) -> None:
        template["Resources"]["Impossible"] = {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": "no-such-function", "EventSourceArn": bench.stack.queue.arn},
        }

    try:
        with bench.template(impossible):
            raise AssertionError("the fault no longer fits: the update succeeded")
    except botocore.exceptions.WaiterError:
        pass
    try:
        yield
    finally:
        with bench.template(
            lambda template: template["Resources"]["AlarmTopic"]["Properties"].update(DisplayName="x")
        ):
            pass


@fault("INF-02", "health names another environment")
def health_of_another_environment(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", ENVIRONMENT="dev"):
        yield


@fault("INF-02", "health answers 500", relatives={"CDN-07", "CODE-08", "CODE-25", "CONF-01"})
def broken_health(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", "pixel_prompt/api.py", '"version": __version__,', '"version": 1 // 0,'):
        yield


@fault("INF-03", "an output names a bucket that does not exist", alone=True)
def dead_output(bench: Bench) -> Iterator[None]:
    def point_elsewhere(template: dict[str, Any]) -> None:
        template["Outputs"]["S3BucketName"]["Value"] = "a-bucket-of-yesterday"

    with bench.template(point_elsewhere):
        yield


@fault("INF-03", "an output is missing", relatives={"CDN-16", "CDN-17", "CONF-15"}, alone=True)
def missing_output(bench: Bench) -> Iterator[None]:
    with bench.template(lambda template: template["Outputs"].pop("S3BucketName")):
        yield


@fault("INF-05", "the stage has no throttle")
def no_throttle(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_stage(ApiId=api, StageName="$default")["DefaultRouteSettings"]
    loose = {**before, "ThrottlingRateLimit": 10_000.0, "ThrottlingBurstLimit": 5_000}
    client.update_stage(ApiId=api, StageName="$default", DefaultRouteSettings=loose)
    try:
        yield
    finally:
        client.update_stage(ApiId=api, StageName="$default", DefaultRouteSettings=before)


@fault("INF-05", "one route has a throttle of its own")
def one_loose_route(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    own = {"POST /generate": {"ThrottlingRateLimit": 1_000.0, "ThrottlingBurstLimit": 1_000}}
    client.update_stage(ApiId=api, StageName="$default", RouteSettings=own)
    default = client.get_stage(ApiId=api, StageName="$default")["DefaultRouteSettings"]
    try:
        yield
    finally:
        client.update_stage(ApiId=api, StageName="$default", RouteSettings={"POST /generate": default})


@fault("INF-12", "the worker is not traced")
def untraced_worker(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", TracingConfig={"Mode": "PassThrough"}):
        yield


@fault("INF-13", "point-in-time recovery is off")
def no_recovery(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")

    def switch(enabled: bool) -> None:
        specification = {"PointInTimeRecoveryEnabled": enabled}
        client.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=specification)

    switch(enabled=False)
    try:
        yield
    finally:
        switch(enabled=True)


@fault("INF-17", "the images would be deleted with the stack", alone=True)
def images_go_with_the_stack(bench: Bench) -> Iterator[None]:
    with bench.template(lambda template: template["Resources"]["ImagesBucket"].pop("DeletionPolicy")):
        yield
