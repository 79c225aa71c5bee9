"""GET /stations: the stations and how many parcels wait at each, for everybody."""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.conditions import Key

from parcel_lockers.answers import answer
from parcel_lockers.table import STATIONS, table


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """List the stations."""
    stations = [
        {"name": name, "address": address, "waiting": waiting(name)} for name, address in STATIONS.items()
    ]
    return answer(200, {"stations": stations})


def waiting(station: str) -> int:
    """Return how many parcels wait at a station."""
    count, more = 0, {}
    while True:
        found = table().query(
            IndexName="station", KeyConditionExpression=Key("station").eq(station), Select="COUNT", **more
        )
        count += found["Count"]
        if "LastEvaluatedKey" not in found:
            return count
        more = {"ExclusiveStartKey": found["LastEvaluatedKey"]}
