"""The worker function: takes jobs from the queue, and checks the vendors' keys and runs drills for operators.

Invoked directly with ``{"action": "check-keys"}`` it answers, for each model, whether its vendor accepts the
key: ``{"models": [{"model", "name", "vendor", "ok", "code"}]}``. No answer and no log line holds a key.
With ``{"action": "drill"}`` it shows what a job survives: see drills.
"""

import json
import os
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Final, Protocol

from pixel_prompt import aws
from pixel_prompt.adapters import Means, adapter_for
from pixel_prompt.adapters.transport import READ_SECONDS, Caller, Deadline, HttpsWire, VendorError
from pixel_prompt.drills import Drills
from pixel_prompt.errors import ApiError
from pixel_prompt.generation import JOB_SECONDS, Generator, JobUnfinished
from pixel_prompt.jobs import Jobs
from pixel_prompt.keys import KeyRing
from pixel_prompt.log import Log, describe
from pixel_prompt.models import Model
from pixel_prompt.settings import WorkerSettings
from pixel_prompt.storage import ImageStore
from pixel_prompt.table import Table
from pixel_prompt.validation import read_id
from pixel_prompt.web import correlation_id_of

# What is left for cleaning up when the function's own time-out comes near.
RESERVE_SECONDS: Final = 20.0
# A message that failed comes back after this time for each time it was received, not after the queue's
# hour and a half. One that cannot be read will not be readable then either: it is only slowed down.
RETRY_STEP_SECONDS: Final = 5
REFUSAL_STEP_SECONDS: Final = 1
MAX_RETRY_SECONDS: Final = 60
CHECK_SECONDS: Final = 30.0
# Bedrock's client tries three times within what one model may take.
_BEDROCK_ATTEMPTS: Final = 3
_BEDROCK_READ_SECONDS: Final = READ_SECONDS - 5


class Context(Protocol):
    """What Lambda tells about an invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class Queue(Protocol):
    """The call of botocore's client that is used here."""

    def change_message_visibility(self, **arguments: Any) -> Mapping[str, Any]: ...


class BadMessage(Exception):
    """The message names no job that there is."""


class Worker:
    """Answers the function's events."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        generator: Generator,
        means: Means,
        models: tuple[Model, ...],
        queue: Queue,
        queue_url: str,
        drills: Drills,
    ) -> None:
        self._jobs = jobs
        self._generator = generator
        self._means = means
        self._models = models
        self._queue = queue
        self._queue_url = queue_url
        self._drills = drills

    def take(self, records: list[Mapping[str, Any]], context: Context, log: Log) -> dict[str, Any]:
        """Work on the queue's messages; those that failed come back."""
        failed = [record for record in records if not self._take_one(record, context, log)]
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

    def check_keys(self, log: Log) -> dict[str, Any]:
        """Ask every model's vendor at the same time."""
        deadline = Deadline.after(CHECK_SECONDS)
        with ThreadPoolExecutor(max_workers=len(self._models)) as pool:
            codes = list(pool.map(lambda model: self._check(model, deadline, log), self._models))
        results = [
            {"model": model.id, "name": model.name, "vendor": model.vendor, "ok": code is None, "code": code}
            for model, code in zip(self._models, codes, strict=True)
        ]
        log.info("keys_checked", accepted=codes.count(None), total=len(codes))
        return {"models": results}

    def drill(self, event: Mapping[str, Any], context: Context, log: Log) -> dict[str, Any]:
        """Break something on purpose, and see whether a job of the drill's own survives it."""
        return self._drills.run(event, _seconds_left(context), log)

    def _take_one(self, record: Mapping[str, Any], context: Context, log: Log) -> bool:
        received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
        log = log.bind(messageId=record.get("messageId"), received=received)
        wait: float = min(RETRY_STEP_SECONDS * received, MAX_RETRY_SECONDS)
        try:
            job_id, correlation_id = _read_message(record)
            log = log.bind(jobId=job_id, correlationId=correlation_id)
            self._work(job_id, record, context, log)
        except BadMessage as error:
            wait = min(REFUSAL_STEP_SECONDS * received, MAX_RETRY_SECONDS)
            log.failure("message_refused", reason=str(error))
        except JobUnfinished as unfinished:
            wait = max(1.0, unfinished.wait_seconds + 1)
            log.info("job_held_elsewhere", waitSeconds=int(wait))
        except Exception as error:  # noqa: BLE001 (the message has to come back, whatever happened)
            log.failure("job_crashed", **describe(error))
        else:
            return True
        self._hide(record, wait, log)
        return False

    def _work(self, job_id: str, record: Mapping[str, Any], context: Context, log: Log) -> None:
        job = self._jobs.get(job_id)
        if job is None:
            raise BadMessage("there is no such job")
        started = time.monotonic()
        log.info(
            "job_started", models=len(job.results), promptCharacters=len(job.wish.prompt), state=job.state
        )
        # Should this worker be killed, the message comes back once its claims have ended.
        self._hide(record, JOB_SECONDS + RESERVE_SECONDS, log)
        self._generator.run(
            job, f"{context.aws_request_id}/{uuid.uuid4().hex[:8]}", _seconds_left(context), log
        )
        finished = self._jobs.get(job_id)
        log.info(
            "job_finished",
            state=finished.state if finished else None,
            images=finished.image_count if finished else None,
            durationMs=int((time.monotonic() - started) * 1000),
        )

    def _hide(self, record: Mapping[str, Any], seconds: float, log: Log) -> None:
        """Let the message come back after this time; otherwise it comes back after the queue's."""
        try:
            self._queue.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=int(seconds),
            )
        except Exception as error:  # noqa: BLE001 (the job matters more than when a retry comes)
            log.warning("visibility_unchanged", **describe(error))

    def _check(self, model: Model, deadline: Deadline, log: Log) -> str | None:
        try:
            adapter_for(model, self._means).check_key(deadline)
        except VendorError as error:
            log.warning("key_refused", model=model.id, code=error.code, vendorStatus=error.status)
            return error.code
        except Exception as error:  # noqa: BLE001 (one model must not cost the others)
            log.failure("key_check_crashed", model=model.id, **describe(error))
            return "internal_error"
        return None


def _seconds_left(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS


def _read_message(record: Mapping[str, Any]) -> tuple[str, str]:
    try:
        message = json.loads(record["body"])
        job_id = read_id(message["jobId"])
        correlation_id = correlation_id_of({"x-correlation-id": str(message.get("correlationId"))})
    except (ApiError, KeyError, TypeError, ValueError):
        raise BadMessage("the body is not one of this application") from None
    return job_id, correlation_id


@cache
def _worker() -> Worker:
    settings = WorkerSettings.read()
    threads = len(settings.models)
    jobs = Jobs(Table(aws.client("dynamodb", connections=threads), settings.table_name))
    keys = KeyRing(aws.client("secretsmanager"), settings.keys_secret_arn)
    means = Means(
        caller=Caller(HttpsWire()),
        key=keys.key,
        bedrock=partial(
            aws.client, "bedrock-runtime", read_seconds=_BEDROCK_READ_SECONDS, attempts=_BEDROCK_ATTEMPTS
        ),
    )
    s3 = aws.client("s3", read_seconds=20, connections=threads)
    store = ImageStore(s3, settings.bucket_name)
    generator = Generator(
        jobs=jobs,
        store=store,
        models={model.id: model for model in settings.models},
        adapter_for=partial(adapter_for, means=means),
    )
    return Worker(
        jobs=jobs,
        generator=generator,
        means=means,
        models=settings.models,
        queue=aws.client("sqs"),
        queue_url=settings.queue_url,
        drills=Drills(jobs=jobs, store=store, s3=s3, models=settings.models),
    )


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Lambda's entry point.

    Raises:
        ValueError: the event is neither the queue's nor a known action.
    """
    log = Log({"function": "worker", "requestId": context.aws_request_id})
    if "Records" in event:
        return _worker().take(event["Records"], context, log)
    if event.get("action") == "check-keys":
        return _worker().check_keys(log)
    if event.get("action") == "drill":
        return _worker().drill(event, context, log)
    raise ValueError("neither messages of the queue nor a known action")


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _worker()
