"""Section Configuration: what was deployed is what the guest book needs."""

import pytest

from tests.second_app.guest_book import GuestBook

pytestmark = pytest.mark.config


@pytest.mark.item("CONF-01")
def test_errors_raise_an_alarm(book: GuestBook) -> None:
    """Guests would be the first to know."""
    assert [
        alarm
        for alarm in book.alarms
        if alarm.watches("AWS/Lambda", "Errors", FunctionName=book.function.name)
    ], f"nothing watches the errors of {book.function!r}"


@pytest.mark.item("CONF-02")
def test_log_expires(book: GuestBook) -> None:
    """Guests' names would be kept for ever."""
    assert book.log.retention, book.log
