"""Start, stop and describe an embedded AWS: `python -m verification.embedded.cloud up|down|status|env|certificate|logs|reset`.

Runs in the suite's environment and never imports MiniStack; the server is a process of its own. Everything that
a cloud writes lies in `.local/<name>/`. A cloud is alive exactly while its server holds the lock on
`.local/<name>/server.lock`, which the kernel releases with the process, so that a number reused by another
process is never mistaken for it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn, Self
from urllib.parse import urlsplit

import boto3
import botocore.exceptions

from readiness.errors import UsageProblem

ROOT = Path(__file__).resolve().parents[2]
SERVER_SOURCE = Path(__file__).resolve().parent / "server"
SERVER_PYTHON = ROOT / ".tools" / "cloud" / "bin" / "python"
LAMBDA_PYTHON = ROOT / ".tools" / "lambda" / "bin" / "python"
CLOUDS = ROOT / ".local"
DEFAULT_NAME = "cloud"

# Where CloudFront looks for certificates.
CERTIFICATES_REGION = "us-east-1"

READY_WITHIN = timedelta(seconds=30)
STOPPED_WITHIN = timedelta(seconds=10)
ANSWER_WITHIN = timedelta(seconds=10)
RESET_WITHIN = timedelta(seconds=30)
POLL = timedelta(milliseconds=50)
LOG_LINES_SHOWN = 15
# Beyond it this machine's own time would be most of every delay.
FASTEST = 100

EXIT_RUNNING = 0
EXIT_NOT_RUNNING = 1
EXIT_USAGE = 4


@dataclass(frozen=True)
class State:
    """What a running server wrote of itself into state.json."""

    pid: int
    endpoint: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    ca_bundle: str
    names: str
    control: str
    source: str
    speed: float | None
    """How many times faster than AWS's its clock runs where it is as slow as AWS; None where nothing is slow."""

    @property
    def pace(self) -> str:
        """The pace in words, '' for the usual one."""
        return "" if self.speed is None else f"pessimistic, {self.speed:g} times as fast as AWS"

    @classmethod
    def read(cls, path: Path) -> State | None:
        """Return the state in `path`, or None when there is none or it is not one."""
        try:
            content: dict[str, Any] = json.loads(path.read_text())
            return cls(**{item.name: content[item.name] for item in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def environment(self) -> dict[str, str]:
        """Return the variables by which AWS's own clients and any TLS client find and trust the cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_CA_BUNDLE": self.ca_bundle,
            "REQUESTS_CA_BUNDLE": self.ca_bundle,
            "CURL_CA_BUNDLE": self.ca_bundle,
            "SSL_CERT_FILE": self.ca_bundle,
            "NODE_EXTRA_CA_CERTS": self.ca_bundle,
            "EMBEDDED_AWS_NAMES": self.names,
            "EMBEDDED_AWS_SPEED": "" if self.speed is None else f"{self.speed:g}",
        }


# Servers that this very process started: it has to collect them when they end.
_children: dict[int, subprocess.Popen[bytes]] = {}

# Set in a developer's shell, these would outrank the keys above or send requests elsewhere.
UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Started:
    """What `up` did: the state of the running cloud and a sentence about how it came to run."""

    state: State
    story: str


@dataclass(frozen=True)
class Cloud:
    """One embedded AWS by its name; nothing of it need exist yet."""

    name: str = DEFAULT_NAME

    def __post_init__(self) -> None:
        """Raise UsageProblem for a name that is no plain directory name."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", self.name):
            raise UsageProblem(
                f"expected a cloud's name of letters, digits, '-' and '_', found {self.name!r}; choose another --name"
            )

    @property
    def directory(self) -> Path:
        """Where everything of this cloud lies."""
        return CLOUDS / self.name

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory / "server.log"

    def running(self) -> State | None:
        """Return the state of the running cloud, or None when it does not run or is not ready."""
        if self._server_pid() is None:
            return None
        return State.read(self.directory / "state.json")

    def up(
        self, *, port: int | None = None, owned_by: int | None = None, speed: float | None = None
    ) -> Started:
        """Make sure that a cloud of the present sources runs and answers.

        Args:
            port: the AWS APIs' port; a free one when None. A cloud that already runs keeps its own.
            owned_by: the cloud ends when this process has ended.
            speed: as slow as AWS, on a clock that runs so many times faster. None: at the pace of the cloud that runs,
                else as fast as it can.

        Raises:
            UsageProblem: the tools are not installed, or the server did not become ready.
        """
        for tool in (SERVER_PYTHON, LAMBDA_PYTHON):
            if not tool.exists():
                raise UsageProblem(
                    f"expected {tool.relative_to(ROOT)}, found nothing; run ./scripts/setup.sh"
                )
        source = source_digest()
        with _exclusive():
            stories = _sweep(except_for=self.name)
            state = self.running()
            paced = state is not None and speed in (None, state.speed)
            if state is not None and paced and state.source == source and self._answers(state):
                pace = f" ({state.pace})" if state.pace else ""
                return Started(
                    state, " ".join([*stories, f"reused the running cloud at {state.endpoint}{pace}"])
                )
            if self._server_pid() is not None:
                if state is not None and not paced:
                    why = ", since another pace was asked for;"
                elif state is not None and state.source != source:
                    why = ", since the server's sources changed;"
                    speed = state.speed
                else:
                    why = ", which did not answer;"
                stories.append(f"stopped the running cloud{why}")
                self._stop()
            elif self.directory.exists():
                stories.append("swept the remains of a cloud that had died;")
            for pid in list(_children):
                _has_ended(pid)
            self._remove()
            _compile_once(LAMBDA_PYTHON)
            begun = time.monotonic()
            state = self._start(source, port=port, owned_by=owned_by, speed=speed)
            seconds = time.monotonic() - begun
            stories.append(f"started at {state.endpoint} in {seconds:.1f} s (process {state.pid})")
            stories += [f"({state.pace})"] if state.pace else []
            return Started(state, " ".join(stories))

    def down(self) -> bool:
        """Stop the cloud and remove everything of it; return whether there was anything."""
        with _exclusive():
            existed = self.directory.exists()
            self._stop()
            self._remove()
            return existed

    def reset(self) -> None:
        """Empty the running cloud: no resource, no extra port, the same administrator.

        Raises:
            UsageProblem: it does not run, or refused.
        """
        state = self.running()
        if state is None:
            raise UsageProblem(self.not_running())
        try:
            status = self._ask(state, "POST", "/_embedded/reset", RESET_WITHIN)
        except OSError as error:
            raise UsageProblem(
                f"reset of '{self.name}' failed: {error}; see ./scripts/cloud.sh logs"
            ) from error
        if status != HTTPStatus.OK:
            raise UsageProblem(f"reset of '{self.name}' answered {status}; see ./scripts/cloud.sh logs")

    def require(self) -> State:
        """Return the state of the running cloud.

        Raises:
            UsageProblem: it does not run.
        """
        state = self.running()
        if state is None:
            raise UsageProblem(self.not_running())
        return state

    def certificate(self, environment: str) -> Mapping[str, str]:
        """Import the domain's certificate as a deployer imports his own; the template's parameters of that domain.

        A second time it is the same certificate, so that a redeployment changes nothing.

        Raises:
            UsageProblem: the cloud does not run, or refused.
        """
        state = self.require()
        domain = state.names.partition("=")[0]
        session = boto3.Session(state.access_key_id, state.secret_access_key)
        acm = session.client(
            "acm", region_name=CERTIFICATES_REGION, endpoint_url=state.endpoint, verify=state.ca_bundle
        )
        try:
            listed = acm.get_paginator("list_certificates").paginate()
            known = [one for page in listed for one in page["CertificateSummaryList"]]
            again = [one["CertificateArn"] for one in known if one["DomainName"] == f"*.{domain}"]
            leaf, authority = _certificates_in((self.directory / "domain.pem").read_bytes())
            arn = acm.import_certificate(
                Certificate=leaf,
                CertificateChain=authority,
                PrivateKey=(self.directory / "domain.key").read_bytes(),
                **({"CertificateArn": again[0]} if again else {}),
            )["CertificateArn"]
        except (OSError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as problem:
            raise UsageProblem(
                f"the certificate could not be imported: {problem}; see ./scripts/cloud.sh logs"
            ) from problem
        return {
            "AlarmEmail": f"alarms@{domain}",
            "CdnDomainName": f"{environment}-images.{domain}",
            "CdnCertificateArn": arn,
            "SiteDomainName": f"{environment}-app.{domain}",
            "SiteCertificateArn": arn,
        }

    def not_running(self) -> str:
        """What to tell someone who needs the cloud when it does not run."""
        option = "" if self.name == DEFAULT_NAME else f" --name {self.name}"
        return f"the embedded AWS '{self.name}' does not run; start it with ./scripts/cloud.sh up{option}"

    def _server_pid(self) -> int | None:
        """Return the process that holds this cloud's lock, None without one."""
        path = self.directory / "server.lock"
        try:
            with path.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read())
        except (OSError, ValueError):
            pass
        return None

    def _answers(self, state: State) -> bool:
        try:
            return self._ask(state, "GET", "/_ministack/health", ANSWER_WITHIN) == HTTPStatus.OK
        except OSError:
            return False

    def _ask(self, state: State, method: str, path: str, within: timedelta) -> int:
        """Return the status of a request to the cloud, made past any proxy that the caller's shell names."""
        address = urlsplit(state.endpoint)
        connection = http.client.HTTPSConnection(
            address.hostname or "",
            address.port,
            timeout=within.total_seconds(),
            context=ssl.create_default_context(cafile=state.ca_bundle),
        )
        try:
            connection.request(method, path)
            return connection.getresponse().status
        except http.client.HTTPException as error:
            raise ConnectionError(f"{state.endpoint} does not speak HTTP: {error}") from error
        finally:
            connection.close()

    def _start(self, source: str, *, port: int | None, owned_by: int | None, speed: float | None) -> State:
        self.directory.mkdir(mode=0o700, parents=True)
        command = [str(SERVER_PYTHON), "-m", "verification.embedded.server"]
        command += [
            "--directory",
            str(self.directory),
            "--lambda-python",
            str(LAMBDA_PYTHON),
            "--source",
            source,
        ]
        if port is not None:
            command += ["--port", str(port)]
        if owned_by is not None:
            command += ["--owned-by", str(owned_by)]
        if speed is not None:
            command += ["--pessimistic", str(speed)]
        with self.log.open("wb") as log:
            server = subprocess.Popen(
                command,
                cwd=self.directory,
                env=_server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _children[server.pid] = server
        try:
            state = self._await(server)
        except BaseException:
            server.kill()
            server.wait()
            self._remove()
            raise
        if state is not None:
            return state
        status = server.poll()
        if status is None:
            server.kill()
            server.wait()
            happened = f"was not ready within {READY_WITHIN.total_seconds():.0f} s"
        else:
            happened = f"ended with status {status}"
        last = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
        self._remove()
        raise UsageProblem(f"the embedded AWS '{self.name}' {happened}; the end of its log:\n{last}")

    def _await(self, server: subprocess.Popen[bytes]) -> State | None:
        """Wait until the server answers; return None when it ended or the time is up."""
        deadline = time.monotonic() + READY_WITHIN.total_seconds()
        with _Progress(f"starting the embedded AWS '{self.name}'") as progress:
            while server.poll() is None and time.monotonic() < deadline:
                state = State.read(self.directory / "state.json")
                if state is not None and state.pid == server.pid and self._answers(state):
                    return state
                progress.tick()
                time.sleep(POLL.total_seconds())
        return None

    def _stop(self) -> None:
        """End the server: politely, then by force."""
        pid = self._server_pid()
        if pid is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + STOPPED_WITHIN.total_seconds()
            while time.monotonic() < deadline:
                if self._server_pid() is None and _has_ended(pid):
                    return
                time.sleep(POLL.total_seconds())
        raise UsageProblem(f"the embedded AWS '{self.name}' (process {pid}) could not be ended")

    def sweep(self) -> bool:
        """Remove the cloud's directory unless its server lives; return whether it was removed."""
        if self._server_pid() is not None:
            return False
        self._remove()
        return True

    def _remove(self) -> None:
        # A server that has just ended may be removing the same files.
        shutil.rmtree(self.directory, ignore_errors=True)
        if self.directory.exists():
            shutil.rmtree(self.directory)


def _certificates_in(chain: bytes) -> Sequence[bytes]:
    """The certificates of a PEM file, one by one."""
    return re.findall(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", chain, re.DOTALL)


def source_digest() -> str:
    """Return a digest of everything that decides how the server behaves."""
    digest = hashlib.sha256()
    sources = sorted(path for path in SERVER_SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in [*sources, *(python.parents[1] / ".made-from" for python in (SERVER_PYTHON, LAMBDA_PYTHON))]:
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes() if path.exists() else b"")
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _has_ended(pid: int) -> bool:
    """Return whether the process is gone, collecting it when it is this process's child."""
    if pid in _children:
        if _children[pid].poll() is None:
            return False
        del _children[pid]
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Ended, but its parent has not collected it: nothing of it runs any more.
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def _server_environment() -> dict[str, str]:
    """Return the whole environment of the server: nothing of the caller's AWS settings may reach it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        # A thread for each invocation would otherwise leave its own heap behind.
        "MALLOC_ARENA_MAX": "2",
        # MiniStack is large: compiled once, but never into the sources' own directories.
        "PYTHONPYCACHEPREFIX": str(ROOT / ".tools" / "cloud" / "bytecode"),
    }


def _compile_once(python: Path) -> None:
    """Compile an environment's libraries, so that a cold start does not: Lambda's runtime comes compiled."""
    for libraries in python.parents[1].glob("lib/python3.*/site-packages"):
        if not (libraries / "boto3" / "__pycache__").exists():
            subprocess.run([str(python), "-m", "compileall", "-q", "-j", "0", str(libraries)], check=True)


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Let one process at a time start or stop clouds; the lock is on the directory, so it leaves no file."""
    CLOUDS.mkdir(exist_ok=True)
    descriptor = os.open(CLOUDS, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(*, except_for: str) -> list[str]:
    """Remove the directories of clouds whose server has died."""
    stories = []
    for lock in sorted(CLOUDS.glob("*/server.lock")):
        name = lock.parent.name
        if name != except_for and Cloud(name).sweep():
            stories.append(f"swept the remains of '{name}', which had died;")
    return stories


class _Progress:
    """Print dots on a terminal, and nothing elsewhere."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._shown = False
        self._next = time.monotonic() + 0.5

    def __enter__(self) -> Self:
        return self

    def tick(self) -> None:
        if sys.stderr.isatty() and time.monotonic() >= self._next:
            sys.stderr.write("." if self._shown else f"{self._text} .")
            sys.stderr.flush()
            self._shown = True
            self._next += 0.5

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\n")


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.do(options)
    except UsageProblem as problem:
        sys.stderr.write(f"error: {problem}\n")
        return EXIT_USAGE
    return status


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose misuse exits as everything else here does."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how it goes."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cloud", description="The embedded AWS on this machine's loopback.")
    commands = parser.add_subparsers(required=True, metavar="up|down|status|env|certificate|logs|reset")
    for name, do, text in (
        ("up", _up, "start it, or reuse the one that runs"),
        ("down", _down, "stop it and remove everything of it"),
        ("status", _status, "say whether and where it runs; exit 0 when it does"),
        ("env", _env, "print the shell lines that point AWS's clients at it"),
        (
            "certificate",
            _certificate,
            "import the domain's certificate, print the shell line that deploys with it",
        ),
        ("logs", _logs, "print the server's log"),
        ("reset", _reset, "remove every resource in it"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--name", default=DEFAULT_NAME, help=f"which cloud; default: {DEFAULT_NAME}")
        command.set_defaults(do=do)
        if name == "certificate":
            command.add_argument("environment", help="whose deployment gets the names")
        if name == "up":
            command.add_argument("--port", type=int, help="port of the AWS APIs; default: a free one")
            command.add_argument("--owned-by", type=int, metavar="PID", help="end with this process")
            command.add_argument(
                "--pessimistic",
                action="store_true",
                help="with the delays, limits and looseness of AWS at its worst; a cloud of another pace is replaced",
            )
            command.add_argument(
                "--speed",
                type=_speed,
                metavar="N",
                help="for --pessimistic: on a clock that runs N times faster; default: 1",
            )
    return parser


def _speed(text: str) -> float:
    """How many times faster, of what was typed."""
    with contextlib.suppress(ValueError):
        if 1 <= (speed := float(text)) <= FASTEST:
            return speed
    raise argparse.ArgumentTypeError(f"expected a number from 1 to {FASTEST}, found {text!r}")


def _up(options: argparse.Namespace) -> int:
    if options.speed and not options.pessimistic:
        raise UsageProblem("--speed says how fast --pessimistic is; give both or neither")
    speed = (options.speed or 1.0) if options.pessimistic else None
    started = Cloud(options.name).up(port=options.port, owned_by=options.owned_by, speed=speed)
    _tell(f"{options.name}: {started.story}")
    return EXIT_RUNNING


def _down(options: argparse.Namespace) -> int:
    existed = Cloud(options.name).down()
    _tell(f"{options.name}: {'stopped and removed' if existed else 'nothing to stop'}")
    return EXIT_RUNNING


def _status(options: argparse.Namespace) -> int:
    cloud = Cloud(options.name)
    state = cloud.running()
    if state is None:
        _tell(f"{options.name}: not running{' (remains of a dead one)' if cloud.directory.exists() else ''}")
        return EXIT_NOT_RUNNING
    stale = (
        "" if state.source == source_digest() else "; its sources have changed since, run up to restart it"
    )
    pace = f", {state.pace}" if state.pace else ""
    _tell(f"{options.name}: running at {state.endpoint} (process {state.pid}){pace}{stale}")
    return EXIT_RUNNING


def _env(options: argparse.Namespace) -> int:
    state = Cloud(options.name).require()
    for name, value in state.environment().items():
        _tell(f"export {name}={shlex.quote(value)}")
    _tell(f"unset {' '.join(UNSET)}")
    return EXIT_RUNNING


def _certificate(options: argparse.Namespace) -> int:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", options.environment):
        raise UsageProblem(
            f"expected an environment's name, found {options.environment!r}; environments.toml declares them"
        )
    found = Cloud(options.name).certificate(options.environment)
    words = " ".join(f"{name}={value}" for name, value in found.items())
    variable = f"PARAMETERS_{options.environment.upper().replace('-', '_')}"
    _tell(f"export {variable}={shlex.quote(words)}")
    return EXIT_RUNNING


def _logs(options: argparse.Namespace) -> int:
    cloud = Cloud(options.name)
    if not cloud.log.exists():
        raise UsageProblem(cloud.not_running())
    with cloud.log.open(errors="replace") as log:
        shutil.copyfileobj(log, sys.stdout)
    return EXIT_RUNNING


def _reset(options: argparse.Namespace) -> int:
    Cloud(options.name).reset()
    _tell(f"{options.name}: every resource removed")
    return EXIT_RUNNING


if __name__ == "__main__":
    sys.exit(main())
