"""Writes yesterday's consumption of all sites."""

import json
import os
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key

BUCKET = os.environ["BUCKET"]
s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Write the report of the day before the event's; the same event writes the same report."""
    day = f"{datetime.fromisoformat(event['time']) - timedelta(days=1):%Y-%m-%d}"
    sites: dict[str, Decimal] = defaultdict(Decimal)
    for item in items(day):
        sites[item["site"]] += item["kwh"]
    report = {"day": day, "kwh": {site: str(kwh) for site, kwh in sorted(sites.items())}}
    key = f"daily/{day}.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report).encode(), ContentType="application/json")
    return {"report": key}


def items(day: str) -> Any:
    """Every site's and file's figure of a day, page after page."""
    start: dict[str, Any] = {}
    while True:
        page = table.query(KeyConditionExpression=Key("pk").eq(f"DAY#{day}"), **start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
