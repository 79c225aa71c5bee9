from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.catalogue.verified import expected, template, unnamed, verified
from tests.embedded.conftest import Running, cloud
from tests.embedded.stacks import deployed

__all__ = ["cloud"]
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("catalogue-observability")]
AREA = "observability"


def test_nothing_is_found_where_nothing_is_wrong(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "good")
    with deployed(cloud, body) as stack:
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    assert {id_: one for id_, one in found.items() if one.outcome != "pass"} == {}


def test_each_defect_is_named_by_its_item(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "bad")
    with deployed(cloud, body) as stack:
        write(cloud, stack.id_of("Log"), "connecting with " + "AKIA" + "Z" * 16)
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    assert unnamed(found, {**expected(AREA), "LOGS-03": ["Log"]}) == {}


def write(cloud: Running, group: str, message: str) -> None:
    """One line in a stream of its own."""
    logs = cloud.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    line = {"timestamp": int(time.time() * 1000), "message": message}
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[line])
