"""One stack of the full template for all tests of this folder, so that it is deployed once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.embedded.cloudformation.template import FULL, changed
from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed


@pytest.fixture(scope="package")
def full(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, FULL) as stack:
        yield stack
        assert stack.update(changed(Table={"DeletionProtectionEnabled": False})) == "UPDATE_COMPLETE", (
            stack.reasons()
        )


@pytest.fixture
def restored(full: Stack) -> Iterator[Stack]:
    """The stack, brought back to the full template after the test."""
    yield full
    assert full.update(FULL) == "UPDATE_COMPLETE", full.reasons()
