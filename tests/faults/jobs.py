"""Faults of jobs on their way: credentials, deliveries, correlation, refusals, and what the logs are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from readiness.verdict import Outcome
from tests import registry
from tests.faults.bench import Bench
from tests.faults.fault import fault
from verification.probes.api import Api


@fault("CODE-11", "the prompt is given back as it came")
def echoed_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", "pixel_prompt/enhance.py", "return enhanced", "return prompt"):
        yield


@fault("CODE-11", "the richer prompt is about something else")
def another_subject(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/enhance.py",
        "return enhanced",
        'return "A bowl of ripe fruit on a wooden table, in soft morning light"',
    ):
        yield


@fault("CODE-17", "the worker's log lines carry no correlation id")
def uncorrelated_worker(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/worker.py",
        "log.bind(jobId=job_id, correlationId=correlation_id)",
        "log.bind(jobId=job_id)",
    ):
        yield


@fault("CODE-17", "a job is handed over without its correlation id")
def job_without_correlation_id(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        '{"jobId": job.id, "correlationId": request.correlation_id}',
        '{"jobId": job.id}',
    ):
        yield


@fault("CODE-17", "any correlation id is believed")
def believed_correlation_id(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/web.py",
        "return given if _CORRELATION_ID.fullmatch(given) else",
        "return given or",
    ):
        yield


@fault("CODE-17", "an error's body names another id than its header")
def error_with_another_id(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/web.py", "error.body(correlation_id)", "error.body(str(uuid.uuid4()))"
    ):
        yield


@fault("CODE-20", "the worker looks neither at a job's results nor at its claims")
def every_delivery_is_worked_on(bench: Bench) -> Iterator[None]:
    with (
        bench.patched(
            "WorkerFunction",
            "pixel_prompt/generation.py",
            'unfinished = [result for result in job.results if result.state in ("pending", "running")]',
            "unfinished = list(job.results)",
        ),
        bench.patched(
            "WorkerFunction",
            "pixel_prompt/jobs.py",
            '"attribute_exists(pk) AND (models.#model.#state = :pending"',
            '"attribute_exists(pk) AND (models.#model.#state <> :pending OR models.#model.#state = :pending"',
        ),
    ):
        yield


@fault("CONF-02", "a vendor has revoked its key", relatives={"CODE-09"})
def revoked_key(bench: Bench) -> Iterator[None]:
    secret = bench.unguarded("secretsmanager").get_secret_value(SecretId=bench.physical("ProviderKeys"))
    key = json.loads(secret["SecretString"])["stability"]
    with bench.vendor("stability", {"revoked": [key]}, {"revoked": []}):
        yield


@contextmanager
def _other_secret(bench: Bench, change: Callable[[str], str]) -> Iterator[None]:
    """Another text in the secret, while the only worker that runs has kept the keys of before.

    That CODE-09 goes on to hold is what shows that it has.
    """
    client, secret = bench.unguarded("secretsmanager"), bench.physical("ProviderKeys")
    before = client.get_secret_value(SecretId=secret)["SecretString"]
    with bench.configured("WorkerFunction", Description="has no environment of before"):
        job = Api(bench.env, bench.stack.formation.output("ApiEndpoint")).generate("a harbour at noon")
        assert job.status == "completed", job.results
        client.put_secret_value(SecretId=secret, SecretString=change(before))
        try:
            yield
        finally:
            client.put_secret_value(SecretId=secret, SecretString=before)


@fault("CONF-02", "the secret was emptied, and the worker is warm", relatives={"CONF-19"}, alone=True)
def emptied_secret(bench: Bench) -> Iterator[None]:
    with _other_secret(bench, lambda _: "{}"):
        yield


@fault("CONF-02", "one key was emptied, and the worker is warm", alone=True)
def emptied_key(bench: Bench) -> Iterator[None]:
    with _other_secret(bench, lambda text: json.dumps({**json.loads(text), "recraft": " "})):
        yield


@fault("CONF-02", "two vendors' keys were swapped, and the worker is warm", alone=True)
def swapped_keys(bench: Bench) -> Iterator[None]:
    def swapped(text: str) -> str:
        keys = json.loads(text)
        return json.dumps({**keys, "openai": keys["stability"], "stability": keys["openai"]})

    with _other_secret(bench, swapped):
        yield


@fault("CONF-02", "the secret is no JSON, and the worker is warm", relatives={"CONF-19"}, alone=True)
def garbled_secret(bench: Bench) -> Iterator[None]:
    with _other_secret(bench, lambda text: text[:-1]):
        yield


@fault("CONF-02", "a vendor cuts every connection", outcome=Outcome.UNVERIFIED, relatives={"CODE-09"})
def unreachable_vendor(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("stability", "reset"):
        yield


@fault("CONF-02", "the worker gives up on a key before it asks the vendor")
def unasked_vendor(bench: Bench) -> Iterator[None]:
    before = 'if deadline.remaining <= 0:\n            raise VendorError("timeout")\n        try:\n            self._invoke({})'
    with bench.patched(
        "WorkerFunction", "pixel_prompt/adapters/bedrock.py", before, before.replace("<=", ">")
    ):
        yield


@fault("CONF-02", "the account has no subscription to a model", relatives={"CODE-09"})
def unsubscribed_model(bench: Bench) -> Iterator[None]:
    model = registry.of("bedrock")[0].vendor_model
    with bench.vendor("bedrock", {"unsubscribed": [model]}, {"unsubscribed": []}):
        yield


@fault(
    "CONF-02",
    "a model has ended, which says nothing of the key",
    outcome=Outcome.UNVERIFIED,
    relatives={"CODE-09", "CONF-19"},
)
def ended_model_is_no_bad_key(bench: Bench) -> Iterator[None]:
    with _ending(bench, "openai", -1):
        yield


@contextmanager
def _ending(bench: Bench, vendor: str, days: int) -> Iterator[None]:
    """A vendor's first model that ends so many days from now, by the vendor's own word where it has one."""
    ends = {registry.of(vendor)[0].vendor_model: _in(days)}
    with bench.vendor(vendor, {"ends": ends}, {"ends": {}}):
        yield


def _in(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days)).isoformat()


@contextmanager
def _registered(bench: Bench, model: str, **fields: str) -> Iterator[None]:
    """A model of which the deployed registry knows something else; a vendor whose API tells nothing has it."""
    overrides = json.dumps({model: fields})
    with (
        bench.with_variables("ApiFunction", MODEL_OVERRIDES=overrides),
        bench.with_variables("WorkerFunction", MODEL_OVERRIDES=overrides),
    ):
        yield


@fault("CONF-19", "a model has ended", relatives={"CODE-09", "CONF-02"})
def ended_model(bench: Bench) -> Iterator[None]:
    with _ending(bench, "openai", -1):
        yield


@fault("CONF-19", "a model whose vendor tells no ends is gone", relatives={"CODE-09", "CONF-02"})
def vanished_model(bench: Bench) -> Iterator[None]:
    with _ending(bench, "google", 0):
        yield


@fault("CONF-19", "a model ends in 60 days by its vendor's word")
def model_that_ends_soon(bench: Bench) -> Iterator[None]:
    with _ending(bench, "openai", 60):
        yield


@fault("CONF-19", "Bedrock calls a model Legacy, and the account is new", relatives={"CODE-09", "CONF-02"})
def legacy_model(bench: Bench) -> Iterator[None]:
    with _ending(bench, "bedrock", 120):
        yield


@fault("CONF-19", "a model ends in 60 days by the registry")
def model_that_the_registry_sees_end(bench: Bench) -> Iterator[None]:
    with _registered(bench, registry.of("recraft")[0].id, available_until=_in(60), looked_up=_in(0)):
        yield


@fault("CONF-19", "the registry's entry is a hundred days old", outcome=Outcome.UNVERIFIED)
def old_entry(bench: Bench) -> Iterator[None]:
    with _registered(bench, registry.of("recraft")[0].id, looked_up=_in(-100)):
        yield


@fault("CONF-19", "nobody has looked up an operator's own model", outcome=Outcome.UNVERIFIED)
def unknown_override(bench: Bench) -> Iterator[None]:
    (model,) = registry.of("recraft")
    with _registered(bench, model.id, vendor_model=model.vendor_model.partition("_")[0]):
        yield


@fault(
    "CONF-19",
    "a vendor that knows does not answer",
    outcome=Outcome.UNVERIFIED,
    relatives={"CODE-09", "CONF-02"},
)
def silent_vendor(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("openai", "server_error"):
        yield


@fault("SEC-14", "the content filter lets everything pass", relatives={"CODE-25"})
def no_content_filter(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/content.py",
        "return any(\n            self",
        "return False and any(\n            self",
    ):
        yield


@fault("SEC-14", "prompts may be sixteen megabytes long", relatives={"CODE-12", "CODE-25"})
def unlimited_bodies(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        "PROMPT_BODY_MAX_BYTES: Final = 16 * 1024",
        "PROMPT_BODY_MAX_BYTES: Final = 16 * 1024 * 1024",
    ):
        yield


@fault("SEC-14", "only what the text model made of a prompt is looked at")
def filter_behind_the_text_model(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        "prompt = read_prompt(read_object(request, PROMPT_BODY_MAX_BYTES))\n"
        "        self._refuse_blocked(prompt, log)\n",
        "prompt = read_prompt(read_object(request, PROMPT_BODY_MAX_BYTES))\n",
    ):
        yield


@fault("SEC-15", "the worker logs the prompt")
def logged_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/worker.py",
        "promptCharacters=len(job.wish.prompt)",
        "prompt=job.wish.prompt",
    ):
        yield


@fault("SEC-15", "the headers of requests to vendors are printed")
def printed_headers(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/adapters/transport.py",
        "            response = self._pool.request(",
        "            print(dict(call.headers), flush=True)\n            response = self._pool.request(",
    ):
        yield


@fault("INF-19", "the access log does not say who asked")
def addressless_access_log(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_stage(ApiId=api, StageName="$default")["AccessLogSettings"]
    kept = before["Format"].replace("$context.identity.sourceIp", "-")
    client.update_stage(ApiId=api, StageName="$default", AccessLogSettings={**before, "Format": kept})
    try:
        yield
    finally:
        client.update_stage(ApiId=api, StageName="$default", AccessLogSettings=before)


@fault("SEC-15", "the access log names no request", outcome=Outcome.UNVERIFIED, relatives={"INF-19"})
def nameless_access_log(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_stage(ApiId=api, StageName="$default")["AccessLogSettings"]
    nameless = {**before, "Format": '{"status":"$context.status"}'}
    client.update_stage(ApiId=api, StageName="$default", AccessLogSettings=nameless)
    try:
        yield
    finally:
        client.update_stage(ApiId=api, StageName="$default", AccessLogSettings=before)
