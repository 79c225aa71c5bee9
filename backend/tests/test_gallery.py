from doubles import FakeClock
from pixel_prompt.gallery import Gallery
from pixel_prompt.jobs import KEEP_SECONDS, Jobs
from pixel_prompt.table import Table
from pixel_prompt.validation import PageRequest, Wish, read_cursor


def finished(jobs: Jobs, prompt: str, models: int = 1, *, verification: bool = False) -> str:
    names = [f"m{number}" for number in range(models)]
    job = jobs.create(Wish(prompt), [*names, "broken"], "corr-12345", verification=verification)
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


def listed(table: Table, jobs: Jobs, clock: FakeClock, *, verification: bool = False) -> list[str]:
    """All ids of a list, read page by page."""
    ids: list[str] = []
    after = None
    while True:
        page = gallery(table, jobs, clock).page(PageRequest(1, after, verification))
        ids += [entry["id"] for entry in page["galleries"]]
        if "nextCursor" not in page:
            return ids
        after = read_cursor(page["nextCursor"])


def test_what_verifies_is_listed_apart_and_shown_like_any_other(
    table: Table, jobs: Jobs, clock: FakeClock
) -> None:
    """Users would find their pictures among those of every run."""
    ids: dict[bool, list[str]] = {False: [], True: []}
    for number in range(6):
        ids[number % 2 == 1].append(finished(jobs, "a fox", verification=number % 2 == 1))
        clock.at += 1

    assert listed(table, jobs, clock) == ids[False][::-1]
    assert listed(table, jobs, clock, verification=True) == ids[True][::-1]
    assert gallery(table, jobs, clock).detail(ids[True][0])["imageCount"] == 1


def test_a_withdrawn_job_changes_lists_and_stays_the_same_otherwise(
    table: Table, jobs: Jobs, clock: FakeClock
) -> None:
    job_id = finished(jobs, "a fox")
    before = gallery(table, jobs, clock).detail(job_id)

    assert jobs.withdraw(job_id)
    assert (listed(table, jobs, clock), listed(table, jobs, clock, verification=True)) == ([], [job_id])
    assert gallery(table, jobs, clock).detail(job_id) == before
    assert jobs.withdraw(job_id), "a second time changes nothing"


def test_an_image_that_comes_later_does_not_bring_a_withdrawn_job_back(
    table: Table, jobs: Jobs, clock: FakeClock
) -> None:
    job = jobs.create(Wish("a fox"), ["a", "b"], "corr-12345")
    for model in ("a", "b"):
        assert jobs.withdraw(job.id)
        jobs.claim(job.id, model, "me", 60)
        jobs.record_image(job, model, "me", f"images/{job.id}/{model}.png", 5)
    assert (listed(table, jobs, clock), listed(table, jobs, clock, verification=True)) == ([], [job.id])


def test_withdrawing_makes_nothing_and_lists_no_drill(table: Table, jobs: Jobs, clock: FakeClock) -> None:
    assert not jobs.withdraw("nope")
    assert jobs.get("nope") is None
    drill = jobs.create(Wish("a fox"), ["a"], "corr-12345", drill=True)
    jobs.claim(drill.id, "a", "me", 60)
    jobs.record_image(drill, "a", "me", "k.png", 5)
    assert jobs.withdraw(drill.id)
    assert (listed(table, jobs, clock), listed(table, jobs, clock, verification=True)) == ([], [])
