from doubles import FakeClock
from pixel_prompt.gallery import Gallery
from pixel_prompt.jobs import KEEP_SECONDS, Jobs
from pixel_prompt.table import Table
from pixel_prompt.validation import PageRequest, Wish, read_cursor


def finished(jobs: Jobs, prompt: str, models: int = 1) -> str:
    names = [f"m{number}" for number in range(models)]
    job = jobs.create(Wish(prompt), [*names, "broken"], "corr-12345")
    for name in names:
        jobs.claim(job.id, name, "me", 60)
        jobs.record_image(job, name, "me", f"images/{job.id}/{name}.png", 5)
    jobs.claim(job.id, "broken", "me", 60)
    jobs.record_failure(job, "broken", "me", "timeout", 5)
    return job.id


def gallery(table: Table, jobs: Jobs, clock: FakeClock) -> Gallery:
    return Gallery(table, jobs, lambda key: f"https://cdn.example/{key}", clock)


def test_galleries_come_newest_first_in_pages(table: Table, jobs: Jobs, clock: FakeClock) -> None:
    ids = []
    for number in range(5):
        ids.append(finished(jobs, f"prompt {number}"))
        clock.at += 1
    jobs.create(Wish("no image yet"), ["m"], "corr-12345")
    shown: list[str] = []
    after = None
    sizes = []
    while True:
        page = gallery(table, jobs, clock).page(PageRequest(2, after))
        shown += [entry["id"] for entry in page["galleries"]]
        sizes.append(len(page["galleries"]))
        if "nextCursor" not in page:
            break
        after = read_cursor(page["nextCursor"])
    assert shown == ids[::-1]
    assert sizes == [2, 2, 1]


def test_a_full_last_page_has_no_cursor(table: Table, jobs: Jobs, clock: FakeClock) -> None:
    finished(jobs, "one")
    finished(jobs, "two")
    assert "nextCursor" not in gallery(table, jobs, clock).page(PageRequest(2))


def test_expired_galleries_are_not_listed(table: Table, jobs: Jobs, clock: FakeClock) -> None:
    finished(jobs, "old")
    clock.at += KEEP_SECONDS + 1
    assert gallery(table, jobs, clock).page(PageRequest())["galleries"] == []


def test_a_gallery_shows_its_images_only(table: Table, jobs: Jobs, clock: FakeClock) -> None:
    job_id = finished(jobs, "a fox", models=2)
    detail = gallery(table, jobs, clock).detail(job_id)
    base = f"https://cdn.example/images/{job_id}"
    assert detail == {
        "id": job_id,
        "createdAt": "2026-01-01T00:30:00.000Z",
        "prompt": "a fox",
        "previewUrl": f"{base}/m0.png",
        "imageCount": 2,
        "images": [
            {"model": "m0", "imageUrl": f"{base}/m0.png"},
            {"model": "m1", "imageUrl": f"{base}/m1.png"},
        ],
    }


def test_a_job_without_an_image_is_no_gallery(table: Table, jobs: Jobs, clock: FakeClock) -> None:
    job = jobs.create(Wish("x"), ["m"], "corr-12345")
    assert gallery(table, jobs, clock).detail(job.id) is None
    assert gallery(table, jobs, clock).detail("nope") is None
