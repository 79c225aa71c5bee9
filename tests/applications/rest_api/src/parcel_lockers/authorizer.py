"""The API's authorizer: who a token belongs to, and that he may call everything that asks for one."""

from __future__ import annotations

import logging
import os
import time
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from parcel_lockers import tokens

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

KEPT_SECONDS = 300.0
# The key before the current one counts too, so that a new key stops no courier.
VERSIONS = ("AWSCURRENT", "AWSPREVIOUS")
_kept: dict[str, tuple[float, list[str]]] = {}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Allow the stage to the courier whose token it is.

    The answer is kept for a minute and for every path, so it names the stage and not the method that was called.
    A wrong token is denied, not raised: an exception would count as an error of this function.
    """
    courier = tokens.courier(
        event["authorizationToken"].removeprefix("Bearer "), keys(os.environ["SECRET_ARN"])
    )
    if courier is None:
        logger.info("refused a token")
    api, stage = event["methodArn"].split("/")[:2]
    return {
        "principalId": courier or "unknown",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow" if courier else "Deny",
                    "Resource": f"{api}/{stage}/*",
                }
            ],
        },
    }


def keys(secret: str) -> list[str]:
    """Return the keys that sign tokens, read again after five minutes."""
    read_at, found = _kept.get(secret, (0.0, []))
    if not found or time.monotonic() - read_at > KEPT_SECONDS:
        found = [value for version in VERSIONS if (value := _read(secret, version)) is not None]
        _kept[secret] = (time.monotonic(), found)
    return found


def _read(secret: str, version: str) -> str | None:
    try:
        return str(_secrets().get_secret_value(SecretId=secret, VersionStage=version)["SecretString"])
    except ClientError as problem:
        # A secret that was never changed has no previous version.
        if version == "AWSPREVIOUS" and problem.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise


@cache
def _secrets() -> Any:
    config = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("secretsmanager", config=config)
