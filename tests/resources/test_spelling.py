"""readiness/aws/spelling.py"""

from __future__ import annotations

import pytest

from readiness.aws.spelling import same


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ("100", "100.0"),
        ('"100"', "100"),
        ("true", '"true"'),
        ("standard", "standard"),
        ('["GET","HEAD"]', '["HEAD","GET"]'),
        ('{"Rate": 50, "Burst": "100"}', '{"Burst": 100.0, "Rate": "50.0"}'),
        ('[{"Key": "a"}, {"Key": "b"}]', '[{"Key": "b"}, {"Key": "a"}]'),
        ('[{"A": 1, "B": 2}, {"A": 2, "B": 1}]', '[{"B": 1, "A": 2}, {"B": 2, "A": 1}]'),
        ('{"Policy": "{\\"Version\\": 1}"}', '{"Policy": {"Version": 1}}'),
    ],
)
def test_another_spelling_is_no_difference(declared, live):
    assert same(declared, live)


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ("100", "101"),
        ("true", "false"),
        ("1", "true"),
        ('["GET","HEAD"]', '["GET"]'),
        ('["GET","GET"]', '["GET","HEAD"]'),
        ('{"Rate": 50}', '{"Rate": 50, "Burst": 100}'),
        ("GET", "get"),
        ("Enabled", "null"),
    ],
)
def test_another_value_is_a_difference(declared, live):
    assert not same(declared, live)
