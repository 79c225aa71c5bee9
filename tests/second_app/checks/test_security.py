"""Section Security: the guests' words are theirs."""

import pytest

from tests.second_app.guest_book import GuestBook

pytestmark = pytest.mark.security


@pytest.mark.item("SEC-01")
def test_copies_are_private(book: GuestBook) -> None:
    """Anybody could read every guest's words."""
    blocks = book.copies.public_access_block

    assert [name for name, on in blocks.items() if not on] == [], book.copies
    assert not book.copies.policy_is_public, book.copies.policy_statements
