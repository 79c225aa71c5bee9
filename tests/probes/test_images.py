"""verification/probes/images.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.bucket import StoredObject
from verification import budgets
from verification.probes.images import FIRST_BYTES, kind_of, sample

NOW = datetime.now(UTC)


class Bucket:
    def __init__(self, ages):
        self.stored = [StoredObject(key, "", NOW - age) for key, age in sorted(ages.items())]

    def objects(self, prefix, *, after="", most):
        return [one for one in self.stored if one.key.startswith(prefix) and one.key > after][:most]


def numbered(count, *, of="images/job"):
    """Images, the last of them the newest."""
    return {f"{of}-{number:05}/a.png": timedelta(days=1, minutes=count - number) for number in range(count)}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0d", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01", "image/jpeg"),
        (b"RIFF\x0a\0\0\0WEBP", "image/webp"),
        (b"RIFF\x0a\0\0\0WAVE", ""),
        (b"<svg xmlns='h", ""),
        (b"<!doctype html>", ""),
        (b"", ""),
    ],
)
def test_an_image_is_recognised_by_its_first_bytes(content, kind):
    assert kind_of(content[:FIRST_BYTES]) == kind


def test_a_small_bucket_is_looked_at_whole():
    bucket = Bucket(numbered(2 * budgets.IMAGES_SAMPLED))

    assert {one.key for one in sample(bucket)} == {one.key for one in bucket.stored}


def test_a_larger_one_by_its_newest_and_some_of_all_others():
    bucket = Bucket(numbered(1000))

    keys = [one.key for one in sample(bucket)]

    newest, others = keys[: budgets.IMAGES_SAMPLED], keys[budgets.IMAGES_SAMPLED :]
    assert sorted(newest) == [one.key for one in bucket.stored[-budgets.IMAGES_SAMPLED :]]
    assert len(others) <= budgets.IMAGES_SAMPLED
    assert not {*newest} & {*others}
    assert (min(others), max(others) > "images/job-00900") == ("images/job-00000/a.png", True)


def test_a_huge_one_is_not_listed_whole(monkeypatch):
    monkeypatch.setattr(budgets, "IMAGES_LISTED", 10)
    listed = []

    class Huge(Bucket):
        def objects(self, prefix, *, after="", most):
            listed.append(super().objects(prefix, after=after, most=most))
            return listed[-1]

    bucket = Huge(numbered(1000, of="images/zzz"))  # behind every random place

    assert len(sample(bucket)) == 10
    assert [len(one) for one in listed] == [10]


def test_what_checks_store_for_moments_is_left_out():
    ages = {
        "images/verification-a.png": timedelta(minutes=9),
        "images/verification-b.png": timedelta(hours=2),
    }

    assert [one.key for one in sample(Bucket(ages))] == ["images/verification-b.png"]


def test_nothing_is_nothing():
    assert sample(Bucket({})) == []
