"""Section Code: the guest book as its guests use it."""

import uuid
from http import HTTPStatus

import pytest

from verification.probes.api import Api

pytestmark = pytest.mark.code


@pytest.mark.item("CODE-01")
def test_what_is_signed_can_be_read(api: Api) -> None:
    """The book does nothing else."""
    guest = {"name": f"verification {uuid.uuid4().hex}", "words": "was here"}
    signed = api.call("POST", "/entries", json_body=guest)
    assert signed.status == HTTPStatus.CREATED, signed

    entries = api.call("GET", "/entries").document()["entries"]

    assert entries[0] == {**guest, "signed": signed.json()["signed"]}


@pytest.mark.item("CODE-02")
def test_an_empty_entry_is_refused(api: Api) -> None:
    """A 500 raises the alarm, and nobody believes an alarm that rises for nothing."""
    answers = [
        api.call("POST", "/entries", json_body={"name": "nobody", "words": " "}),
        api.call("POST", "/entries", json_body={"name": "nobody"}),
        api.call("POST", "/entries", body=b"{"),
    ]

    assert [a for a in answers if a.status not in (HTTPStatus.BAD_REQUEST, 422)] == []
