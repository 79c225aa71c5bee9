"""Time, as the application writes it down."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

DAY_SECONDS: Final = 86400
HOUR_SECONDS: Final = 3600

Clock = Callable[[], float]
"""Seconds since 1970, UTC."""

now: Clock = time.time


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds; such texts sort like the moments they name."""
    moment = datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
