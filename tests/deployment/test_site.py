"""A page that names a file which is not there yet, or no more, is a blank page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from tests.answering import Answering
from verification.deployment.site import A_WHILE, ASK_AGAIN, FOR_EVER, PageProblem, Site, files

INDEX = """<link rel="stylesheet" href="/assets/index-D5zKrfcB.css"><link rel="icon" href="/favicon.svg">
<script type="module" crossorigin src="/assets/index-JsWOcPvz.js"></script>"""
HOME = Site("the-bucket", "E123")


class Aws(Answering):
    """S3 and CloudFront, noting what they are told; refuses one operation when asked to."""

    def __init__(self, refusing: str = "") -> None:
        super().__init__(
            {
                "s3:HeadObject": self._head,
                "s3:PutObject": lambda asked: self._noted("PutObject", asked),
                "cloudfront:CreateInvalidation": lambda asked: self._noted("CreateInvalidation", asked),
            }
        )
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.refusing = refusing

    def _head(self, asked: Mapping[str, Any]) -> Mapping[str, Any] | Exception:
        stored = next((told for _, told in self.told if told.get("Key") == asked["Key"]), None)
        if stored is None:
            return botocore.exceptions.ClientError({"Error": {"Code": "404"}}, "HeadObject")
        md5 = hashlib.md5(stored["Body"]).hexdigest()
        return {"ETag": f'"{md5}"', **{name: stored[name] for name in ("ContentType", "CacheControl")}}

    def _noted(self, operation: str, asked: Mapping[str, Any]) -> Mapping[str, Any] | Exception:
        if operation == self.refusing:
            return botocore.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, operation)
        self.told.append((operation, asked))
        return {}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for name, text in {
        "index.html": INDEX,
        "favicon.svg": "<svg/>",
        "robots.txt": "User-agent: *",
        "manifest.webmanifest": "{}",
        "assets/index-JsWOcPvz.js": "1",
        "assets/index-D5zKrfcB.css": "a{}",
        "assets/Modal-CsA3yZn-.css": "b{}",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_assets_go_first_and_the_page_last(dist: Path) -> None:
    assert [file.key for file in files(dist)] == [
        "assets/Modal-CsA3yZn-.css",
        "assets/index-D5zKrfcB.css",
        "assets/index-JsWOcPvz.js",
        "favicon.svg",
        "manifest.webmanifest",
        "robots.txt",
        "index.html",
    ]


def test_each_file_has_its_type_and_its_life(dist: Path) -> None:
    found = {file.key: (file.content_type, file.cache_control) for file in files(dist)}

    assert found["index.html"] == ("text/html; charset=utf-8", ASK_AGAIN)
    assert found["assets/index-JsWOcPvz.js"] == ("text/javascript; charset=utf-8", FOR_EVER)
    assert found["favicon.svg"] == ("image/svg+xml", A_WHILE)
    assert found["manifest.webmanifest"] == ("application/manifest+json", A_WHILE)


def test_an_asset_without_a_hash_is_not_kept_for_ever(dist: Path) -> None:
    (dist / "assets" / "worker.js").write_text("2")

    assert {file.key: file.cache_control for file in files(dist)}["assets/worker.js"] == A_WHILE


@pytest.mark.parametrize(
    "name",
    [
        "assets/index-JsWOcPvz.js.map",
        "stats.html",
        "report/bundle.json",
        "bundle-report.md",
        ".vite/manifest.json",
    ],
)
def test_maps_and_reports_stay_at_home(dist: Path, name: str) -> None:
    before = [file.key for file in files(dist)]
    (dist / name).parent.mkdir(exist_ok=True)
    (dist / name).write_text("private")

    assert [file.key for file in files(dist)] == before


def test_a_build_without_its_page_is_refused(dist: Path) -> None:
    (dist / "index.html").unlink()

    with pytest.raises(PageProblem, match=r"holds no index\.html"):
        files(dist)


def test_a_page_that_names_what_was_not_built_is_refused(dist: Path) -> None:
    (dist / "assets" / "index-JsWOcPvz.js").unlink()

    with pytest.raises(PageProblem, match=r"names assets/index-JsWOcPvz\.js, which the build did not make"):
        files(dist)


def test_a_file_of_unknown_type_is_refused(dist: Path) -> None:
    (dist / "model.onnx").write_text("3")

    with pytest.raises(PageProblem, match=r"no media type is known for model\.onnx"):
        files(dist)


def test_publishing_stores_all_deletes_nothing_then_invalidates_everything(dist: Path) -> None:
    aws = Aws()

    assert HOME.store(files(dist), aws.client("s3")) == 7
    HOME.forget(aws.client("cloudfront"), reference="now")

    assert [operation for operation, _ in aws.told] == ["PutObject"] * 7 + ["CreateInvalidation"]
    assert aws.told[-2][1] == {
        "Bucket": "the-bucket",
        "Key": "index.html",
        "Body": INDEX.encode(),
        "ContentType": "text/html; charset=utf-8",
        "CacheControl": "no-cache",
    }
    assert aws.told[-1][1] == {
        "DistributionId": "E123",
        "InvalidationBatch": {
            "CallerReference": "now",
            "Paths": {"Quantity": 1, "Items": ["/*"]},
        },
    }


def test_a_refused_file_leaves_the_old_page(dist: Path) -> None:
    aws = Aws(refusing="PutObject")

    with pytest.raises(PageProblem, match=r"could not be stored in the-bucket.*still the old one"):
        HOME.store(files(dist), aws.client("s3"))
    assert aws.told == []


def test_a_refused_invalidation_is_reported(dist: Path) -> None:
    aws = Aws(refusing="CreateInvalidation")

    with pytest.raises(PageProblem, match="the page is stored, but E123"):
        HOME.forget(aws.client("cloudfront"), reference="now")


def test_what_is_stored_just_like_that_is_not_stored_again(dist: Path) -> None:
    """A deployment of the same commit must change nothing."""
    aws = Aws()
    HOME.store(files(dist), aws.client("s3"))

    again = HOME.store(files(dist), aws.client("s3"))
    (dist / "robots.txt").write_text("User-agent: nobody")
    aws.told = [told for told in aws.told if told[1]["Key"] != "favicon.svg"]
    changed = HOME.store(files(dist), aws.client("s3"))

    assert (again, changed) == (0, 2)
