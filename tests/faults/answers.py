"""Faults of what the deployed API answers and stores: section code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from readiness.verdict import Outcome
from tests.faults.bench import Bench
from tests.faults.delivery import images_removed
from tests.faults.fault import fault
from verification import budgets
from verification.probes.api import Api, gallery_path

_CONTRACT = "backend/openapi.yaml"
_OF_A_JOB = {
    *("CODE-08", "CODE-09", "CODE-10", "CODE-13", "CODE-17", "CODE-20"),
    *("SEC-10", "SEC-12", "SEC-13", "SEC-15", "SEC-22", "INF-11"),
    *(
        "CDN-02",
        "CDN-03",
        "CDN-04",
        "CDN-05",
        "CDN-06",
        "CDN-07",
        "CDN-08",
        "CDN-11",
        "CDN-13",
        "CDN-14",
        "CDN-18",
    ),
}
"""The items that need a job, and are UNVERIFIED where none can be made."""


@fault("CODE-08", "a handler drops a field of its answer")
def dropped_field(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        '{"jobId": job.id, "totalModels": len(models)}',
        '{"jobId": job.id}',
    ):
        yield


@fault(
    "CODE-08",
    "jobs are sent to a queue that the API may not use",
    relatives=_OF_A_JOB - {"CODE-13"} | {"SEC-08", "CODE-14", "CODE-23"},
    alone=True,
)
def other_queue(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", QUEUE_URL=bench.physical("JobsDeadLetterQueue")):
        yield


@fault(
    "CODE-08",
    "a job's status cannot be read",
    relatives=_OF_A_JOB - {"CODE-13"} | {"CODE-14", "CODE-18", "CODE-19", "CODE-23"},
    alone=True,
)
def unreadable_status(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/api.py", '"total": len(job.results),', '"total": len(job.results) // 0,'
    ):
        yield


@fault("CODE-25", "the contract does not require what every answer has")
def weaker_contract(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        _CONTRACT,
        "required: [jobId, status, completed, total, results]",
        "required: [jobId, status, results]",
    ):
        yield


@fault("CODE-25", "the contract does not document a property that the API reads")
def undocumented_property(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        _CONTRACT,
        "        guidance: { type: number, nullable: true, minimum: 5, maximum: 10, default: 7, description: For models that take it }\n",
        "",
    ):
        yield


@fault("CODE-25", "the contract allows more steps than the API takes")
def wider_contract(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(_CONTRACT, "minimum: 25, maximum: 50", "minimum: 25, maximum: 500"):
        yield


@fault("CODE-25", "the contract has a cursor be a number")
def other_type_of_a_parameter(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(_CONTRACT, "type: string, maxLength: 512", "type: integer"):
        yield


@fault("CODE-25", "the contract does not say that a route may fail")
def undocumented_status(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        _CONTRACT, '        "500": { $ref: "#/components/responses/InternalError" }\n', ""
    ):
        yield


@fault("CODE-25", "a seed may be as long as the caller likes")
def wider_api(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        "SEED_MAX: Final = 2**31 - 1",
        "SEED_MAX: Final = 2**63 - 1",
    ):
        yield


@fault(
    "CODE-25",
    "valid guidance is refused",
    relatives=_OF_A_JOB,
)
def refused_guidance(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        "or not isinstance(value, int | float)",
        "or isinstance(value, int | float)",
    ):
        yield


# Where a model does fail, CODE-08 sees that as well.
@fault(
    "CODE-19",
    "the contract does not know why a model failed",
    relatives={"CODE-25"},
    apart_from={"CODE-09", "CONF-02"},
)
def undocumented_error(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        _CONTRACT, '        error: { $ref: "#/components/schemas/ModelError" }\n', ""
    ):
        yield


@fault("CODE-09", "a provider answers 200 with garbage", relatives={"CONF-02", "CONF-19"})
def garbage_from_a_provider(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("openai", "garbage"):
        yield


@fault(
    "CODE-09",
    "a vendor lets no more requests through",
    outcome=Outcome.UNVERIFIED,
    relatives={"CONF-02"},
)
def rate_limited_vendor(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("bfl", "rate_limited"):
        yield


@fault(
    "CODE-09",
    "a vendor lets no more requests through, and another sends text where an image should be",
    relatives={"CONF-02"},
)
def rate_limited_and_broken_vendors(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("bfl", "rate_limited"), bench.provider_fault("recraft", "wrong_type"):
        yield


@fault("CODE-09", "a provider delivers text where an image should be")
def text_instead_of_an_image(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("recraft", "wrong_type"):
        yield


@fault("CODE-09", "every image is stored as PNG, whatever it is", relatives={"CDN-18"})
def mislabelled_images(bench: Bench) -> Iterator[None]:
    with (
        images_removed(bench),
        bench.patched(
            "WorkerFunction",
            "pixel_prompt/pictures.py",
            'Picture(data, "image/jpeg", "jpg", *_jpeg_sides(data))',
            'Picture(data, "image/png", "png", *_jpeg_sides(data))',
        ),
    ):
        yield


@fault("CODE-09", "the worker stores half of each image")
def half_images(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/storage.py",
        "Body=picture.data,",
        "Body=picture.data[: len(picture.data) // 2],",
    ):
        yield


@fault("CODE-09", "one model is asked after the other")
def one_after_the_other(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction", "pixel_prompt/generation.py", "max_workers=len(unfinished)", "max_workers=1"
    ):
        yield


@fault("CODE-10", "the gallery is empty")
def empty_gallery(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/gallery.py", "[self._summary(item) for item in shown]", "[]"
    ):
        yield


@fault("CODE-10", "the gallery shows the oldest first")
def gallery_in_the_wrong_order(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/gallery.py",
        "shown = items[: wanted.size]",
        "shown = items[: wanted.size][::-1]",
    ):
        yield


@fault(
    "CODE-12",
    "a refusal is a 500 with a traceback",
    relatives={"CODE-13", "CODE-17", "CODE-25", "CONF-03", "CONF-04", "SEC-14"},
)
def traceback_for_invalid_input(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/web.py",
        "return Response(error.status, error.body(correlation_id), error.headers)",
        'return Response(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "Traceback (most recent call last)"})',
    ):
        yield


@fault("CODE-12", "an error carries no correlation id", relatives={"CODE-17", "CODE-25"})
def error_without_correlation_id(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/web.py",
        "error.body(correlation_id)",
        '{"error": {"code": error.code, "message": "no"}}',
    ):
        yield


@fault("CODE-12", "a prompt may turn round what stands beside it")
def overriding_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/letters.py", "if _OVERRIDES.search(text):", "if not text:"
    ):
        yield


@fault("CODE-12", "a prompt may leave a direction open")
def unclosed_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", "pixel_prompt/letters.py", "return not awaited\n", "return True\n"):
        yield


@fault("CODE-12", "a prompt may hide words from people")
def hiding_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/letters.py", '_HIDDEN.search(_FLAG.sub("", text))', "not text"
    ):
        yield


@fault("CODE-12", "a page of the gallery may be of any size", relatives={"CODE-25"})
def endless_page(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        "if text not in _PAGE_SIZE_TEXTS:",
        "if not text.isdecimal():",
    ):
        yield


@fault("CODE-12", "a seed of any kind is taken", relatives={"CODE-25"})
def any_seed(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        'seed=_integer(document, "seed", range(SEED_MAX + 1), None),',
        'seed=document.get("seed"),',
    ):
        yield


@fault("CODE-12", "models that nobody has are left out of a job in silence", relatives={"CODE-25"})
def any_models(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        "if not chosen or len(chosen) != len(value):",
        "if False:",
    ):
        yield


@fault("CODE-12", "a job that does not exist is said to wait", relatives={"CODE-25"})
def job_of_nothing(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        'raise errors.not_found("There is no such job.")',
        'return Response(HTTPStatus.OK, {"jobId": job_id, "status": "pending", "completed": 0, "total": 9, "results": []})',
    ):
        yield


@fault("CODE-10", "the gallery's next page is its first again")
def repeated_page(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/gallery.py", "wanted.size + 1, start)", "wanted.size + 1, None)"
    ):
        yield


@fault("CODE-10", "the gallery counts wrongly")
def wrong_image_count(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/gallery.py", '"imageCount": item["imageCount"]', '"imageCount": 1'
    ):
        yield


@fault("CODE-10", "what verifies is among what users made")
def verification_in_the_gallery(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/jobs.py",
        "VERIFICATION_PARTITION if job.verification else GALLERY_PARTITION",
        "GALLERY_PARTITION",
    ):
        yield
    _empty_gallery(bench)


@fault("CODE-10", "the users' gallery lists what verified", relatives={"CODE-14", "CODE-23"})
def gallery_of_verification(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/gallery.py",
        "VERIFICATION_PARTITION if wanted.verification else GALLERY_PARTITION",
        "VERIFICATION_PARTITION",
    ):
        yield


@fault("CODE-10", "what users make is hidden from them", relatives={"CODE-14", "CODE-23"})
def everything_marked(bench: Bench) -> Iterator[None]:
    with (
        _older_job(bench),
        bench.patched(
            "ApiFunction",
            "pixel_prompt/api.py",
            "verification = read_verification(document)",
            "verification = read_verification(document) or True",
        ),
    ):
        yield


@fault("CODE-10", "who marks nothing is hidden", relatives={"CODE-14", "CODE-23"})
def marked_unless_it_says_otherwise(bench: Bench) -> Iterator[None]:
    with (
        _older_job(bench),
        bench.patched(
            "ApiFunction", "pixel_prompt/validation.py", "return bool(value)", "return value is not False"
        ),
    ):
        yield


@fault("CODE-10", "a job that was withdrawn stays where users see it")
def nothing_withdrawn(bench: Bench) -> Iterator[None]:
    with bench.patched("WorkerFunction", "pixel_prompt/worker.py", "self._jobs.withdraw(job_id)", "True"):
        yield
    _empty_gallery(bench)


@contextmanager
def _older_job(bench: Bench) -> Iterator[None]:
    """A user's job in the gallery, from before the fault."""
    made = _api(bench).generate("an older harbour", verification=False)
    try:
        yield
    finally:
        bench.stack.withdraw(made.id)


def _empty_gallery(bench: Bench) -> None:
    """Withdraw what a fault has left among what users made."""
    path = gallery_path(budgets.GALLERY_PAGE, verification=False)
    for left in _api(bench).call("GET", path).document()["galleries"]:
        bench.stack.withdraw(left["id"])


def _api(bench: Bench) -> Api:
    return Api(bench.env, bench.stack.formation.output("ApiEndpoint"))
