"""The table of parcels and the stations at which they wait."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

STATIONS = {
    "harbour": "Quay 4, Port Aldwin",
    "market": "12 Market Square, Port Aldwin",
    "station": "Central Station, platform 1, Port Aldwin",
}


@cache
def table() -> Any:
    """Return the table, connected to once in each environment of a function."""
    config = Config(connect_timeout=2, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.resource("dynamodb", config=config).Table(os.environ["TABLE_NAME"])
