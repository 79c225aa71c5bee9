"""One job: every model is asked at the same time, and each outcome is recorded as soon as it is known."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from pixel_prompt.adapters import Adapter
from pixel_prompt.adapters.transport import Deadline, VendorError
from pixel_prompt.jobs import Job, ModelResult
from pixel_prompt.log import Log, describe
from pixel_prompt.models import Model
from pixel_prompt.pictures import NotAPicture, Picture, recognise

# What one model may take, retries included, and what claims, storing and recording may take on top of it. Mostly
# it is seconds; the bound is for a vendor that answers late and fails each time.
MODEL_SECONDS: Final = 600.0
JOB_SECONDS: Final = MODEL_SECONDS + 60.0


class JobUnfinished(Exception):
    """Some models are being worked on elsewhere; the job has to be looked at again."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"look again in {wait_seconds:.0f} s")
        self.wait_seconds: Final = wait_seconds


class JobRecords(Protocol):
    """What generating needs of Jobs."""

    def get(self, job_id: str) -> Job | None: ...
    def claim(self, job_id: str, model: str, owner: str, lease_seconds: float) -> bool: ...
    def record_image(self, job: Job, model: str, owner: str, key: str, duration_ms: int) -> bool: ...
    def record_failure(self, job: Job, model: str, owner: str, code: str, duration_ms: int) -> bool: ...


class Store(Protocol):
    """What generating needs of ImageStore."""

    def put(self, job_id: str, model: str, picture: Picture) -> str: ...


class Generator:
    """Works through jobs."""

    def __init__(
        self,
        *,
        jobs: JobRecords,
        store: Store,
        models: Mapping[str, Model],
        adapter_for: Callable[[Model], Adapter],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._store = store
        self._models = models
        self._adapter_for = adapter_for
        self._now = now
        self._monotonic = monotonic

    def run(self, job: Job, owner: str, seconds: float, log: Log) -> None:
        """Ask every model that has no outcome yet, at most ``seconds`` long.

        A job that is done already is left alone: that is what a second delivery finds.

        Raises:
            JobUnfinished: another delivery of the job holds some models.
        """
        unfinished = [result for result in job.results if result.state in ("pending", "running")]
        if not unfinished or job.abandoned(self._now()):
            log.info("job_left_alone", done=job.done)
            return
        deadline = Deadline.after(min(seconds, MODEL_SECONDS), self._monotonic)
        with ThreadPoolExecutor(max_workers=len(unfinished), thread_name_prefix="model") as pool:
            outcomes = list(
                pool.map(lambda result: self._attempt(job, result, owner, deadline, log), unfinished)
            )
        if not all(outcomes):
            raise JobUnfinished(self._longest_lease(job.id))

    def _attempt(self, job: Job, result: ModelResult, owner: str, deadline: Deadline, log: Log) -> bool:
        """Claim one model, ask it and record the outcome; False when somebody else holds it."""
        log = log.bind(model=result.model)
        started = self._monotonic()
        if not self._jobs.claim(job.id, result.model, owner, JOB_SECONDS):
            log.info("model_held_elsewhere")
            return False
        try:
            picture = self._picture(job, result.model, deadline)
            key = self._store.put(job.id, result.model, picture)
        except VendorError as error:
            code = error.code
            log.warning("model_failed", code=code, cause=error.cause, vendorStatus=error.status)
        except Exception as error:  # noqa: BLE001 (one model must not cost the others)
            code = "internal_error"
            log.failure("model_crashed", **describe(error))
        else:
            duration = self._since(started)
            recorded = self._jobs.record_image(job, result.model, owner, key, duration)
            log.info(
                "model_completed",
                durationMs=duration,
                bytes=len(picture.data),
                width=picture.width,
                height=picture.height,
                recorded=recorded,
            )
            return True
        self._jobs.record_failure(job, result.model, owner, code, self._since(started))
        return True

    def _picture(self, job: Job, model_id: str, deadline: Deadline) -> Picture:
        model = self._models.get(model_id)
        if model is None:
            # Configured when the job was made, and no longer.
            raise VendorError("unavailable")
        try:
            return recognise(self._adapter_for(model).generate(job.wish, deadline))
        except NotAPicture:
            raise VendorError("invalid_response") from None

    def _longest_lease(self, job_id: str) -> float:
        """Seconds until every model that is held elsewhere is free or done; 0 when all are done."""
        job = self._jobs.get(job_id)
        if job is None:
            return 0.0
        leases = [result.lease_until for result in job.results if result.state == "running"]
        return max([lease - self._now() for lease in leases], default=0.0)

    def _since(self, started: float) -> int:
        return int((self._monotonic() - started) * 1000)
