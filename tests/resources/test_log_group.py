"""verification/resources/log_group.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from verification.errors import Missing
from verification.resources.log_group import LogGroup


@pytest.fixture
def logs(env):
    return env.client("logs")


def test_retention_is_read(env, logs, unique):
    logs.create_log_group(logGroupName=unique)
    logs.put_retention_policy(logGroupName=unique, retentionInDays=30)

    assert LogGroup(env, unique).retention == timedelta(days=30)


def test_a_log_group_without_retention_keeps_its_events_for_ever(env, logs, unique):
    logs.create_log_group(logGroupName=unique)

    assert LogGroup(env, unique).retention is None


def test_another_log_group_that_begins_alike_is_not_taken_for_it(env, logs, unique):
    logs.create_log_group(logGroupName=f"{unique}-other")

    with pytest.raises(Missing, match=f"log group '{unique}' does not exist; declare it"):
        _ = LogGroup(env, unique).retention


def test_a_log_group_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing, match="log group 'never-made' does not exist"):
        _ = LogGroup(env, "never-made").description


def test_a_log_group_is_found_on_a_later_page(env, logs, unique):
    for number in range(60):
        logs.create_log_group(logGroupName=f"{unique}-{number:02}")
    logs.create_log_group(logGroupName=f"{unique}-~last")

    assert LogGroup(env, f"{unique}-~last").retention is None
