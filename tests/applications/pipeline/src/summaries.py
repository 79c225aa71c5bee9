"""Keeps a site's consumption of each day."""

import json
import os
from decimal import Decimal
from typing import Any

import batches
import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return batches.each(event, keep)


def keep(body: str) -> None:
    """Keep what one file says of each of its days; a repeated message writes the same again."""
    imported = json.loads(body)
    for day, kwh in imported["days"].items():
        table.put_item(
            Item={
                "pk": f"DAY#{day}",
                "sk": f"{imported['site']}#{imported['file']}",
                "site": imported["site"],
                "kwh": Decimal(kwh),
            }
        )
