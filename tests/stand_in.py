"""moto's server in the place of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from moto.moto_api._internal import moto_api_backend
from moto.server import ThreadedMotoServer


@contextmanager
def stand_in_for_aws() -> Iterator[str]:
    """Speak AWS's protocols on loopback, at the URL that is given.

    All servers of a process share what they hold, so it is emptied at the end: the tests that come next in this process
    would find it otherwise.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        yield url
    finally:
        server.stop()
        moto_api_backend.reset()
