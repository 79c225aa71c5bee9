"""Faults of the access logs."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("INF-19", "the API's access log goes into the worker's log", relatives={"SEC-15"})
def access_log_elsewhere(bench: Bench) -> Iterator[None]:
    client = bench.client("apigatewayv2")
    stage = {"ApiId": bench.physical("HttpApi"), "StageName": "$default"}
    before = client.get_stage(**stage)["AccessLogSettings"]
    own, other = bench.physical("AccessLogGroup"), bench.physical("WorkerLogGroup")
    elsewhere = {**before, "DestinationArn": before["DestinationArn"].replace(own, other)}
    client.update_stage(**stage, AccessLogSettings=elsewhere)
    try:
        yield
    finally:
        client.update_stage(**stage, AccessLogSettings=before)


@fault("INF-19", "the distribution writes no access log")
def no_edge_log(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration["Logging"].update(Enabled=False)):
        yield


@fault("INF-19", "the distribution's log is kept for ever")
def eternal_edge_log(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("CdnLogsBucket")
    before = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    client.delete_bucket_lifecycle(Bucket=bucket)
    try:
        yield
    finally:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": before})
