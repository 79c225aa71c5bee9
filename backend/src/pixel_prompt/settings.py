"""The functions' environment variables, read once. Source: template.yaml."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pixel_prompt.models import Model, load_models


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What the API function is told. Limits are counts; ``allowed_addresses`` are addresses or CIDR blocks."""

    environment: str
    table_name: str
    queue_url: str
    cdn_domain: str
    global_hourly_limit: int
    address_daily_limit: int
    allowed_addresses: tuple[str, ...]
    models: tuple[Model, ...]

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> "ApiSettings":
        """Read them.

        Raises:
            KeyError: a variable is missing.
            ValueError: a variable is malformed.
        """
        allowed = variables.get("ALLOWED_ADDRESSES", "").split(",")
        return cls(
            environment=variables["ENVIRONMENT"],
            table_name=variables["TABLE_NAME"],
            queue_url=variables["QUEUE_URL"],
            cdn_domain=variables["CDN_DOMAIN"],
            global_hourly_limit=int(variables["GLOBAL_HOURLY_LIMIT"]),
            address_daily_limit=int(variables["ADDRESS_DAILY_LIMIT"]),
            allowed_addresses=tuple(address.strip() for address in allowed if address.strip()),
            models=load_models(variables.get("MODEL_OVERRIDES", "")),
        )


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What the worker is told."""

    environment: str
    table_name: str
    bucket_name: str
    queue_url: str
    keys_secret_arn: str
    models: tuple[Model, ...]

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> "WorkerSettings":
        """Read them.

        Raises:
            KeyError: a variable is missing.
            ValueError: a variable is malformed.
        """
        return cls(
            environment=variables["ENVIRONMENT"],
            table_name=variables["TABLE_NAME"],
            bucket_name=variables["BUCKET_NAME"],
            queue_url=variables["QUEUE_URL"],
            keys_secret_arn=variables["KEYS_SECRET_ARN"],
            models=load_models(variables.get("MODEL_OVERRIDES", "")),
        )
