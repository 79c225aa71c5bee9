"""A mutant is deployed as the intended template: in the stack and in the folder, and nothing of it is left afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.mutants.mutant import REMOVED, Mutant
from tests.mutants.stand import COMPARING, Refused, Stand, stand, template_in

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("mutants")]
KEY = "AWS::KMS::Key"
ROTATION = ("Resources", "AlarmKey", "Properties", "EnableKeyRotation")


@pytest.fixture(scope="module")
def guest_book() -> Iterator[Stand]:
    with stand("guest-book") as here:
        yield here


def test_the_items_judge_a_mutant_and_nothing_of_it_is_left(guest_book: Stand) -> None:
    mutant = Mutant("guest-book", "AlarmKey", KEY, ROTATION, "flip", "no rotation", value=False)

    guest_book.deploy([mutant])
    seen = guest_book.look("read-only")

    failed = {item: one.findings for item, one in seen.items() if one.outcome == "fail"}
    assert list(failed) == ["KMS-01"]
    assert any(name in failed["KMS-01"][0] for name in guest_book.names(mutant))
    assert not seen.keys() & {*COMPARING}
    in_the_folder = json.loads(guest_book.file.read_text(encoding="utf-8"))
    assert in_the_folder["Resources"]["AlarmKey"]["Properties"]["EnableKeyRotation"] is False

    guest_book.deploy([])

    assert json.loads(guest_book.file.read_text(encoding="utf-8")) == guest_book.template
    deployed = guest_book.client("cloudformation").get_template(StackName="guest-book-local")
    assert "false" not in json.dumps(deployed["TemplateBody"]["Resources"]["AlarmKey"])


def test_who_refuses_a_mutant_is_told(guest_book: Stand) -> None:
    handler = ("Resources", "BookFunction", "Properties", "Handler")
    mutant = Mutant("guest-book", "BookFunction", "function", handler, "remove", "no handler", REMOVED)

    with pytest.raises(Refused) as refused:
        guest_book.deploy([mutant])

    assert refused.value.by
    assert refused.value.message


def test_a_policy_is_tried_apart_from_what_it_governs(guest_book: Stand) -> None:
    assert guest_book.related("Copies", "CopiesPolicy")
    assert guest_book.related("Copies", "Copies")
    assert not guest_book.related("BookRole", "BookFunction")


def test_a_change_by_hand_is_unknown_to_cloudformation_and_the_folder() -> None:
    mutant = Mutant("guest-book", "AlarmKey", KEY, ROTATION, "flip", "no rotation", value=False)

    kept = ("Resources", "AlarmKey", "DeletionPolicy")

    with stand("guest-book", by_hand=True) as here:
        with pytest.raises(Refused, match="record alone"):
            here.deploy([Mutant("guest-book", "AlarmKey", KEY, kept, "enum", "deleted", "Delete")])
        here.deploy([mutant])
        seen = here.look("read-only")
        drift = here.look("drift")
        deployed = here.client("cloudformation").get_template(StackName=here.stack)["TemplateBody"]

        assert [item for item, one in seen.items() if one.outcome == "fail"] == ["KMS-01"]
        assert [(item, one.outcome) for item, one in drift.items()] == [("STACK-02", "fail")]
        assert "AlarmKey" in drift["STACK-02"].findings[0]
        assert template_in(here.file) == here.template
        assert "false" not in json.dumps(deployed["Resources"]["AlarmKey"])
