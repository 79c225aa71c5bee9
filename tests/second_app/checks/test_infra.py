"""Section Infrastructure: the guest book's stack stands."""

import pytest

from tests.second_app.guest_book import GuestBook

pytestmark = pytest.mark.infra


@pytest.mark.item("INF-01")
def test_stack_is_complete(book: GuestBook) -> None:
    """A stack that was rolled back runs something else than what was released."""
    assert book.formation.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@pytest.mark.item("INF-02")
def test_entries_can_be_restored(book: GuestBook) -> None:
    """One wrong delete would lose the book."""
    assert book.entries.point_in_time_recovery == "ENABLED"
