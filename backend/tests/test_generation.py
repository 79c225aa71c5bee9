from typing import Any

import pytest
from doubles import FakeAdapter, FakeClock, FakeStore, RecordedLog
from pixel_prompt.adapters.transport import VendorError
from pixel_prompt.generation import Generator, JobUnfinished
from pixel_prompt.jobs import ABANDON_SECONDS, Job, Jobs
from pixel_prompt.models import Model
from pixel_prompt.validation import Wish

WISH = Wish("a very secret prompt")


class Bench:
    """A generator over moto's table, with one fake adapter a model."""

    def __init__(self, jobs: Jobs, clock: FakeClock, **adapters: FakeAdapter) -> None:
        self.jobs, self.adapters = jobs, adapters
        self.store, self.recorded = FakeStore(), RecordedLog()
        models = {name: Model(name, name, "openai", name) for name in adapters}
        self.generator = Generator(
            jobs=jobs,
            store=self.store,
            models=models,
            adapter_for=lambda model: adapters[model.id],
            now=clock,
            monotonic=clock,
        )

    def job(self, *further: str) -> Job:
        return self.jobs.create(WISH, [*self.adapters, *further], "corr-12345")

    def run(self, job: Job, owner: str = "me") -> Job:
        current = self.jobs.get(job.id)
        assert current is not None
        self.generator.run(current, owner, 60, self.recorded.log)
        after = self.jobs.get(job.id)
        assert after is not None
        return after

    def calls(self) -> int:
        return sum(len(adapter.wishes) for adapter in self.adapters.values())


def test_every_model_is_asked_and_its_image_stored(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, a=FakeAdapter(), b=FakeAdapter())
    job = bench.run(bench.job())
    assert job.state == "completed"
    assert sorted(bench.store.pictures) == [f"images/{job.id}/a.png", f"images/{job.id}/b.png"]
    assert bench.adapters["a"].wishes == [WISH]
    assert WISH.prompt not in bench.recorded.text


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (VendorError("moderated", 400), "moderated"),
        (b"<html>no image</html>", "invalid_response"),
        (RuntimeError("secret"), "internal_error"),
    ],
)
def test_one_failing_model_does_not_cost_the_others(
    jobs: Jobs, clock: FakeClock, outcome: bytes | Exception, code: str
) -> None:
    bench = Bench(jobs, clock, a=FakeAdapter(), b=FakeAdapter(outcome))
    job = bench.run(bench.job())
    assert job.state == "partial"
    assert job.results[1].code == code
    assert "secret" not in bench.recorded.text


def test_a_model_that_is_configured_no_longer_fails_alone(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, a=FakeAdapter())
    job = bench.run(bench.job("retired"))
    assert (job.state, job.results[1].code) == ("partial", "unavailable")


def test_a_job_delivered_twice_is_generated_once(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, a=FakeAdapter(), b=FakeAdapter(VendorError("timeout")))
    job = bench.job()
    bench.run(job, "first")
    bench.run(job, "second")
    assert bench.calls() == 2
    assert "job_left_alone" in bench.recorded.events()


def test_a_second_delivery_during_the_first_looks_again_later(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, a=FakeAdapter(), b=FakeAdapter())
    job = bench.job()
    jobs.claim(job.id, "a", "elsewhere", 100)
    with pytest.raises(JobUnfinished) as caught:
        bench.run(job)
    assert caught.value.wait_seconds == 100
    assert bench.adapters["a"].wishes == []
    assert jobs.get(job.id).results[1].state == "completed"


def test_what_a_killed_worker_left_is_finished_by_the_next(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, a=FakeAdapter(), b=FakeAdapter())
    job = bench.job()
    jobs.claim(job.id, "a", "killed", 100)
    jobs.record_image(job, "a", "killed", "images/a.png", 1)
    jobs.claim(job.id, "b", "killed", 100)
    clock.at += 101
    assert bench.run(job).state == "completed"
    assert bench.adapters["a"].wishes == []
    assert len(bench.adapters["b"].wishes) == 1


def test_a_job_that_vanishes_meanwhile_need_not_be_looked_at_again(jobs: Jobs, clock: FakeClock) -> None:
    adapter = FakeAdapter()
    bench = Bench(jobs, clock, a=adapter)
    job = bench.job()
    jobs.delete(job.id)
    with pytest.raises(JobUnfinished) as caught:
        bench.generator.run(job, "me", 60, bench.recorded.log)
    assert (caught.value.wait_seconds, adapter.wishes) == (0, [])


def test_an_abandoned_job_costs_nothing(jobs: Jobs, clock: FakeClock) -> None:
    bench = Bench(jobs, clock, a=FakeAdapter())
    job = bench.job()
    clock.at += ABANDON_SECONDS
    bench.generator.run(job, "me", 60, bench.recorded.log)
    assert bench.calls() == 0


def test_results_are_visible_while_others_run(jobs: Jobs, clock: FakeClock) -> None:
    seen: list[Any] = []
    slow = FakeAdapter()
    bench = Bench(jobs, clock, slow=slow)
    job = bench.job()
    slow.before = lambda: seen.append(jobs.get(job.id).state)
    bench.run(job)
    assert seen == ["running"]


def test_a_result_that_comes_after_its_claim_ended_is_not_recorded(jobs: Jobs, clock: FakeClock) -> None:
    late = FakeAdapter()
    bench = Bench(jobs, clock, late=late)
    job = bench.job()

    def taken_over() -> None:
        clock.at += 1000
        jobs.claim(job.id, "late", "other", 100)

    late.before = taken_over
    assert bench.run(job).results[0].claim == "other"
