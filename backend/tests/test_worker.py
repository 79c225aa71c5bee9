import importlib
import json

import pytest
from doubles import (
    FakeAdapter,
    FakeBedrock,
    FakeClock,
    FakeContext,
    FakeQueue,
    FakeStore,
    FakeWire,
    RecordedLog,
    json_answer,
)
from pixel_prompt import aws, worker
from pixel_prompt.adapters import Means
from pixel_prompt.adapters.transport import Caller
from pixel_prompt.drills import Drills
from pixel_prompt.generation import Generator
from pixel_prompt.jobs import Job, Jobs
from pixel_prompt.models import Model
from pixel_prompt.validation import Wish
from pixel_prompt.worker import Worker, handler

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
        means = Means(
            Caller(self.wire, lambda seconds: None), lambda vendor: "key", lambda region: FakeBedrock({})
        )
        self.worker = Worker(
            jobs=jobs,
            generator=generator,
            means=means,
            models=MODELS,
            queue=self.queue,
            queue_url="url",
            drills=Drills(jobs=jobs, store=FakeStore(), s3=aws.client("s3"), models=MODELS),
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
    assert bench.queue.hidden == [260]
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
    assert bench.queue.hidden == [260, 101]


def test_a_crash_sends_the_message_back_and_names_its_place(
    jobs: Jobs, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(jobs, clock)
    job = bench.job()

    def crash(*arguments: object) -> bool:
        raise RuntimeError("a very secret prompt")

    monkeypatch.setattr(jobs, "claim", crash)
    assert bench.take(message(job), received=30) == ["m-1"]
    assert bench.queue.hidden == [260, 60]
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
        "models": [
            {"model": "a", "name": "A", "vendor": "openai", "ok": False, "code": "unauthorized"},
            {"model": "b", "name": "B", "vendor": "recraft", "ok": False, "code": "unauthorized"},
        ]
    }
    assert Bench(jobs, clock).worker.check_keys(bench.recorded.log)["models"][0] == {
        "model": "a",
        "name": "A",
        "vendor": "openai",
        "ok": True,
        "code": None,
    }
    crashed = Bench(jobs, clock, FakeWire([RuntimeError("key")])).worker.check_keys(bench.recorded.log)
    assert crashed["models"][1]["code"] == "internal_error"


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
    assert handler({"action": "drill"}, FakeContext())["refusals"] == 0
    for event in ({}, {"action": "drop-tables"}, {"action": "drill", "modelsDown": True}):
        with pytest.raises(ValueError):
            handler(event, FakeContext())
    assert '"requestId": "request-1"' in capsys.readouterr().out
    worker._worker.cache_clear()


def test_the_worker_is_made_while_the_function_starts(
    environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "worker")
    importlib.reload(worker)
    assert worker._worker.cache_info().currsize == 1
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    importlib.reload(worker)
