"""GET /parcels, PUT and DELETE /parcels/{code}: a courier's own parcels. The API lets nobody else in."""

from __future__ import annotations

import base64
import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from parcel_lockers.answers import answer
from parcel_lockers.table import STATIONS, table

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

CODE = re.compile(r"[A-Z0-9]{6,20}")
KEPT_SECONDS = 30 * 24 * 3600
PAGE_SIZE = 100


class Invalid(ValueError):
    """What was sent is no parcel; the message is for whoever sent it."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """List, announce or remove parcels of the courier whom the authorizer named."""
    courier = event["requestContext"]["authorizer"]["principalId"]
    try:
        match event["httpMethod"]:
            case "GET":
                return listed(courier, event.get("queryStringParameters") or {})
            case "PUT":
                return announced(courier, code(event["pathParameters"]["code"]), sent(event))
            case _:
                return removed(courier, code(event["pathParameters"]["code"]))
    except Invalid as problem:
        return answer(400, {"message": str(problem)})


def code(text: str) -> str:
    """Return a parcel's code.

    Raises:
        Invalid: it is none.
    """
    if not CODE.fullmatch(text):
        raise Invalid("a code has 6 to 20 capital letters and digits")
    return text


def sent(event: Mapping[str, Any]) -> str:
    """Return the station that the body names.

    Raises:
        Invalid: it names none of ours.
    """
    body = event.get("body") or ""
    try:
        parcel = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except ValueError as problem:
        raise Invalid("the body is no JSON") from problem
    station = parcel.get("station") if isinstance(parcel, dict) else None
    if not isinstance(station, str) or station not in STATIONS:
        raise Invalid(f"station must be one of {', '.join(STATIONS)}")
    return station


def listed(courier: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of the courier's parcels; `after` is the last code of the page before."""
    more = (
        {"ExclusiveStartKey": {"courier": courier, "code": code(query["after"])}} if "after" in query else {}
    )
    found = table().query(KeyConditionExpression=Key("courier").eq(courier), Limit=PAGE_SIZE, **more)
    page: dict[str, Any] = {"parcels": [shown(item) for item in found["Items"]]}
    if "LastEvaluatedKey" in found:
        page["after"] = found["LastEvaluatedKey"]["code"]
    return answer(200, page)


def announced(courier: str, parcel: str, station: str) -> dict[str, Any]:
    """Store a parcel. To send it again renews it, so a courier may retry."""
    item = {
        "courier": courier,
        "code": parcel,
        "station": station,
        "announcedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "expiresAt": int(time.time()) + KEPT_SECONDS,
    }
    try:
        table().put_item(
            Item=item,
            ConditionExpression="attribute_not_exists(code) OR station = :station",
            ExpressionAttributeValues={":station": station},
        )
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return answer(409, {"message": "this parcel is announced to another station"})
    logger.info("announced parcel %s to %s", parcel, station)
    return answer(200, shown(item))


def removed(courier: str, parcel: str) -> dict[str, Any]:
    """Remove a parcel: it was collected, or goes back."""
    try:
        table().delete_item(
            Key={"courier": courier, "code": parcel}, ConditionExpression="attribute_exists(code)"
        )
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return answer(404, {"message": "you have no such parcel"})
    logger.info("removed parcel %s", parcel)
    return answer(204)


def shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a parcel what its courier sees."""
    return {name: item[name] for name in ("code", "station", "announcedAt")}
