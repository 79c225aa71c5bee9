"""Batches of a queue, of which some messages may fail without the others."""

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger()
log.setLevel(logging.INFO)


def each(event: dict[str, Any], handle: Callable[[str], object]) -> dict[str, Any]:
    """Handle each message's body; name those that failed, so that only they come again."""
    failed = []
    for record in event["Records"]:
        try:
            handle(record["body"])
        except Exception:
            log.exception("message %s failed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
