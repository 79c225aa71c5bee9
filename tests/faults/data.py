"""Faults of what the stack stores: its protection, and that it outlives the stack."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("SEC-10", "the access logs' bucket may be opened by a policy")
def open_access_logs(bench: Bench) -> Iterator[None]:
    with bench.opened("BlockPublicPolicy", of="CdnLogsBucket"):
        yield


@fault("SEC-11", "the inbox of alarms is not encrypted")
def bare_inbox(bench: Bench) -> Iterator[None]:
    with bench.queue_with("AlarmInbox", SqsManagedSseEnabled="false"):
        yield


@fault("SEC-12", "the access logs' bucket answers over plain HTTP")
def plain_access_logs(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("CdnLogsBucket")
    before = client.get_bucket_policy(Bucket=bucket)["Policy"]
    client.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        client.put_bucket_policy(Bucket=bucket, Policy=before)


@fault("INF-17", "the jobs would be deleted with the stack", alone=True)
def jobs_go_with_the_stack(bench: Bench) -> Iterator[None]:
    with bench.template(lambda template: template["Resources"]["JobsTable"].pop("DeletionPolicy")):
        yield
