"""Jobs: one item a job, one entry in it a model.

A worker claims a model before it calls the vendor and records the outcome under its claim, both by
conditional writes. So a job that is delivered twice, or again after its worker was killed, generates what is
missing and nothing twice. A claim is a lease: it ends, so that a killed worker's models become free again.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pixel_prompt import clock
from pixel_prompt.clock import Clock, timestamp
from pixel_prompt.table import ConditionFailed, Item, Table
from pixel_prompt.validation import Wish

KEEP_SECONDS: Final = 30 * clock.DAY_SECONDS
# What a drill leaves behind is for whoever ran it, and for nobody else.
KEEP_DRILL_SECONDS: Final = clock.HOUR_SECONDS
# A job that is not done by then never will be: nobody waits for it, so no vendor is paid for it.
ABANDON_SECONDS: Final = clock.HOUR_SECONDS
# The index's partitions, each a list of its own. What verifies a deployment is not among what users made.
GALLERY_PARTITION: Final = "gallery"
VERIFICATION_PARTITION: Final = "verification"

ModelState = Literal["pending", "running", "completed", "failed"]
JobState = Literal["pending", "running", "completed", "partial", "failed"]

MESSAGES: Final[Mapping[str, str]] = {
    "unauthorized": "The model's vendor does not accept this application's key.",
    "rate_limited": "The model's vendor takes no more requests at the moment.",
    "moderated": "The model's vendor refused this prompt.",
    "rejected": "The model's vendor could not use this request.",
    "timeout": "The model took too long.",
    "unavailable": "The model's vendor does not answer.",
    "invalid_response": "The model's vendor sent something that is not an image.",
    "internal_error": "Something went wrong here.",
}


@dataclass(frozen=True, slots=True)
class ModelResult:
    """What became of one model so far. ``key`` is the image's, ``code`` the failure's."""

    model: str
    state: ModelState
    key: str | None = None
    code: str | None = None
    duration_ms: int | None = None
    claim: str | None = None
    lease_until: float = 0


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt on its way through the models. ``created`` is in seconds since 1970.

    A job that verifies the deployment is in a list of its own, and a drill in none.
    """

    id: str
    created: float
    created_at: str
    correlation_id: str
    wish: Wish
    results: tuple[ModelResult, ...]
    image_count: int
    preview_key: str | None
    verification: bool = False
    drill: bool = False

    @property
    def done(self) -> bool:
        """Whether every model has an outcome."""
        return all(result.state in ("completed", "failed") for result in self.results)

    @property
    def state(self) -> JobState:
        """The job's state, as the contract names it."""
        states = [result.state for result in self.results]
        if self.done:
            succeeded = states.count("completed")
            return "completed" if succeeded == len(states) else "partial" if succeeded else "failed"
        return "pending" if set(states) == {"pending"} else "running"

    def abandoned(self, now: float) -> bool:
        """Whether it is too old to be worked on."""
        return now >= self.created + ABANDON_SECONDS


class Jobs:
    """The jobs in the table."""

    def __init__(self, table: Table, now: Clock = clock.now) -> None:
        self._table = table
        self._now = now

    def create(
        self,
        wish: Wish,
        models: Iterable[str],
        correlation_id: str,
        *,
        verification: bool = False,
        drill: bool = False,
    ) -> Job:
        """Store a new job in which no model has been called."""
        job_id = str(uuid.uuid4())
        now = self._now()
        model_ids = list(models)
        item: dict[str, Any] = {
            "jobId": job_id,
            "created": now,
            "createdAt": timestamp(now),
            "correlationId": correlation_id,
            "prompt": wish.prompt,
            "steps": wish.steps,
            "guidance": wish.guidance,
            "modelIds": model_ids,
            "models": {model: {"state": "pending"} for model in model_ids},
            "imageCount": 0,
            "expiresAt": int(now) + (KEEP_DRILL_SECONDS if drill else KEEP_SECONDS),
        }
        if verification:
            item["verification"] = True
        if drill:
            item["drill"] = True
        if wish.seed is not None:
            item["seed"] = wish.seed
        self._table.create(_key(job_id), item)
        return _job(item)

    def get(self, job_id: str) -> Job | None:
        """The job as it is now; None when it never was or is too old.

        The models of an abandoned job without an outcome appear as timed out.
        """
        item = self._table.get(_key(job_id))
        now = self._now()
        if item is None or item["expiresAt"] <= now:
            return None
        job = _job(item)
        if job.done or not job.abandoned(now):
            return job
        return _job({**item, "models": {name: _given_up(entry) for name, entry in item["models"].items()}})

    def withdraw(self, job_id: str) -> bool:
        """Take a job out of the users' gallery, into the list of those that verify; False when there is no such job.

        A job without an image is in neither yet, and then comes into that list.
        """
        try:
            self._table.update(
                _key(job_id),
                "SET verification = :yes, galleryKey = :partition",
                "attribute_exists(pk)",
                {},
                {":yes": True, ":partition": VERIFICATION_PARTITION},
            )
        except ConditionFailed:
            return False
        return True

    def delete(self, job_id: str) -> None:
        """Take back a job that could not be handed over."""
        self._table.delete(_key(job_id))

    def claim(self, job_id: str, model: str, owner: str, lease_seconds: float) -> bool:
        """Take the model for ``owner``; False when it is done or somebody else's.

        The same owner may ask again: a write whose answer was lost has happened all the same.
        """
        now = self._now()
        try:
            self._table.update(
                _key(job_id),
                "SET models.#model = :claimed",
                "attribute_exists(pk) AND (models.#model.#state = :pending"
                " OR (models.#model.#state = :running AND models.#model.leaseUntil < :now))",
                {"#model": model, "#state": "state"},
                {
                    ":claimed": {"state": "running", "claim": owner, "leaseUntil": now + lease_seconds},
                    ":pending": "pending",
                    ":running": "running",
                    ":now": now,
                },
            )
        except ConditionFailed:
            entry = self._entry(job_id, model)
            return entry.get("state") == "running" and entry.get("claim") == owner
        return True

    def record_image(self, job: Job, model: str, owner: str, key: str, duration_ms: int) -> bool:
        """Note an image, the first of which puts the job into its list; False when the claim was lost."""
        further = ", imageCount = imageCount + :one, previewKey = if_not_exists(previewKey, :key)"
        values: dict[str, Any] = {":one": 1, ":key": key}
        if not job.drill:
            # Where it is already, it stays: it may have been withdrawn meanwhile.
            further += ", galleryKey = if_not_exists(galleryKey, :partition), gallerySort = :sort"
            partition = VERIFICATION_PARTITION if job.verification else GALLERY_PARTITION
            values |= {":partition": partition, ":sort": f"{job.created_at}#{job.id}"}
        outcome = {"state": "completed", "claim": owner, "key": key, "durationMs": duration_ms}
        return self._record(job, model, owner, outcome, further=further, values=values)

    def record_failure(self, job: Job, model: str, owner: str, code: str, duration_ms: int) -> bool:
        """Note why there is no image; False when the claim was lost."""
        outcome = {"state": "failed", "claim": owner, "code": code, "durationMs": duration_ms}
        return self._record(job, model, owner, outcome)

    def _record(
        self,
        job: Job,
        model: str,
        owner: str,
        outcome: Mapping[str, Any],
        *,
        further: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        try:
            self._table.update(
                _key(job.id),
                f"SET models.#model = :outcome{further}",
                "models.#model.#state = :running AND models.#model.claim = :owner",
                {"#model": model, "#state": "state"},
                {":outcome": outcome, ":running": "running", ":owner": owner, **(values or {})},
            )
        except ConditionFailed:
            entry = self._entry(job.id, model)
            return entry.get("state") == outcome["state"] and entry.get("claim") == owner
        return True

    def _entry(self, job_id: str, model: str) -> Mapping[str, Any]:
        item = self._table.get(_key(job_id)) or {}
        entry: Mapping[str, Any] = item.get("models", {}).get(model, {})
        return entry


def _key(job_id: str) -> str:
    return f"job#{job_id}"


def _given_up(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return entry if entry["state"] in ("completed", "failed") else {"state": "failed", "code": "timeout"}


def _job(item: Item) -> Job:
    return Job(
        id=item["jobId"],
        created=item["created"],
        created_at=item["createdAt"],
        correlation_id=item["correlationId"],
        wish=Wish(item["prompt"], item["steps"], item["guidance"], item.get("seed")),
        results=tuple(_result(model, item["models"][model]) for model in item["modelIds"]),
        image_count=item["imageCount"],
        preview_key=item.get("previewKey"),
        verification=item.get("verification", False),
        drill=item.get("drill", False),
    )


def _result(model: str, entry: Mapping[str, Any]) -> ModelResult:
    return ModelResult(
        model=model,
        state=entry["state"],
        key=entry.get("key"),
        code=entry.get("code"),
        duration_ms=entry.get("durationMs"),
        claim=entry.get("claim"),
        lease_until=entry.get("leaseUntil", 0),
    )
