"""POST /api/reports and DELETE /api/reports/{trail}/{id}: what members do. The API lets nobody else in."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

from botocore.exceptions import ClientError

from trail_reports.answers import answer
from trail_reports.reports import Invalid, known_trail, new_report, shown, table

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Store a report, or remove one of the caller's own."""
    member = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
    try:
        if event["routeKey"].startswith("DELETE "):
            return remove(event["pathParameters"], member)
        return create(sent(event), member)
    except Invalid as problem:
        return answer(400, {"message": str(problem)})


def sent(event: dict[str, Any]) -> object:
    """Return the request's JSON.

    Raises:
        Invalid: it is none.
    """
    body = event.get("body") or ""
    try:
        return json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except ValueError as problem:
        raise Invalid("the body is no JSON") from problem


def create(wanted: object, member: str) -> dict[str, Any]:
    """Store a new report."""
    report = new_report(wanted, member)
    table().put_item(Item=report)
    logger.info("stored report %s of %s", report["id"], report["trail"])
    return answer(201, shown(report))


def remove(parameters: dict[str, str], member: str) -> dict[str, Any]:
    """Remove a report, if it is the member's own; of others' it says no more than of none."""
    trail = known_trail(parameters["trail"])
    try:
        table().delete_item(
            Key={"trail": trail, "id": parameters["id"]},
            ConditionExpression="author = :member",
            ExpressionAttributeValues={":member": member},
        )
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return answer(404, {"message": "you have no such report"})
    logger.info("removed report %s of %s", parameters["id"], trail)
    return answer(204)
