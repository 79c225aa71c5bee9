"""Faults of deploying: rollback, repetition, rebuilding."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.bench import Bench
from tests.faults.fault import fault

_TEMPLATE, _SETTINGS = "backend/template.yaml", "backend/samconfig.toml"


@fault("INF-15", "rollback is disabled")
def no_rollback(bench: Bench) -> Iterator[None]:
    section = "[local.deploy.parameters]\n"
    with bench.checkout.changed(_SETTINGS, section, f"{section}disable_rollback = true\n"):
        yield


@fault("INF-18", "the template holds a timestamp")
def timestamp(bench: Bench) -> Iterator[None]:
    said = "Description: Answers the HTTP API"
    with bench.checkout.changed(_TEMPLATE, said, f"{said}, built 2026-11-24T14:56:02Z,"):
        yield


@fault("INF-18", "a stray file lies beside the source")
def stray_file(bench: Bench) -> Iterator[None]:
    with bench.checkout.written("backend/src/pixel_prompt/notes.txt", "built on Tuesday"):
        yield


@fault("INF-20", "a bucket of a fixed name is retained")
def fixed_bucket_name(bench: Bench) -> Iterator[None]:
    bucket = """  ImagesBucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
"""
    named = f"{bucket}      BucketName: pixel-prompt-images-of-the-drill\n"
    with bench.checkout.changed(_TEMPLATE, bucket, named):
        yield
