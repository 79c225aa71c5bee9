"""A number beyond what AWS takes fails the update of a stack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.cloudformation.template import changed
from tests.embedded.stacks import Stack

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Source": {"BatchSize": 100, "MaximumBatchingWindowInSeconds": None}}, "Maximum batch window"),
        ({"Function": {"MemorySize": 10_241}}, "less than or equal to 10240"),
        (
            {
                "Bucket": {
                    "LifecycleConfiguration": {
                        "Rules": [
                            {
                                "Status": "Enabled",
                                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0},
                            }
                        ]
                    }
                }
            },
            "must be a positive integer",
        ),
    ],
)
def test_numbers_that_aws_refuses_are_refused(
    full: Stack, changes: dict[str, dict[str, Any]], told: str
) -> None:
    assert full.update(changed(**changes)) == "UPDATE_ROLLBACK_COMPLETE"
    assert told in " ".join(full.reasons())


def test_a_larger_batch_is_taken_with_a_window(restored: Stack) -> None:
    assert restored.update(changed(Source={"BatchSize": 100})) == "UPDATE_COMPLETE", restored.reasons()
