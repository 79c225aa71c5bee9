"""verification/costs.py and docs/COST.md"""

from __future__ import annotations

import pytest

from tests import registry
from verification import costs
from verification.application import ROOT, names, settings


def test_the_document_is_generated():
    """python -m verification.costs"""
    assert (ROOT / "docs" / "COST.md").read_text(encoding="utf-8") == costs.render()


@pytest.mark.parametrize("name", names())
def test_the_stated_traffic_fits_the_budget_of_its_environment(name):
    lines = costs.estimate(costs.Shape(), settings(name).jobs_a_month)

    assert costs.total_usd(lines) <= costs.granted_usd(ROOT / "backend" / "samconfig.toml", name)


def test_every_price_is_used_once_and_has_a_source():
    lines = costs.estimate(costs.Shape(), 1)

    assert sorted(line.what for line in lines) == sorted(costs.PRICES)
    assert all(price.usd > 0 and price.source and price.unit for price in costs.PRICES.values())


def test_an_estimate_is_the_sum_of_quantities_and_prices():
    idle = {line.what: line.usd for line in costs.estimate(costs.Shape(alarms=3, web_acl_rules=None), 0)}
    busy = {line.what: line.usd for line in costs.estimate(costs.Shape(web_acl_rules=4), 100)}

    assert idle["Alarms"] == pytest.approx(0.30)
    assert (idle["Web ACL"], idle["Web ACL rules"], idle["Stable Image Core"]) == (0, 0, 0)
    assert (busy["Web ACL"], busy["Web ACL rules"]) == (5, 4)
    assert busy["Stable Image Core"] == pytest.approx(4.00)
    assert costs.total_usd(costs.estimate(costs.Shape(), 200)) > costs.total_usd(
        costs.estimate(costs.Shape(), 100)
    )


def test_every_default_model_has_the_price_of_an_image():
    assert set(costs.IMAGES) == {model.id for model in registry.MODELS}
    assert all(price.usd > 0 and price.source and price.seen for price in costs.IMAGES.values())
    assert costs.image_usd("gpt-image-2") == costs.IMAGES["gpt-image-2"].usd
    assert costs.image_usd("a model of the operator's own") is None
