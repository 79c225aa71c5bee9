"""Reads one file of a site and keeps its readings.

A file is CSV with a header, at sites/<site>/<anything>.csv:

    meter,time,kwh
    M-1,2026-03-01T00:15:00Z,0.25
"""

import csv
import os
import time
from collections import defaultdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import boto3

MAX_BYTES = 1024 * 1024
KEPT_SECONDS = 400 * 24 * 3600
BUCKET = os.environ["BUCKET"]
s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


class InvalidFile(Exception):
    """The site has to send the file again; another attempt at this one is of no use."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Keep the readings of a file; return the site, the file, and the sum of each day."""
    key, version = event["key"], event["version"]
    site = key.split("/")[1]
    days: dict[str, Decimal] = defaultdict(Decimal)
    expires = int(time.time()) + KEPT_SECONDS
    with table.batch_writer(overwrite_by_pkeys=["pk", "sk"]) as batch:
        for meter, moment, kwh in readings(content(key, version)):
            days[f"{moment:%Y-%m-%d}"] += kwh
            batch.put_item(
                Item={
                    "pk": f"METER#{site}#{meter}",
                    "sk": moment.isoformat(),
                    "kwh": kwh,
                    "expires": expires,
                }
            )
    return {"site": site, "file": key, "days": {day: str(kwh) for day, kwh in days.items()}}


def content(key: str, version: str) -> str:
    answer = s3.get_object(Bucket=BUCKET, Key=key, VersionId=version)
    if answer["ContentLength"] > MAX_BYTES:
        raise InvalidFile(f"{answer['ContentLength']} bytes; at most {MAX_BYTES} are read")
    try:
        return answer["Body"].read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidFile(f"not UTF-8: {error}") from error


def readings(text: str) -> list[tuple[str, datetime, Decimal]]:
    """Return meter, moment and kWh of each line; nothing is kept of a file with a wrong line."""
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            moment, kwh = datetime.fromisoformat(row["time"]), Decimal(row["kwh"])
            meter = row["meter"]
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise InvalidFile(f"line {number}: {error!r}") from error
        if not meter or not kwh.is_finite() or kwh < 0:
            raise InvalidFile(f"line {number}: not a reading")
        found.append((meter, moment, kwh))
    if not found:
        raise InvalidFile("no reading")
    return found
