"""The worker function: takes jobs from the queue, looks at the vendors for operators, and runs their drills.

Invoked directly with ``{"action": "check-keys"}`` it reads the secret afresh and answers what is wrong with it, and
for each model whether its vendor accepts the key: ``{"secret": {"id", "problems": [texts]}, "models": [{"model",
"name", "vendor", "ok", "code", "cause"}]}``. No answer and no log line holds a key.
With ``{"action": "model-lives"}`` it answers how long each model can be called, the text model among them, by the
vendor's word and by the registry's: ``{"models": [{"model", "vendor", "vendorModel", "told", "code", "registry"}]}``.
``told`` is ``{"served", "ends", "legacy"}``, or null when the vendor's API has no word on it; with a ``code``, when it did
not answer. ``registry`` is ``{"availableUntil", "published", "lookedUp"}``; days are ``YYYY-MM-DD`` or null.
With ``{"action": "drill"}`` it shows what a job survives: see drills. With ``{"action": "withdraw", "jobId"}`` it
takes a job out of the users' gallery and lists it among those that verify: ``{"jobId", "withdrawn": whether there is
such a job}``.

Neither a look at the vendors nor a drill uses what jobs use: both work with clients, connections and keys of its own, which are thrown away.
"""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import date
from functools import cache, cached_property, partial
from typing import Any, Final, Protocol, TypeVar

from pixel_prompt import aws
from pixel_prompt.adapters import Means, adapter_for
from pixel_prompt.adapters.transport import READ_SECONDS, Caller, Deadline, HttpsWire, VendorError, Wire
from pixel_prompt.errors import ApiError
from pixel_prompt.generation import JOB_SECONDS, Generator, JobUnfinished
from pixel_prompt.jobs import Jobs
from pixel_prompt.keys import BadSecret, KeyRing
from pixel_prompt.log import Log, describe
from pixel_prompt.models import TEXT_MODEL, Model
from pixel_prompt.settings import WorkerSettings
from pixel_prompt.storage import ImageStore
from pixel_prompt.table import Table
from pixel_prompt.validation import read_id
from pixel_prompt.web import correlation_id_of

_T = TypeVar("_T")
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
_BEDROCK_READ_SECONDS: Final = READ_SECONDS["bedrock"]


class Context(Protocol):
    """What Lambda tells about an invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class Queue(Protocol):
    """The call of botocore's client that is used here."""

    def change_message_visibility(self, **arguments: Any) -> Mapping[str, Any]: ...


class BadMessage(Exception):
    """The message names no job that there is."""


class Equipment:
    """What is worked with, made when it is first asked for.

    Args:
        settings: what the worker is told.
        clients: makes the AWS clients.
        wire: sends requests to vendors.
    """

    def __init__(self, settings: WorkerSettings, clients: Callable[..., Any], wire: Wire) -> None:
        self._settings = settings
        self._clients = clients
        self._wire = wire

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs as the table has them."""
        client = self._clients("dynamodb", connections=len(self._settings.models))
        return Jobs(Table(client, self._settings.table_name))

    @cached_property
    def s3(self) -> Any:
        """The client that stores images."""
        return self._clients("s3", read_seconds=20, connections=len(self._settings.models))

    @cached_property
    def store(self) -> ImageStore:
        """Where images are stored."""
        return ImageStore(self.s3, self._settings.bucket_name)

    @cached_property
    def keys(self) -> KeyRing:
        """The vendors' keys."""
        return KeyRing(self._clients("secretsmanager"), self._settings.keys_secret_arn)

    @cached_property
    def means(self) -> Means:
        """What adapters work with."""
        bedrock = partial(
            self._clients, "bedrock-runtime", read_seconds=_BEDROCK_READ_SECONDS, attempts=_BEDROCK_ATTEMPTS
        )
        catalogue = partial(self._clients, "bedrock")
        return Means(caller=Caller(self._wire), key=self.keys.key, bedrock=bedrock, catalogue=catalogue)


class Worker:
    """Answers the function's events."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        generator: Generator,
        models: tuple[Model, ...],
        queue: Queue,
        queue_url: str,
        own_equipment: Callable[[], AbstractContextManager[Equipment]],
    ) -> None:
        self._jobs = jobs
        self._generator = generator
        self._models = models
        self._queue = queue
        self._queue_url = queue_url
        self._own_equipment = own_equipment

    def take(self, records: list[Mapping[str, Any]], context: Context, log: Log) -> dict[str, Any]:
        """Work on the queue's messages; those that failed come back."""
        failed = [record for record in records if not self._take_one(record, context, log)]
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

    def check_keys(self, log: Log) -> dict[str, Any]:
        """Look at the secret, and ask every model's vendor at the same time."""
        deadline = Deadline.after(CHECK_SECONDS)
        with self._own_equipment() as own:
            problems = own.keys.problems(
                dict.fromkeys(m.vendor for m in self._models if m.vendor != "bedrock")
            )
            found = _of_each(self._models, lambda model: _check(model, own.means, deadline, log))
        results = [
            {"model": model.id, "name": model.name, "vendor": model.vendor, "ok": code is None}
            | {"code": code, "cause": cause}
            for model, (code, cause) in found
        ]
        accepted = sum(code is None for _, (code, _) in found)
        log.info("keys_checked", accepted=accepted, total=len(found), secret=problems)
        return {"secret": {"id": own.keys.secret, "problems": problems}, "models": results}

    def model_lives(self, log: Log) -> dict[str, Any]:
        """Ask every model's vendor how long it can be called, and say what the registry knows."""
        deadline = Deadline.after(CHECK_SECONDS)
        with self._own_equipment() as own:
            found = _of_each(
                (*self._models, TEXT_MODEL), lambda model: _life(model, own.means, deadline, log)
            )
        log.info("model_lives_asked", total=len(found))
        return {
            "models": [
                {"model": model.id, "vendor": model.vendor, "vendorModel": model.vendor_model, **told}
                | {
                    "registry": {
                        "availableUntil": _day(model.available_until),
                        "published": model.published,
                        "lookedUp": _day(model.looked_up),
                    }
                }
                for model, told in found
            ]
        }

    def drill(self, event: Mapping[str, Any], context: Context, log: Log) -> dict[str, Any]:
        """Break something on purpose, and see whether a job of the drill's own survives it."""
        # Only here: no job needs drills, and every cold start would pay for their import.
        from pixel_prompt.drills import Drills  # noqa: PLC0415

        with self._own_equipment() as own:
            drills = Drills(jobs=own.jobs, store=own.store, s3=own.s3, models=self._models)
            return drills.run(event, _seconds_left(context), log)

    def withdraw(self, event: Mapping[str, Any], log: Log) -> dict[str, Any]:
        """Take a job out of the users' gallery.

        Raises:
            ApiError: the event names no job.
        """
        job_id = read_id(str(event.get("jobId")))
        withdrawn = self._jobs.withdraw(job_id)
        log.info("job_withdrawn", jobId=job_id, withdrawn=withdrawn)
        return {"jobId": job_id, "withdrawn": withdrawn}

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


def _of_each(models: Sequence[Model], ask: Callable[[Model], _T]) -> list[tuple[Model, _T]]:
    """Ask about all models at the same time."""
    with ThreadPoolExecutor(max_workers=len(models)) as pool:
        return list(zip(models, pool.map(ask, models), strict=True))


def _check(model: Model, means: Means, deadline: Deadline, log: Log) -> tuple[str | None, str | None]:
    """Why the model's vendor does not accept the key, as a code and a cause."""
    try:
        adapter_for(model, means).check_key(deadline)
    except VendorError as error:
        log.warning(
            "key_refused", model=model.id, code=error.code, cause=error.cause, vendorStatus=error.status
        )
        return error.code, error.cause
    except BadSecret:  # what is wrong with it is said once, for all models
        return "unauthorized", None
    except Exception as error:  # noqa: BLE001 (one model must not cost the others)
        log.failure("key_check_crashed", model=model.id, **describe(error))
        return "internal_error", None
    return None, None


def _life(model: Model, means: Means, deadline: Deadline, log: Log) -> dict[str, Any]:
    """What the model's vendor says of its end, or why it says nothing."""
    try:
        life = adapter_for(model, means).life(deadline)
    except VendorError as error:
        log.warning("life_unknown", model=model.id, code=error.code, vendorStatus=error.status)
        return {"told": None, "code": error.code}
    except BadSecret:
        return {"told": None, "code": "unauthorized"}
    except Exception as error:  # noqa: BLE001 (one model must not cost the others)
        log.failure("life_crashed", model=model.id, **describe(error))
        return {"told": None, "code": "internal_error"}
    told = life and {"served": life.served, "ends": _day(life.ends), "legacy": life.legacy}
    return {"told": told, "code": None}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


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


@contextmanager
def _own_equipment(settings: WorkerSettings) -> Iterator[Equipment]:
    """Equipment that nobody else uses, gone when the context ends."""
    with closing(aws.Clients()) as clients, closing(HttpsWire()) as wire:
        yield Equipment(settings, clients, wire)


@cache
def _worker() -> Worker:
    settings = WorkerSettings.read()
    shared = Equipment(settings, aws.client, HttpsWire())
    generator = Generator(
        jobs=shared.jobs,
        store=shared.store,
        models={model.id: model for model in settings.models},
        adapter_for=partial(adapter_for, means=shared.means),
    )
    return Worker(
        jobs=shared.jobs,
        generator=generator,
        models=settings.models,
        queue=aws.client("sqs"),
        queue_url=settings.queue_url,
        own_equipment=partial(_own_equipment, settings),
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
    if event.get("action") == "model-lives":
        return _worker().model_lives(log)
    if event.get("action") == "drill":
        return _worker().drill(event, context, log)
    if event.get("action") == "withdraw":
        return _worker().withdraw(event, log)
    raise ValueError("neither messages of the queue nor a known action")


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _worker()
