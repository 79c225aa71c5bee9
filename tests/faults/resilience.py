"""Faults of what has to survive other parts' faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.faults.bench import Bench
from tests.faults.fault import fault


@contextmanager
def _worker_with(bench: Bench, changes: Mapping[str, tuple[str, str]]) -> Iterator[None]:
    """The worker with one change in each of several files of backend/src."""
    source = bench.checkout.app / "backend" / "src"
    altered = {}
    for path, (old, new) in changes.items():
        text = (source / path).read_text(encoding="utf-8")
        assert old in text, f"the fault no longer fits: {path} does not hold {old!r}"
        altered[path] = text.replace(old, new)
    bench._upload("WorkerFunction", source, altered)
    try:
        yield
    finally:
        bench._upload("WorkerFunction", source, {})


# S3 that refuses


_RETRIES = ('"total_max_attempts": attempts', '"total_max_attempts": 1')


@fault("CODE-18", "no AWS call is tried again")
def no_retries(bench: Bench) -> Iterator[None]:
    with _worker_with(bench, {"pixel_prompt/aws.py": _RETRIES}):
        yield


@fault("CODE-18", "S3 is asked twice and no more")
def one_retry(bench: Bench) -> Iterator[None]:
    twice = ('aws.client("s3", read_seconds=20', 'aws.client("s3", attempts=2, read_seconds=20')
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
