"""Run one embedded AWS in the foreground: `python -m verification.embedded.server --directory DIR`.

Everything that MiniStack reads at import (ports, directories, switches) is decided before it is imported.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import importlib
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from verification.embedded.server import certificates, listeners
from verification.embedded.server.context import App, Context, Message, Scope
from verification.embedded.server.listeners import Listeners
from verification.embedded.server.pace import Pace

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
LOCK_NAME = "server.lock"
OWNER_POLL_SECONDS = 0.5
END_SECONDS = 5.0


def main() -> int:
    """Serve until SIGTERM, SIGINT or the owner's end; return the exit status."""
    options = _arguments()
    os.umask(0o077)
    lock = _lock(options.directory)
    try:
        main_socket = listeners.bind(options.port)
    except OSError as error:
        print(f"error: cannot listen on {listeners.LOOPBACK}:{options.port or '*'}: {error}", file=sys.stderr)
        return 4
    providers_socket, names_socket = listeners.bind(), listeners.bind()
    _prepare_environment(options.directory, main_socket.getsockname()[1])
    with lock:
        asyncio.run(_serve(options, main_socket, providers_socket, names_socket))
    return 0


def _remove(directory: Path) -> None:
    """Leave nothing; the lock's file goes last, since its absence means that the cloud is gone."""
    for entry in directory.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != LOCK_NAME:
            entry.unlink(missing_ok=True)
    (directory / LOCK_NAME).unlink(missing_ok=True)
    directory.rmdir()


def _lock(directory: Path) -> TextIO:
    """Hold the lock that says "this cloud is alive", with this process's number in the file."""
    lock = (directory / LOCK_NAME).open("w")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m verification.embedded.server", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="private directory of this cloud")
    parser.add_argument("--lambda-python", type=Path, required=True, help="interpreter of Python functions")
    parser.add_argument("--source", required=True, help="digest of the sources, recorded in state.json")
    parser.add_argument("--port", type=int, help="port of the AWS APIs; default: a free one")
    parser.add_argument(
        "--pessimistic",
        type=float,
        metavar="SPEED",
        help="as slow as AWS, on a clock that is so many times faster",
    )
    parser.add_argument("--owned-by", type=int, metavar="PID", help="end when this process has ended")
    return parser.parse_args()


def _prepare_environment(directory: Path, port: int) -> None:
    """Set what MiniStack reads at import."""
    temporary = directory / "tmp"
    for name in ("tmp", "state", "s3"):
        (directory / name).mkdir(exist_ok=True)
    tempfile.tempdir = str(temporary)
    os.environ.update(
        AUTH="true",
        USE_SSL="1",
        MINISTACK_SSL_CERT=str(directory / "leaf.pem"),
        MINISTACK_SSL_KEY=str(directory / "leaf.key"),
        GATEWAY_PORT=str(port),
        BIND_HOST=listeners.LOOPBACK,
        MINISTACK_ACCOUNT_ID=ACCOUNT_ID,
        MINISTACK_REGION=REGION,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LAMBDA_ACCOUNT_CONCURRENCY="1000",
        TMPDIR=str(temporary),
        STATE_DIR=str(directory / "state"),
        S3_DATA_DIR=str(directory / "s3"),
        LOG_LEVEL="INFO",
        # MiniStack sweeps containers when it starts and stops; whatever runs on this machine is not its.
        DOCKER_HOST=f"unix://{directory / 'no-docker'}",
    )


async def _serve(
    options: argparse.Namespace,
    main_socket: socket.socket,
    providers_socket: socket.socket,
    names_socket: socket.socket,
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.owned_by is not None:
        _watch(options.owned_by, lambda: loop.call_soon_threadsafe(stop.set))

    overlays = _overlays()
    providers = overlays["providers"]
    made = certificates.issue(options.directory, providers.HOSTS)
    ports = Listeners(loop, made.server_context("http/1.1"), made.server_context("h2", "http/1.1"))
    context = Context(
        directory=options.directory,
        main_port=main_socket.getsockname()[1],
        providers_port=providers_socket.getsockname()[1],
        names_port=names_socket.getsockname()[1],
        account_id=ACCOUNT_ID,
        region=REGION,
        ca_bundle=made.bundle,
        lambda_python=options.lambda_python,
        vendor_hosts=tuple(providers.HOSTS),
        ports=ports,
        pace=Pace(options.pessimistic),
    )
    for overlay in overlays.values():
        overlay.install(context)

    import ministack.app  # noqa: PLC0415 - reads the environment that was prepared above

    from verification.embedded.server import (  # noqa: PLC0415 - they import MiniStack
        administration,
        calls,
        environments,
        faults,
        switches,
        throttling,
    )

    administrator = administration.Administrator(
        ACCOUNT_ID, REGION, f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), made
    )
    deployments = overlays["cdn"].EdgeCache(overlays["http_api"].Gateway(ministack.app.app, context), context)
    account = overlays["account"]
    front = faults.Faults(switches.Switches(providers.Control(deployments, context)))
    resets = [
        ports.close_edges,
        switches.reset,
        front.forget,
        *(overlay.reset for overlay in overlays.values() if hasattr(overlay, "reset")),
    ]
    control = throttling.Throttling(account.Control(calls.Calls(front, context), context), context.pace)
    apis = administration.Reset(control, administrator, resets)
    lifespan = Lifespan(apis)
    await lifespan.start()
    administrator.create()
    edges = account.NamelessEdges(deployments)
    ports.serve_edges(edges)
    names = overlays["names"].Names(edges, context)
    ports.serve_names(names_socket, names, names.tls)
    ports.serve(main_socket, apis)
    ports.serve(providers_socket, providers.app, plain_http=False)
    _record(options, context, administrator)
    await stop.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            environments.Environment.end_all(for_good=True)
            await ports.shut()
            await lifespan.stop()
            await asyncio.to_thread(ministack.app._reset_all_state)
    _remove(options.directory)
    # MiniStack's threads may sleep or wait for what has just been ended; nothing is left that needs them.
    os._exit(0)


def _overlays() -> dict[str, Any]:
    """Import the overlays, in the order in which they are installed; each asserts that MiniStack has its hooks."""
    names = (
        "cloudformation",
        "functions",
        "aliases",
        "s3",
        "bucket_configurations",
        "origin_identities",
        "function_urls",
        "events",
        "state_machines",
        "streams",
        "http_api",
        "authorizers",
        "origins",
        "rest_api",
        "cdn",
        "names",
        "cognito",
        "key_policies",
        "managed_keys",
        "managed_policies",
        "providers",
        "edges",
        "account",
        "scaling",
        "attachments",
        "answers",
        "lateness",
    )
    return {name: importlib.import_module(f"{__package__}.{name}") for name in names}


class Lifespan:
    """Drives the ASGI lifespan of an app: MiniStack starts its schedulers there."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the app. Raises RuntimeError when it fails to."""
        scope = {"type": "lifespan", "asgi": {"spec_version": "2.0", "version": "3.0"}}
        self._task = asyncio.create_task(self._run(scope))
        await self._ask("startup")

    async def stop(self) -> None:
        """Let the app shut down in order."""
        await self._ask("shutdown")

    async def _run(self, scope: Scope) -> None:
        await self._app(scope, self._inbox.get, self._outbox.put)

    async def _ask(self, phase: str) -> None:
        await self._inbox.put({"type": f"lifespan.{phase}"})
        answer = await self._outbox.get()
        if answer["type"] != f"lifespan.{phase}.complete":
            raise RuntimeError(f"MiniStack's {phase} failed: {answer}")


def _record(options: argparse.Namespace, context: Context, administrator: Any) -> None:
    """Write state.json (mode 600) in one step, when the cloud answers, so that no reader sees a part of it."""
    state = {
        "pid": os.getpid(),
        "endpoint": context.endpoint,
        "region": context.region,
        "account_id": context.account_id,
        "access_key_id": administrator.access_key_id,
        "secret_access_key": administrator.secret_access_key,
        "ca_bundle": str(context.ca_bundle),
        "names": f"{certificates.DOMAIN}={listeners.LOOPBACK}:{context.names_port}",
        "control": f"{context.endpoint}/_embedded",
        "source": options.source,
        "speed": context.pace.speed,
    }
    draft = context.directory / "state.json.new"
    draft.write_text(json.dumps(state, indent=2) + "\n")
    draft.replace(context.directory / "state.json")


def _watch(owner: int, end: Callable[[], object]) -> None:
    """Call `end` once the process `owner` no longer exists."""

    def watch() -> None:
        while True:
            try:
                os.kill(owner, 0)
            except ProcessLookupError:
                end()
                return
            except PermissionError:
                pass
            time.sleep(OWNER_POLL_SECONDS)

    threading.Thread(target=watch, name="owner-watch", daemon=True).start()


if __name__ == "__main__":
    logging.captureWarnings(True)
    sys.exit(main())
