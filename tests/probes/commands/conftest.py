"""Checkouts to write into, without history and with one."""

from __future__ import annotations

import pytest

from tests.probes.commands.checkout import Checkout


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.fixture
def repository(checkout):
    checkout.git("init", "-q")
    checkout.commit("README.md", "A project.\n")
    return checkout
