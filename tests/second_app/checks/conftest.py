"""What the guest book's checks can ask for; `env`, `evidence` and the run itself come from the suite."""

import pytest

from readiness.environment import Environment
from tests.second_app.guest_book import GuestBook
from verification.probes.api import Api


@pytest.fixture(scope="session")
def book(env: Environment) -> GuestBook:
    """The deployed guest book."""
    return GuestBook(env)


@pytest.fixture(scope="session")
def api(env: Environment, book: GuestBook) -> Api:
    """Its API, at the stack's output."""
    return Api(env, book.formation.output("BookUrl"))
