from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.verified import expected, template, unnamed, verified
from tests.embedded.conftest import Running, cloud
from tests.embedded.stacks import deployed

__all__ = ["cloud"]
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("catalogue-data")]
AREA = "data"


def test_nothing_is_found_where_nothing_is_wrong(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "good")
    with deployed(cloud, body) as stack:
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    assert found.keys() >= expected(AREA).keys()
    assert {id_: one for id_, one in found.items() if one.outcome != "pass"} == {}


def test_each_defect_is_named_by_its_item(cloud: Running, tmp_path: Path) -> None:
    body, names = template(AREA, "bad"), expected(AREA)
    with deployed(cloud, body) as stack:
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    assert unnamed(found, names) == {}
    assert {id_: one.outcome for id_, one in found.items() if id_ not in names} == {}
