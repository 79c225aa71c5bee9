"""Faults of how much the functions and the API's stages take at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.bench import Bench
from tests.faults.fault import fault


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
