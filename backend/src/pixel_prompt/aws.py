"""AWS clients, made when they are first needed.

They come from botocore, because boto3 above it costs a cold start time and adds nothing that is used here.
"""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from botocore.config import Config
from botocore.session import Session


@cache
def _session() -> Session:
    return Session()


class Clients:
    """Makes each client once.

    In botocore's standard retry mode a client pays for its retries out of a quota of its own, and gets little of
    it back. Whoever provokes errors on purpose therefore takes ``Clients`` of their own and closes them afterwards:
    the clients that jobs share would be left without retries.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str | None, float, int, int], Any] = {}
        self._lock = threading.Lock()

    def __call__(
        self,
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
        wanted = (service, region, read_seconds, attempts, connections)
        with self._lock:
            if wanted not in self._made:
                self._made[wanted] = _session().create_client(
                    service,
                    region_name=region,
                    config=Config(
                        connect_timeout=2,
                        read_timeout=read_seconds,
                        retries={"mode": "standard", "total_max_attempts": attempts},
                        max_pool_connections=connections,
                    ),
                )
            return self._made[wanted]

    def close(self) -> None:
        """Close the clients' connections."""
        for made in self._made.values():
            made.close()


client: Final[Callable[..., Any]] = Clients()
"""The clients that requests and jobs share."""
