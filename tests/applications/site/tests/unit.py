"""What the functions answer, with a table in memory. Run: PYTHONPATH=src python -m unittest tests/unit.py."""

from __future__ import annotations

import json
import unittest
from typing import Any
from unittest import mock

from trail_reports import read, write


class Table:
    """As much of a DynamoDB table as the functions use."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def put_item(self, Item: dict[str, Any]) -> None:  # noqa: N803 - boto3's name
        self.items.append(Item)

    def query(self, **_asked: Any) -> dict[str, Any]:
        return {"Items": self.items}


def posted(body: object) -> dict[str, Any]:
    return {
        "routeKey": "POST /api/reports",
        "requestContext": {"authorizer": {"jwt": {"claims": {"sub": "member-1"}}}},
        "body": json.dumps(body),
    }


class Reports(unittest.TestCase):
    def setUp(self) -> None:
        self.table = Table()
        for module in (read, write):
            patch = mock.patch.object(module, "table", return_value=self.table)
            patch.start()
            self.addCleanup(patch.stop)

    def test_a_report_is_stored_and_shown_without_its_author(self) -> None:
        stored = write.handler(posted({"trail": "old-mill", "text": " Bridge is out. "}), None)
        listed = read.handler({"queryStringParameters": {"trail": "old-mill"}}, None)

        assert stored["statusCode"] == 201
        assert json.loads(listed["body"])["reports"] == [json.loads(stored["body"])]
        assert json.loads(stored["body"])["text"] == "Bridge is out."
        assert "member-1" not in listed["body"]
        assert self.table.items[0]["author"] == "member-1"

    def test_what_is_no_report_is_refused(self) -> None:
        for body in ([], {}, {"trail": "everest", "text": "x"}, {"trail": "old-mill", "text": "x" * 2001}):
            with self.subTest(body=body):
                assert write.handler(posted(body), None)["statusCode"] == 400
        assert self.table.items == []

    def test_an_unknown_trail_has_no_list(self) -> None:
        assert read.handler({"queryStringParameters": None}, None)["statusCode"] == 400


if __name__ == "__main__":
    unittest.main()
