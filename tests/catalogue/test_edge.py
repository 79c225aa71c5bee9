from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.verified import expected, template, unnamed, verified
from tests.embedded.conftest import Running, cloud
from tests.embedded.stacks import Stack, deployed

__all__ = ["cloud"]
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("catalogue-edge")]
AREA = "edge"
# Without a certificate there is no alias, and `local` is not production; edge/test_judgements.py shows the defects.
UNSEEN = {"EDGE-03", "EDGE-14"}


def test_nothing_is_found_where_nothing_is_wrong(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "good")
    with deployed(cloud, body) as stack:
        bucket = stack.id_of("Site")
        with_page(cloud, bucket)
        found = verified(cloud, stack.name, AREA, tmp_path, body)
        left = keys(cloud, bucket) + keys(cloud, stack.id_of("Media"))
        emptied(cloud, stack, "Site", "Logs")

    assert {id_ for id_, one in found.items() if one.outcome == "not-applicable"} == UNSEEN
    others = {id_: one for id_, one in found.items() if id_ not in UNSEEN}
    assert {id_: one for id_, one in others.items() if one.outcome != "pass"} == {}
    assert left == ["index.html"], "the check's own objects are gone"


def test_each_defect_is_named_by_its_item(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "bad")
    with deployed(cloud, body) as stack:
        with_page(cloud, stack.id_of("Page"))
        found = verified(cloud, stack.name, AREA, tmp_path, body)
        emptied(cloud, stack, "Page", "Unread")

    assert unnamed(found, expected(AREA)) == {}


def with_page(cloud: Running, bucket: str) -> None:
    """A page that is large enough to be compressed."""
    page = b"<!doctype html><title>Page</title>" + b"<p>text</p>" * 200
    cloud.client("s3").put_object(
        Bucket=bucket, Key="index.html", Body=page, ContentType="text/html", CacheControl="no-cache"
    )


def keys(cloud: Running, bucket: str) -> list[str]:
    """What is stored in a bucket."""
    return [one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def emptied(cloud: Running, stack: Stack, *logical_ids: str) -> None:
    """Leave nothing in the buckets, so that they can be deleted."""
    for name in (stack.id_of(one) for one in logical_ids):
        for key in keys(cloud, name):
            cloud.client("s3").delete_object(Bucket=name, Key=key)
