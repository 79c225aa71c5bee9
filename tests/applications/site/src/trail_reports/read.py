"""GET /api/reports?trail=NAME: a trail's latest reports, for everybody."""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.conditions import Key

from trail_reports.answers import answer
from trail_reports.reports import PAGE_SIZE, Invalid, known_trail, shown, table


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """List the latest reports of the trail that the query names."""
    try:
        trail = known_trail((event.get("queryStringParameters") or {}).get("trail"))
    except Invalid as problem:
        return answer(400, {"message": str(problem)})
    found = table().query(
        KeyConditionExpression=Key("trail").eq(trail), ScanIndexForward=False, Limit=PAGE_SIZE
    )
    return answer(200, {"reports": [shown(item) for item in found["Items"]]})
