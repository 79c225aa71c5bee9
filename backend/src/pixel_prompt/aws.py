"""AWS clients, made when they are first needed.

They come from botocore, because boto3 above it costs a cold start time and adds nothing that is used here.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session


@cache
def _session() -> Session:
    return Session()


@cache
def client(
    service: str,
    region: str | None = None,
    *,
    read_seconds: float = 5,
    attempts: int = 4,
    connections: int = 10,
) -> Any:
    """A client with short time-outs that tries again as AWS's standard retry mode does.

    Args:
        service: botocore's name of the service.
        region: None for the function's own region.
        read_seconds: how long to wait for an answer.
        attempts: calls in all, the first one included. Throttling (503 SlowDown among it), server errors and
            lost connections are tried again.
        connections: how many threads can call at the same time.
    """
    return _session().create_client(
        service,
        region_name=region,
        config=Config(
            connect_timeout=2,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=connections,
        ),
    )
