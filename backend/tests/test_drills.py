import time
import uuid
from typing import Any

import pytest
from doubles import FakeS3, RecordedLog
from hypothesis import given
from hypothesis import strategies as st
from pixel_prompt import aws
from pixel_prompt.drills import Breakage, Drills, grey_png
from pixel_prompt.gallery import Gallery
from pixel_prompt.jobs import KEEP_DRILL_SECONDS, Jobs
from pixel_prompt.models import Model
from pixel_prompt.pictures import Picture, recognise
from pixel_prompt.storage import ImageStore
from pixel_prompt.table import Table
from pixel_prompt.validation import PageRequest

MODELS = (Model("a", "A", "recraft", "a"), Model("b", "B", "bedrock", "b", "us-east-1"))


@pytest.fixture(scope="module")
def s3(cloud: None) -> Any:
    """S3, which the worker's own client calls."""
    client = aws.client("s3", read_seconds=20)
    client.create_bucket(Bucket="drills")
    return client


@pytest.fixture
def jobs(table: Table) -> Jobs:
    """Jobs of now, as a drill works on them at once."""
    return Jobs(table)


@pytest.fixture
def recorded() -> RecordedLog:
    return RecordedLog()


def drills(jobs: Jobs, s3: Any) -> Drills:
    return Drills(jobs=jobs, store=ImageStore(s3, "drills"), s3=s3, models=MODELS)


def stored(s3: Any, job_id: str) -> list[str]:
    answer = s3.list_objects_v2(Bucket="drills", Prefix=f"images/{job_id}/")
    return [entry["Key"].rpartition("/")[2] for entry in answer.get("Contents", [])]


def test_a_job_survives_an_s3_that_asks_it_to_slow_down(jobs: Jobs, s3: Any, recorded: RecordedLog) -> None:
    answer = drills(jobs, s3).run({"slowDowns": 1}, 60, recorded.log)
    assert answer["refusals"] == len(MODELS)
    assert jobs.get(answer["jobId"]).state == "completed"
    assert stored(s3, answer["jobId"]) == ["a.png", "b.png"]


def test_an_image_that_s3_keeps_refusing_fails_and_the_next_job_is_spared(
    jobs: Jobs, s3: Any, recorded: RecordedLog
) -> None:
    impatient = aws.client("s3", attempts=1)
    answer = drills(jobs, impatient).run({"slowDowns": 1}, 60, recorded.log)
    assert {result.code for result in jobs.get(answer["jobId"]).results} == {"internal_error"}
    after = drills(jobs, impatient).run({}, 60, recorded.log)
    assert after["refusals"] == 0
    assert jobs.get(after["jobId"]).state == "completed"


@pytest.mark.parametrize("down", [1, 2])
def test_models_behind_a_dead_network_cost_their_own_images(
    jobs: Jobs, s3: Any, recorded: RecordedLog, down: int
) -> None:
    names = ["a", "b"]
    answer = drills(jobs, s3).run({"modelsDown": down}, 60, recorded.log)
    job = jobs.get(answer["jobId"])
    assert answer["down"] == names[:down]
    assert [result.code for result in job.results] == ["unavailable"] * down + [None] * (2 - down)
    assert job.state == ("partial" if down == 1 else "failed")


def test_a_drill_is_in_no_gallery_and_expires(
    jobs: Jobs, s3: Any, table: Table, recorded: RecordedLog
) -> None:
    correlation_id = str(uuid.uuid4())
    answer = drills(jobs, s3).run({"correlationId": correlation_id}, 60, recorded.log)
    gallery = Gallery(table, jobs, lambda key: key)
    assert gallery.page(PageRequest(10, None)) == {"galleries": []}
    assert table.get(f"job#{answer['jobId']}")["expiresAt"] <= time.time() + KEEP_DRILL_SECONDS
    assert {line["correlationId"] for line in recorded.lines} == {correlation_id}


class LostTable(Jobs):
    """A table that is gone once the job is there."""

    def claim(self, *arguments: Any) -> bool:
        raise RuntimeError("gone")


class TakenTable(Jobs):
    """Somebody else has every model."""

    def claim(self, *arguments: Any) -> bool:
        return False


@pytest.mark.parametrize(("kind", "event"), [(LostTable, "job_crashed"), (TakenTable, "job_held_elsewhere")])
def test_a_drill_that_the_job_does_not_survive_names_the_job(
    table: Table, s3: Any, recorded: RecordedLog, kind: type[Jobs], event: str
) -> None:
    jobs = kind(table)
    answer = drills(jobs, s3).run({}, 60, recorded.log)
    assert jobs.get(answer["jobId"]).state == "pending"
    assert event in recorded.events()


@pytest.mark.parametrize(
    "event",
    [
        {"slowDowns": -1},
        {"slowDowns": 11},
        {"slowDowns": "2"},
        {"slowDowns": 1.0},
        {"modelsDown": 3},
        {"modelsDown": True},
    ],
)
def test_what_cannot_be_broken_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Breakage.read(event, len(MODELS))


@given(st.integers(64, 256))
def test_the_stand_in_is_a_picture(side: int) -> None:
    picture = recognise(grey_png(side))
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == (side, side)
    assert ImageStore(FakeS3(), "b").put("job", "model", picture) == "images/job/model.png"
