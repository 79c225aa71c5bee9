import importlib
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from doubles import (
    FakeAdapter,
    FakeClock,
    FakeContext,
    FakeQueue,
    FakeSecrets,
    FakeStore,
    FakeWire,
    RecordedLog,
    json_answer,
)
from pixel_prompt import aws, worker
from pixel_prompt.errors import ApiError
from pixel_prompt.generation import Generator
from pixel_prompt.jobs import Job, Jobs
from pixel_prompt.models import DEFAULT_MODELS, TEXT_MODEL, Model
from pixel_prompt.settings import WorkerSettings
from pixel_prompt.validation import Wish
from pixel_prompt.worker import Equipment, Worker, handler

SETTINGS = WorkerSettings("dev", "table", "bucket", "url", "arn", ())
MODELS = (Model("a", "A", "openai", "a"), Model("b", "B", "recraft", "b"))


class Bench:
    """A worker whose vendors and queue are fakes."""

    def __init__(self, jobs: Jobs, clock: FakeClock, wire: FakeWire | None = None) -> None:
        self.jobs, self.queue, self.recorded = jobs, FakeQueue(), RecordedLog()
        self.adapters = {model.id: FakeAdapter() for model in MODELS}
        self.wire = wire or FakeWire([json_answer({})])
        generator = Generator(
            jobs=jobs,
            store=FakeStore(),
            models={model.id: model for model in MODELS},
            adapter_for=lambda model: self.adapters[model.id],
            now=clock,
            monotonic=clock,
        )
        self.secrets = FakeSecrets({"openai": "key", "recraft": "key"})
        self.worker = Worker(
            jobs=jobs,
            generator=generator,
            models=MODELS,
            queue=self.queue,
            queue_url="url",
            own_equipment=lambda: nullcontext(
                Equipment(SETTINGS, lambda service, **_: self.secrets, self.wire)
            ),
        )

    def job(self) -> Job:
        return self.jobs.create(Wish("a very secret prompt"), [model.id for model in MODELS], "corr-12345")

    def take(self, body: str, received: int = 1) -> list[str]:
        record = {
            "messageId": "m-1",
            "receiptHandle": "r-1",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(received)},
        }
        failed = self.worker.take([record], FakeContext(), self.recorded.log)["batchItemFailures"]
        return [entry["itemIdentifier"] for entry in failed]


def message(job: Job) -> str:
    return json.dumps({"jobId": job.id, "correlationId": job.correlation_id})


def test_a_job_is_worked_on_under_its_correlation_id(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock)
    job = bench.job()
    assert bench.take(message(job)) == []
    assert jobs.get(job.id).state == "completed"
    assert bench.queue.hidden == [680]
    assert {line["correlationId"] for line in bench.recorded.lines} == {"corr-12345"}
    assert "job_finished" in bench.recorded.events()
    assert "secret" not in bench.recorded.text


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"jobId": 7}',
        '{"jobId": "x"}',
        '{"jobId": "0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90"}',
    ],
)
def test_a_message_without_a_job_comes_back_until_it_is_dead(jobs: Jobs, clock: FakeClock, body: str) -> None:
    bench = Bench(jobs, clock)
    assert bench.take(body, received=2) == ["m-1"]
    assert bench.queue.hidden == [2]
    assert bench.recorded.events() == ["message_refused"]


def test_a_job_held_elsewhere_comes_back_after_the_lease(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock)
    job = bench.job()
    jobs.claim(job.id, "a", "elsewhere", 100)
    assert bench.take(message(job)) == ["m-1"]
    assert bench.queue.hidden == [680, 101]


def test_a_crash_sends_the_message_back_and_names_its_place(
    jobs: Jobs, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(jobs, clock)
    job = bench.job()

    def crash(*arguments: object) -> bool:
        raise RuntimeError("a very secret prompt")

    monkeypatch.setattr(jobs, "claim", crash)
    assert bench.take(message(job), received=30) == ["m-1"]
    assert bench.queue.hidden == [680, 60]
    assert bench.recorded.lines[-1]["errorType"] == "RuntimeError"
    assert "secret" not in bench.recorded.text


def test_a_queue_that_does_not_answer_does_not_stop_the_job(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock)
    bench.queue.failure = RuntimeError("no")
    job = bench.job()
    assert bench.take(message(job)) == []
    assert jobs.get(job.id).state == "completed"


def test_keys_are_checked_for_every_model_and_never_shown(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, FakeWire([json_answer({}, 401)]))
    answer = bench.worker.check_keys(bench.recorded.log)
    assert answer == {
        "secret": {"id": "arn", "problems": []},
        "models": [
            {
                "model": "a",
                "name": "A",
                "vendor": "openai",
                "ok": False,
                "code": "unauthorized",
                "cause": None,
            },
            {
                "model": "b",
                "name": "B",
                "vendor": "recraft",
                "ok": False,
                "code": "unauthorized",
                "cause": None,
            },
        ],
    }
    assert Bench(jobs, clock).worker.check_keys(bench.recorded.log)["models"][0] == {
        "model": "a",
        "name": "A",
        "vendor": "openai",
        "ok": True,
        "code": None,
        "cause": None,
    }
    crashed = Bench(jobs, clock, FakeWire([RuntimeError("key")])).worker.check_keys(bench.recorded.log)
    assert crashed["models"][1]["code"] == "internal_error"


def test_lives_are_told_by_the_vendor_or_by_the_registry(jobs: Jobs, clock: FakeClock) -> None:
    described = {"id": "a", "shutdown_date": "2027-01-31"}
    bench = Bench(jobs, clock, FakeWire([json_answer(described)]))
    answer = {entry["model"]: entry for entry in bench.worker.model_lives(bench.recorded.log)["models"]}
    unknown = {"availableUntil": None, "published": "", "lookedUp": None}
    assert answer["a"] == {
        "model": "a",
        "vendor": "openai",
        "vendorModel": "a",
        "told": {"served": True, "ends": "2027-01-31", "legacy": False},
        "code": None,
        "registry": unknown,
    }
    assert (answer["b"]["told"], answer["b"]["code"]) == (None, None)
    # The text model is of Bedrock, which is not there.
    assert answer["text"]["code"] == "internal_error"
    assert answer["text"]["registry"]["lookedUp"] == TEXT_MODEL.looked_up.isoformat()


def test_a_vendor_that_does_not_answer_says_nothing_of_a_models_life(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, FakeWire([json_answer({}, 401)]))
    assert bench.worker.model_lives(bench.recorded.log)["models"][0]["code"] == "unauthorized"
    bench.secrets.answer = {"SecretString": "no JSON"}
    assert bench.worker.model_lives(bench.recorded.log)["models"][0]["code"] == "unauthorized"


def test_keys_are_read_afresh_whenever_they_are_checked(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock)
    assert bench.worker.check_keys(bench.recorded.log)["secret"]["problems"] == []
    bench.secrets.keys = {"openai": "", "recraft": "key"}
    answer = bench.worker.check_keys(bench.recorded.log)
    assert answer["secret"]["problems"] == ["has an empty key for 'openai'"]
    assert [entry["code"] for entry in answer["models"]] == ["unauthorized", None]
    bench.secrets.answer = {"SecretString": "sk-hidden-hidden"}
    answer = bench.worker.check_keys(bench.recorded.log)
    assert answer["secret"]["problems"] == ["is no JSON: Expecting value at line 1, column 1"]
    assert [entry["code"] for entry in answer["models"]] == ["unauthorized", "unauthorized"]
    assert "hidden" not in bench.recorded.text


def test_a_job_is_withdrawn_from_the_gallery_by_its_id(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock)
    job = bench.job()
    event = {"action": "withdraw", "jobId": job.id}
    bench.take(message(job))
    assert bench.worker.withdraw(event, bench.recorded.log) == {"jobId": job.id, "withdrawn": True}
    assert jobs.get(job.id).verification
    with pytest.raises(ApiError):
        bench.worker.withdraw({"action": "withdraw"}, bench.recorded.log)


@pytest.fixture
def environment(table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3, secrets, sqs = aws.client("s3"), aws.client("secretsmanager"), aws.client("sqs")
    s3.create_bucket(Bucket="images")
    arn = secrets.create_secret(Name=f"keys-{table_name}", SecretString=json.dumps({"openai": "k"}))["ARN"]
    url = sqs.create_queue(QueueName=table_name)["QueueUrl"]
    for name, value in {
        "ENVIRONMENT": "dev",
        "TABLE_NAME": table_name,
        "BUCKET_NAME": "images",
        "KEYS_SECRET_ARN": arn,
        "QUEUE_URL": url,
    }.items():
        monkeypatch.setenv(name, value)
    worker._worker.cache_clear()


def test_the_handler_takes_messages_and_known_actions_only(
    environment: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {
        "messageId": "m",
        "receiptHandle": "r",
        "body": "{}",
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    assert handler({"Records": [record]}, FakeContext()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    monkeypatch.setattr(worker, "adapter_for", lambda model, means: FakeAdapter())
    assert all(entry["ok"] for entry in handler({"action": "check-keys"}, FakeContext())["models"])
    lives = handler({"action": "model-lives"}, FakeContext())["models"]
    assert len(lives) == len(DEFAULT_MODELS) + 1
    assert handler({"action": "drill"}, FakeContext())["refusals"] == 0
    nobodys = "0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90"
    assert not handler({"action": "withdraw", "jobId": nobodys}, FakeContext())["withdrawn"]
    for event in ({}, {"action": "drop-tables"}, {"action": "drill", "modelsDown": True}):
        with pytest.raises(ValueError):
            handler(event, FakeContext())
    assert '"requestId": "request-1"' in capsys.readouterr().out
    worker._worker.cache_clear()


def test_a_drill_leaves_the_clients_of_jobs_alone(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry is paid from its client's quota, which is not filled up again."""
    monkeypatch.setenv("MODEL_OVERRIDES", json.dumps({model.id: None for model in DEFAULT_MODELS[1:]}))
    sent: list[str] = []
    for service, shared in {
        "s3": aws.client("s3", read_seconds=20, connections=1),
        "dynamodb": aws.client("dynamodb", connections=1),
    }.items():
        shared.meta.events.register(f"before-send.{service}", lambda request, **_: sent.append(request.url))
    answer = handler({"action": "drill", "slowDowns": 1}, FakeContext())
    stored = aws.client("s3").list_objects_v2(Bucket="images", Prefix=f"images/{answer['jobId']}/")
    assert (answer["refusals"], stored["KeyCount"]) == (1, 1)
    assert sent == []
    worker._worker.cache_clear()


def test_no_job_pays_for_the_import_of_drills() -> None:
    program = "import sys, pixel_prompt.worker; sys.exit('pixel_prompt.drills' in sys.modules)"
    # By its variable, for a caller may have told Python to leave the working folder out of its path.
    variables = {**os.environ, "PYTHONPATH": str(Path(worker.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], env=variables, check=False)
    assert done.returncode == 0


def test_the_worker_is_made_while_the_function_starts(
    environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "worker")
    importlib.reload(worker)
    assert worker._worker.cache_info().currsize == 1
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    importlib.reload(worker)
