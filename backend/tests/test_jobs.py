from typing import Any

from doubles import FakeClock
from pixel_prompt.jobs import ABANDON_SECONDS, KEEP_SECONDS, Jobs
from pixel_prompt.table import ConditionFailed, Table
from pixel_prompt.validation import Wish

WISH = Wish("a fox", 30, 7.5, 42)


def states(jobs: Jobs, job_id: str) -> list[str]:
    job = jobs.get(job_id)
    assert job is not None
    return [result.state for result in job.results]


def test_a_new_job_is_stored_as_it_was_wished(jobs: Jobs) -> None:
    made = jobs.create(WISH, ["a", "b"], "corr-12345")
    job = jobs.get(made.id)
    assert job == made
    assert job.wish == WISH
    assert (job.state, job.done, job.image_count, job.preview_key) == ("pending", False, 0, None)
    assert job.created_at == "2026-01-01T00:30:00.000Z"
    assert [result.model for result in job.results] == ["a", "b"]
    assert jobs.create(Wish("x"), ["a"], "corr-12345").wish.seed is None


def test_a_job_goes_from_pending_over_running_to_its_end(jobs: Jobs) -> None:
    job = jobs.create(WISH, ["a", "b"], "corr-12345")
    assert jobs.claim(job.id, "a", "me", 60)
    assert jobs.get(job.id).state == "running"
    assert jobs.record_image(job, "a", "me", "images/a.png", 1200)
    after = jobs.get(job.id)
    assert (after.state, after.image_count, after.preview_key) == ("running", 1, "images/a.png")
    assert jobs.claim(job.id, "b", "me", 60)
    assert jobs.record_failure(job, "b", "me", "moderated", 300)
    end = jobs.get(job.id)
    assert (end.state, end.done) == ("partial", True)
    assert (end.results[0].key, end.results[0].duration_ms) == ("images/a.png", 1200)
    assert (end.results[1].code, end.results[1].duration_ms) == ("moderated", 300)


def test_all_or_nothing_has_a_name_of_its_own(jobs: Jobs) -> None:
    for record, state in ((True, "completed"), (False, "failed")):
        job = jobs.create(WISH, ["a"], "corr-12345")
        jobs.claim(job.id, "a", "me", 60)
        if record:
            jobs.record_image(job, "a", "me", "k", 1)
        else:
            jobs.record_failure(job, "a", "me", "timeout", 1)
        assert jobs.get(job.id).state == state


def test_a_model_is_claimed_once_until_its_lease_ends(jobs: Jobs, clock: FakeClock) -> None:
    job = jobs.create(WISH, ["a"], "corr-12345")
    assert jobs.claim(job.id, "a", "first", 60)
    assert not jobs.claim(job.id, "a", "second", 60)
    clock.at += 61
    assert jobs.claim(job.id, "a", "second", 60)
    assert not jobs.record_image(job, "a", "first", "late.png", 1)
    assert jobs.record_image(job, "a", "second", "k.png", 1)
    assert not jobs.claim(job.id, "a", "third", 60)
    assert jobs.get(job.id).image_count == 1


def test_a_write_whose_answer_was_lost_counts_when_it_is_sent_again(jobs: Jobs) -> None:
    job = jobs.create(WISH, ["a"], "corr-12345")
    assert jobs.claim(job.id, "a", "me", 60)
    assert jobs.claim(job.id, "a", "me", 60)
    assert jobs.record_image(job, "a", "me", "k.png", 1)
    assert jobs.record_image(job, "a", "me", "k.png", 1)
    assert jobs.get(job.id).image_count == 1


def test_an_unknown_job_can_be_neither_read_nor_claimed(jobs: Jobs) -> None:
    assert jobs.get("nope") is None
    assert not jobs.claim("nope", "a", "me", 60)


def test_a_deleted_job_is_gone(jobs: Jobs) -> None:
    job = jobs.create(WISH, ["a"], "corr-12345")
    jobs.delete(job.id)
    assert jobs.get(job.id) is None


def test_an_abandoned_job_shows_its_open_models_as_timed_out(jobs: Jobs, clock: FakeClock) -> None:
    job = jobs.create(WISH, ["a", "b"], "corr-12345")
    jobs.claim(job.id, "a", "me", 60)
    jobs.record_image(job, "a", "me", "k.png", 1)
    clock.at += ABANDON_SECONDS
    late = jobs.get(job.id)
    assert late.abandoned(clock.at)
    assert late.state == "partial"
    assert late.results[1].code == "timeout"


def test_a_job_is_gone_once_its_images_are(jobs: Jobs, clock: FakeClock) -> None:
    job = jobs.create(WISH, ["a"], "corr-12345")
    clock.at += KEEP_SECONDS
    assert jobs.get(job.id) is None


def test_the_item_expires_and_enters_the_gallery_with_its_first_image(
    jobs: Jobs, dynamodb: Any, table_name: str, clock: FakeClock
) -> None:
    job = jobs.create(WISH, ["a"], "corr-12345")

    def item() -> Any:
        return dynamodb.get_item(TableName=table_name, Key={"pk": {"S": f"job#{job.id}"}})["Item"]

    assert item()["expiresAt"]["N"] == str(int(clock.at) + KEEP_SECONDS)
    assert "galleryKey" not in item()
    jobs.claim(job.id, "a", "me", 60)
    jobs.record_image(job, "a", "me", "k.png", 1)
    assert item()["galleryKey"]["S"] == "gallery"
    assert item()["gallerySort"]["S"] == f"{job.created_at}#{job.id}"


def test_the_table_keeps_values_as_they_are(table: Table) -> None:
    item = {"s": "x", "i": -3, "f": 7.5, "b": True, "m": {"k": [1, "two", {"three": 3.5}]}, "l": []}
    table.create("k", item)
    assert table.get("k") == {"pk": "k", **item}
    try:
        table.create("k", {})
    except ConditionFailed:
        pass
    else:
        raise AssertionError("an item was overwritten")
