"""A version of Pixel Prompt whose template names its worker, its bucket and its stage otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.embedded.checkout import Checkout, checkout

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("renamed")]

OTHER_NAMES = {"WorkerFunction": "ImageMaker", "ImagesBucket": "Pictures"}
READING = "not static and not active and not drill and not browser and not paid"
"""The items that read the stack: those that look its parts up."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with checkout(tmp_path_factory.mktemp("renamed"), "renamed") as made:
        template = made.root / "backend" / "template.yaml"
        text = template.read_text(encoding="utf-8")
        for name, other in OTHER_NAMES.items():
            text = re.sub(rf"\b{name}(?=\b|Role|Policy)", other, text)
        text = text.replace("StageName: $default", "StageName: live")
        text = text.replace("!GetAtt HttpApi.ApiEndpoint", "!Sub ${HttpApi.ApiEndpoint}/live")
        template.write_text(text, encoding="utf-8")
        deployed = made.deploy()
        assert deployed.status == 0, deployed.err[-2000:]
        yield made


@pytest.fixture(scope="module")
def intact(here: Checkout) -> dict[str, tuple[str, str]]:
    """What the items say of the renamed stack."""
    return outcomes(here)


def outcomes(here: Checkout) -> dict[str, tuple[str, str]]:
    """The outcome of each item that reads the stack, and its reason."""
    command = (
        ".venv/bin/pytest",
        "verification",
        "-m",
        READING,
        "--env",
        "staging",
        "-p",
        "no:cacheprovider",
    )
    ended = here.run(*command)
    report = here.root / "reports" / "staging" / "verification.json"
    assert report.is_file(), ended.out[-2000:] + ended.err[-2000:]
    content = json.loads(report.read_text(encoding="utf-8"))
    return {item["id"]: (item["outcome"], item.get("reason") or "") for item in content["items"]}


def test_no_item_says_that_a_name_is_missing(intact: dict[str, tuple[str, str]]) -> None:
    assert len(intact) > 30, intact
    assert {item: why for item, (_, why) in intact.items() if "has no resource" in why} == {}
    # This checkout has an uncommitted template, no budget, and alarms that a person has to confirm.
    assert {item for item, (outcome, _) in intact.items() if outcome == "fail"} <= {
        "CONF-11",
        "CONF-14",
        "INF-16",
    }


def test_a_defect_is_found_under_the_other_name(here: Checkout, intact: dict[str, tuple[str, str]]) -> None:
    bucket = here.outputs()["S3BucketName"]
    client = here.client("s3")
    client.delete_bucket_lifecycle(Bucket=bucket)

    after = outcomes(here)

    turned = {item for item in after if after[item][0] == "fail" and intact[item][0] != "fail"}
    assert "INF-04" in turned
    assert len(turned) > 1, turned
