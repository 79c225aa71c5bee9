"""The access log that CloudFront delivers into a bucket (standard logging)."""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from readiness import budgets
from readiness.aws.bucket import Bucket
from readiness.progress import waiting


@dataclass(frozen=True)
class EdgeLog:
    """One distribution's log. Source: CloudFront Developer Guide, "Access logs (standard logs)"."""

    bucket: Bucket
    prefix: str
    distribution_id: str

    def delivered(self, within: timedelta) -> Sequence[str]:
        """Keys of the files about the time since then; a file's name holds the hour it is about."""
        start = f"{self.prefix}{self.distribution_id}."
        return self.bucket.keys(start, after=start + f"{datetime.now(UTC) - within:%Y-%m-%d-%H}")

    def lines(self, key: str) -> Sequence[str]:
        """What one file tells, a request a line, without its heading."""
        text = gzip.decompress(self.bucket.object_bytes(key)).decode("utf-8", "replace")
        return [line for line in text.splitlines() if not line.startswith("#")]

    @waiting("a log file of CloudFront's")
    def wait_for_delivery(
        self, within: timedelta, deadline: timedelta = budgets.EDGE_LOG_DEADLINE
    ) -> Sequence[str]:
        """Lines of the newest file about that time that has any, empty when none has come before the deadline."""
        started = time.monotonic()
        while True:
            for key in reversed(self.delivered(within)):
                if lines := self.lines(key):
                    return lines
            if time.monotonic() - started > self.bucket.env.patience(deadline).total_seconds():
                return []
            time.sleep(1)
