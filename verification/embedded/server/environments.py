"""Lambda's execution environments for Python functions: one isolated process each, frozen between invocations.

Source: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle", "Using Lambda environment
variables", "Building with Python".
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import weakref
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, ClassVar

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(
    lambda_runtime,
    "DURABLE_ENV_VARS",
    "HOST_PREFIX_ENV",
    "INVOKE_DEPTH_HEADER",
    "Worker",
    "_RESERVED_RUNTIME_ENV_VARS",
    "_account_region_from_function_config",
    "_worker_key",
    "_workers",
    "acquire_worker",
    "execution_credentials",
    "release_worker",
)
require(lambda_runtime.Worker, "_discard_tmpdir", "_spawn", "invoke")
require(lambda_svc, "_esm_wake", "_iter_all_esms", "_resolve_layer_zip")

BOOTSTRAP = Path(__file__).resolve().parent / "runtime" / "bootstrap.py"
# As in runtime/bootstrap.py, which cannot import this module.
INNER_BREAK = "\x1e"
END_OF_OUTPUT = b"\x1d"

INIT_LIMIT_SECONDS = 10.0
# On AWS each environment has its own machine. Here starting environments would take the processors from those that
# serve. Slow answers would start more of them. Background work would delay requests with a waiting caller.
STARTS_AT_ONCE = max(2, os.cpu_count() or 1)
BACKGROUND_NICENESS = 10
CHUNK_BYTES = 1 << 16
KIB_PER_MB = 1024


@dataclass(frozen=True)
class Line:
    """One log event: when it was written (milliseconds since the epoch) and its text."""

    timestamp: int
    message: str


@dataclass
class Outcome:
    """What one invocation came to.

    Attributes:
        payload: the handler's result as JSON; None when it failed.
        failure: Lambda's error object; None when it succeeded.
        status: the word of the REPORT line for an invocation that Lambda ended, "" otherwise.
        init_seconds: set on a cold start alone.
    """

    payload: str | None = None
    failure: dict[str, Any] | None = None
    status: str = ""
    duration_seconds: float = 0.0
    init_seconds: float | None = None
    peak_memory_mb: int = 0
    init_lines: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    log_group: str = ""
    log_stream: str = ""


class _Process(subprocess.Popen[bytes]):
    """A process that leads a group; ending it ends the group, frozen or not, as Lambda ends an environment."""

    def terminate(self) -> None:
        """End the whole group at once."""
        self.signal_group(signal.SIGKILL)

    kill = terminate

    @property
    def lifeline(self) -> IO[bytes]:
        """The descriptor whose closing tells the process that the server has gone."""
        if self.stdin is None:
            raise ValueError("start it with stdin=PIPE")
        return self.stdin

    def freeze(self) -> None:
        """Stop the group, and wait until its leader has stopped.

        The kernel ends the frozen processes of a server that died; one that was still about to freeze then would be
        overlooked, and stay.
        """
        self.signal_group(signal.SIGSTOP)
        if sys.platform == "darwin":  # whose os has no waitid before Python 3.13
            return
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def signal_group(self, number: int) -> None:
        """Send a signal to the group while its leader holds the number, so that no other process can have it."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


class _DiedError(Exception):
    """The environment's process ended before it answered."""


class _TimeoutError(Exception):
    """The deadline passed before an answer."""


class Environment(lambda_runtime.Worker):  # type: ignore[misc]
    """One execution environment; it replaces MiniStack's Worker.

    MiniStack leases it for an invocation at a time (`acquire_worker`), reaps it when idle and discards it when the
    function changes.
    """

    context: Context
    _alive: ClassVar[weakref.WeakSet[Environment]] = weakref.WeakSet()
    _closed: ClassVar[bool] = False
    _unready: ClassVar[set[Environment]] = set()
    _turns: ClassVar[threading.Condition] = threading.Condition()
    _proc: _Process | None
    _tmpdir: str | None

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        super().__init__(func_name, config, code_zip)
        self._alive.add(self)
        # Until the process is started, these three stand for nothing.
        self._control: socket.socket
        self._output = -1
        self._selector: selectors.BaseSelector
        self._lines: list[Line] = []
        self._partial = b""
        self._init_seconds = 0.0
        self._init_lines: list[Line] = []
        self._peak_kb = 0
        self._log_group = ""
        self._log_stream = ""

    @classmethod
    def end_all(cls, *, for_good: bool = False) -> None:
        """End every environment, busy or not; `for_good` lets none start again."""
        cls._closed = cls._closed or for_good
        for environment in list(cls._alive):
            process = environment._proc
            if process is not None:
                process.terminate()

    @classmethod
    def some_start(cls) -> bool:
        """Whether any environment is being made ready."""
        return bool(cls._unready)

    @classmethod
    def lease(cls, func_name: str, config: dict[str, Any], code_zip: bytes, qualifier: str) -> Environment:
        """Return an idle environment, or a new one once few enough others start: whichever can be had first."""
        key = lambda_runtime._worker_key(func_name, config, qualifier)

        def can_be_had() -> bool:
            idle = any(not worker.in_use for worker in lambda_runtime._workers.get(key, ()))
            return idle or len(cls._unready) < STARTS_AT_ONCE

        with cls._turns:
            cls._turns.wait_for(can_be_had)
            leased: Environment = lambda_runtime.acquire_worker(
                func_name, config, code_zip, qualifier=qualifier
            )[0]
            if leased._proc is None:
                cls._unready.add(leased)
        return leased

    def give_back(self) -> None:
        """End the lease."""
        lambda_runtime.release_worker(self)
        self._let_others_start()

    def _let_others_start(self) -> None:
        with self._turns:
            self._unready.discard(self)
            self._turns.notify_all()
        lambda_svc._esm_wake.set()

    def retire(self) -> None:
        """End once idle: the function has changed, but an invocation under way may finish, as on AWS."""
        threading.Thread(target=self._end_retired, name=f"retire-{self.func_name}", daemon=True).start()

    def _end_retired(self) -> None:
        with self._lock:
            self._end()
            self._discard_tmpdir()

    def run(
        self,
        event: object,
        request_id: str,
        *,
        function_arn: str,
        trace_id: str | None = None,
        depth: int | None = None,
        durable: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Serve one invocation; start the process first when there is none."""
        with self._lock:
            outcome = Outcome()
            timeout = float(self.config.get("Timeout", 3))
            if self._proc is None or self._proc.poll() is not None:
                try:
                    self._start(timeout)
                except _InitError as error:
                    outcome.failure = {**error.failure, "requestId": request_id}
                    outcome.status = error.status
                    self._end()
                self._let_others_start()
                self._cold = True
            if self._cold:
                outcome.init_seconds, outcome.init_lines = self._init_seconds, self._init_lines
                self._cold = False
            outcome.log_group, outcome.log_stream = self._log_group, self._log_stream
            if self._proc is not None:
                self._serve(
                    self._proc,
                    outcome,
                    timeout,
                    {
                        "event": event,
                        "request_id": request_id,
                        "function_arn": function_arn,
                        "deadline": time.time() + timeout,
                        "depth": depth,
                        "variables": {
                            "_X_AMZN_TRACE_ID": trace_id or None,
                            **dict.fromkeys(lambda_runtime.DURABLE_ENV_VARS),
                            **(durable or {}),
                        },
                    },
                )
            return outcome

    def invoke(self, event: object, request_id: str, **details: Any) -> dict[str, Any]:
        """Serve one invocation in the form that MiniStack's own callers read."""
        outcome = self.run(
            event,
            request_id,
            function_arn=details.get("invoked_function_arn") or self.config.get("FunctionArn", ""),
            trace_id=details.get("trace_id"),
            depth=details.get("depth"),
            durable=details.get("durable"),
        )
        log = "\n".join(line.message for line in outcome.lines)
        if outcome.failure is not None:
            return {"status": "error", "error": outcome.failure["errorMessage"], "log": log}
        return {"status": "ok", "result": json.loads(outcome.payload or "null"), "log": log}

    def _serve(self, process: _Process, outcome: Outcome, timeout: float, invocation: dict[str, Any]) -> None:
        started = time.monotonic()
        self._lines = outcome.lines
        try:
            process.signal_group(signal.SIGCONT)
            answer = self._exchange(invocation, started + timeout)
        except _TimeoutError:
            self._end()
            outcome.peak_memory_mb = self._peak_memory_mb
            outcome.duration_seconds = timeout
            outcome.status = "timeout"
            text = f"Task timed out after {timeout:.2f} seconds"
            outcome.failure = failure_of("Sandbox.Timedout", text, invocation["request_id"])
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            outcome.lines.append(Line(now_ms(), f"{now}Z {invocation['request_id']} {text}\n"))
            return
        except _DiedError as error:
            outcome.duration_seconds = time.monotonic() - started
            outcome.status = "error"
            self._end()
            outcome.peak_memory_mb = self._peak_memory_mb
            outcome.failure = failure_of("Runtime.ExitError", str(error), invocation["request_id"])
            return
        outcome.duration_seconds = time.monotonic() - started
        outcome.peak_memory_mb = self._peak_memory_mb
        outcome.payload = answer.get("payload")
        outcome.failure = answer.get("failure")
        if outcome.peak_memory_mb > int(self.config.get("MemorySize", 128)):
            self._end()
            outcome.payload, outcome.status = None, "error"
            outcome.failure = failure_of(
                "Runtime.OutOfMemory", "Runtime exited with error: signal: killed", invocation["request_id"]
            )
            return
        process.freeze()

    def _spawn(self) -> None:
        """Start the process outside an invocation, as SnapStart does."""
        try:
            self._start(float(self.config.get("Timeout", 3)))
        except _InitError as error:
            self._end()
            raise RuntimeError(error.failure["errorMessage"]) from error

    def _start(self, timeout: float) -> None:
        """Unpack the code, start the interpreter and import the handler.

        Raises:
            _InitError: the handler could not be imported, or not in time.
        """
        self._end()
        self._discard_tmpdir()
        if self._closed:
            raise _InitError(
                failure_of("Runtime.ExitError", "the embedded AWS is being stopped", ""), "error"
            )
        directory = Path(tempfile.mkdtemp(prefix="environment-", dir=self.context.directory / "tmp"))
        self._tmpdir = str(directory)
        task_root, opt, scratch = directory / "task", directory / "opt", directory / "tmp"
        for part in (task_root, opt, scratch):
            part.mkdir()
        unpack([self.code_zip], task_root)
        layers = (lambda_svc._resolve_layer_zip(reference) for reference in self.config.get("Layers") or [])
        unpack([layer for layer in layers if layer], opt)
        self._name_log()

        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        begun = time.monotonic()
        try:
            self._proc = _Process(
                [
                    str(self.context.lambda_python),
                    *("-I", "-B", "-X", "utf8"),
                    str(BOOTSTRAP),
                    str(theirs.fileno()),
                ],
                cwd=task_root,
                env=self._variables(task_root, scratch),
                stdin=subprocess.PIPE,
                stdout=write_end,
                stderr=write_end,
                pass_fds=(theirs.fileno(),),
                # A group in the server's own session: when the server dies, the kernel ends even a frozen one.
                process_group=0,
            )
            if self._is_fed_by_a_queue():
                with contextlib.suppress(ProcessLookupError):
                    os.setpriority(os.PRIO_PROCESS, self._proc.pid, BACKGROUND_NICENESS)
        finally:
            theirs.close()
            os.close(write_end)
        ours.setblocking(False)
        os.set_blocking(read_end, False)
        self._control, self._output = ours, read_end
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)
        self._selector.register(read_end, selectors.EVENT_READ)
        self._lines = self._init_lines = []
        variables = self._variables(task_root, scratch)
        init = {
            # Python sets it where the machine lacks LANG's locale; Lambda has the locale, and no such variable.
            "unset": [] if "LC_CTYPE" in variables else ["LC_CTYPE"],
            "task_root": str(task_root),
            "layer_paths": [str(path) for path in (opt / "python", *opt.glob("python/lib/*/site-packages"))],
            "handler": self.config.get("Handler", ""),
            "hosts": dict.fromkeys(self.context.vendor_hosts, self.context.providers_port),
            "snapshot": (self.config.get("SnapStart") or {}).get("OptimizationStatus") == "On",
            "depth_header": lambda_runtime.INVOKE_DEPTH_HEADER,
        }
        try:
            # Lambda stops a slow init after ten seconds and starts it again within the function's own time-out.
            answer = self._exchange(init, begun + INIT_LIMIT_SECONDS + timeout)
        except _TimeoutError as error:
            text = f"Task timed out after {timeout:.2f} seconds"
            raise _InitError(failure_of("Sandbox.Timedout", text, ""), "timeout") from error
        except _DiedError as error:
            raise _InitError(failure_of("Runtime.ExitError", str(error), ""), "error") from error
        finally:
            self._init_seconds = time.monotonic() - begun
        if answer["kind"] != "ready":
            raise _InitError(answer["failure"], "error")

    def _is_fed_by_a_queue(self) -> bool:
        return any(
            source.get("FunctionName") == self.func_name for _, _, source in lambda_svc._iter_all_esms()
        )

    def _exchange(self, message: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Send a message and return the answer; collect log lines meanwhile.

        Raises:
            _TimeoutError: no complete answer before `deadline`.
            _DiedError: the process ended.
        """
        outgoing = bytearray(json.dumps(message).encode() + b"\n")
        answer = bytearray()
        finished = False
        self._selector.modify(self._control, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while not (finished and answer.endswith(b"\n")):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self._read_output()
                raise _TimeoutError
            for key, events in self._selector.select(remaining):
                if key.fileobj == self._output:
                    finished |= self._read_output()
                    continue
                try:
                    self._converse(events, outgoing, answer)
                except ConnectionError as error:
                    self._read_output()
                    raise _DiedError(self._last_words()) from error
        result: dict[str, Any] = json.loads(answer)
        self._peak_kb = result["peak_kb"]
        return result

    def _converse(self, events: int, outgoing: bytearray, answer: bytearray) -> None:
        """Move what the control socket is ready for."""
        with contextlib.suppress(BlockingIOError):
            if events & selectors.EVENT_WRITE:
                del outgoing[: self._control.send(outgoing)]
                if not outgoing:
                    self._selector.modify(self._control, selectors.EVENT_READ)
            if events & selectors.EVENT_READ:
                received = self._control.recv(CHUNK_BYTES)
                if not received:
                    raise ConnectionResetError
                answer += received

    def _read_output(self) -> bool:
        """Take what the process has printed; return whether the end of the invocation's output was in it."""
        finished = False
        while True:
            try:
                chunk = os.read(self._output, CHUNK_BYTES)
            except BlockingIOError:
                return finished
            if not chunk:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(self._output)
                self._flush_partial()
                return finished
            timestamp = now_ms()
            if END_OF_OUTPUT in chunk:
                finished = True
            *complete, self._partial = (self._partial + chunk).split(b"\n")
            for line in complete:
                self._add_line(timestamp, line)
            if END_OF_OUTPUT in self._partial:
                self._flush_partial()

    def _flush_partial(self) -> None:
        rest, self._partial = self._partial, b""
        if rest.replace(END_OF_OUTPUT, b""):
            self._add_line(now_ms(), rest)

    def _add_line(self, timestamp: int, line: bytes) -> None:
        text = line.replace(END_OF_OUTPUT, b"").decode(errors="replace").replace(INNER_BREAK, "\n")
        self._lines.append(Line(timestamp, f"{text}\n"))

    def _last_words(self) -> str:
        """Return how the process ended, in Lambda's words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._proc.wait(timeout=1) if self._proc is not None else 0
            if status < 0:
                return f"Runtime exited with error: signal: {signal.Signals(-status).name}"
            if status > 0:
                return f"Runtime exited with error: exit status {status}"
        return "Runtime exited without providing a reason"

    @property
    def _peak_memory_mb(self) -> int:
        """The most memory that the process is known to have held."""
        return -(-self._peak_kb // KIB_PER_MB)

    def _end(self) -> None:
        """End the process and let go of its descriptors."""
        process, self._proc = self._proc, None
        if process is not None:
            process.terminate()
            process.wait()
            process.lifeline.close()
        self._release()

    def _release(self) -> None:
        if self._output >= 0:
            self._selector.close()
            self._control.close()
            os.close(self._output)
            self._output = -1
        self._partial = b""

    def _discard_tmpdir(self) -> None:
        """Called by MiniStack when it has ended the process."""
        self._release()
        if self._tmpdir:
            shutil.rmtree(self._tmpdir, ignore_errors=True)
            self._tmpdir = None

    def _name_log(self) -> None:
        version = self.config.get("Version", "$LATEST")
        self._log_group = (self.config.get("LoggingConfig") or {}).get(
            "LogGroup"
        ) or f"/aws/lambda/{self.func_name}"
        self._log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{uuid.uuid4().hex}"

    def _variables(self, task_root: Path, scratch: Path) -> dict[str, str]:
        """Return the whole environment: the function's variables, Lambda's, and what leads to this cloud."""
        _, region = lambda_runtime._account_region_from_function_config(self.config)
        configured = (self.config.get("Environment") or {}).get("Variables") or {}
        bundle = str(self.context.ca_bundle)
        leading_here = {
            "AWS_ENDPOINT_URL": self.context.endpoint,
            "AWS_CA_BUNDLE": bundle,
            "REQUESTS_CA_BUNDLE": bundle,
            "SSL_CERT_FILE": bundle,
            # Host prefixes would leave loopback.
            lambda_runtime.HOST_PREFIX_ENV: "true",
            # Lambda has /tmp and no home; here each environment has its own, away from the developer's.
            "TMPDIR": str(scratch),
            "HOME": str(scratch),
        }
        reserved = {
            "_HANDLER": self.config.get("Handler", ""),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.config.get('Runtime', '')}",
            "AWS_LAMBDA_FUNCTION_NAME": self.func_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": self.config.get("Version", "$LATEST"),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self._log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._log_stream,
            "LAMBDA_TASK_ROOT": str(task_root),
            "LAMBDA_RUNTIME_DIR": str(BOOTSTRAP.parent),
            **lambda_runtime.execution_credentials(self.config),
        }
        system = {
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        }
        own = {
            name: in_template_words(value)
            for name, value in configured.items()
            if name not in lambda_runtime._RESERVED_RUNTIME_ENV_VARS
        }
        return {**system, **leading_here, **own, **reserved}


class _InitError(Exception):
    """The environment could not be made ready."""

    def __init__(self, failure: dict[str, Any], status: str) -> None:
        super().__init__(failure["errorMessage"])
        self.failure = failure
        self.status = status


def failure_of(error_type: str, text: str, request_id: str) -> dict[str, Any]:
    """Return Lambda's error object for a failure of the environment rather than of the handler."""
    return {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {text}"}


def in_template_words(value: object) -> str:
    """Return a variable's value as CloudFormation hands it to Lambda: `true` for a boolean, digits for a number."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unpack(archives: Iterable[bytes], directory: Path) -> None:
    """Extract archives one over the other; zipfile keeps every member inside `directory`."""
    for archive in archives:
        with zipfile.ZipFile(io.BytesIO(archive)) as content:
            for member in content.infolist():
                path = content.extract(member, directory)
                if (mode := member.external_attr >> 16) & 0o111 and not member.is_dir():
                    Path(path).chmod(mode & 0o777 | 0o400)


def now_ms() -> int:
    """Return the time in milliseconds since the epoch, as log events carry it."""
    return time.time_ns() // 1_000_000
