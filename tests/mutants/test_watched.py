"""Prowler's findings as the trial of mutants reads them."""

from __future__ import annotations

import pytest

from scripts.cross_examination.scene import Scene
from tests.mutants.watched import said

STACK = Scene(
    "local",
    "app-local",
    emulated=True,
    resources={"Images": "app-images", "ImagesPolicy": "app-images", "Jobs": "https://sqs/1/app-jobs"},
)


def test_a_check_may_complain_about_several_resources() -> None:
    look = said(STACK, iter([("s3_tls", "Images"), ("encrypted", "Images"), ("encrypted", "Jobs")]))

    assert list(look) == ["s3_tls Images", "encrypted Images", "encrypted Jobs"]
    assert {one.outcome for one in look.values()} == {"fail"}


def test_a_buckets_policy_is_named_with_its_bucket() -> None:
    (finding,) = said(STACK, iter([("s3_tls", "Images")]))["s3_tls Images"].findings

    assert finding == "Images ImagesPolicy app-images"


def test_a_resource_of_nowhere_is_an_error() -> None:
    with pytest.raises(KeyError):
        said(STACK, iter([("s3_tls", "Gone")]))
