"""The runtime of a Python function: runs in the isolated interpreter, imports the handler, serves invocations.

It speaks to the server over two descriptors that the handler never sees: a control socket (one JSON object a
line, both ways) and its standard input, which the server holds open for as long as it lives. Standard output and
error are one pipe, read line by line as log events.

Nothing here may be importable by the handler except under the names that Lambda's own runtime has.
"""

import _thread
import decimal
import importlib
import importlib.util
import io
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

# Stands for a line break inside one log event, and marks the end of an invocation's output; functions.py knows both.
INNER_BREAK = "\x1e"
END_OF_OUTPUT = b"\x1d"
TASK_ROOT = "/var/task"


class Channel:
    """The control socket to the server, and the log pipe's private end that marks where an answer's output ends."""

    def __init__(self, descriptor: int) -> None:
        self._control = socket.socket(fileno=descriptor)
        self._incoming = self._control.makefile("rb")
        self._output = os.dup(1)

    def receive(self) -> dict[str, Any] | None:
        """Return the next message, None when the server has closed the socket."""
        line = self._incoming.readline()
        message: dict[str, Any] | None = json.loads(line) if line else None
        return message

    def answer(self, **message: object) -> None:
        """Send an answer, after everything that has been printed."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.write(self._output, END_OF_OUTPUT)
        self._control.sendall(json.dumps({**message, "peak_kb": peak_memory_kb()}).encode() + b"\n")


def main(descriptor: int) -> None:
    """Import the handler, then serve invocations until the server closes the control socket."""
    die_with_server()
    channel = Channel(descriptor)
    init = channel.receive()
    if init is None:
        return
    resolve_only(init["hosts"])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    records = log_like_lambda()
    sys.path[:0] = [init["task_root"], *init["layer_paths"]]
    for name in init["unset"]:
        os.environ.pop(name, None)
    depth = InvocationDepth(init["depth_header"])
    sys.meta_path.insert(0, depth)
    try:
        handler = load(init["handler"])
        run_snapshot_hooks(wanted=init["snapshot"])
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
        failure = describe(error, init["task_root"])
        report(failure)
        channel.answer(kind="init error", failure=failure)
        return
    channel.answer(kind="ready")
    while (invocation := channel.receive()) is not None:
        records.request_id = invocation["request_id"]
        depth.value = invocation["depth"]
        serve(handler, invocation, channel, init["task_root"])
        records.request_id = ""


def serve(handler: Any, invocation: dict[str, Any], channel: Channel, task_root: str) -> None:
    """Run the handler once and answer with its result or its exception."""
    set_variables(invocation["variables"])
    context = LambdaContext(invocation)
    try:
        payload = encode(handler(invocation["event"], context))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it and the runtime goes on
        failure = {**describe(error, task_root), "requestId": context.aws_request_id}
        report(failure)
        channel.answer(kind="error", failure=failure)
    else:
        channel.answer(kind="result", payload=payload)


def die_with_server() -> None:
    """End this process and its children when the server is gone, however it went.

    The server holds the other end of standard input; only its death closes it. The thread is none of
    threading's, so the handler sees no thread but its own.
    """
    lifeline = os.dup(0)
    os.set_inheritable(lifeline, False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    _thread.start_new_thread(wait, ())


def resolve_only(hosts: dict[str, int]) -> None:
    """Let the function reach loopback and, by their real names, the simulated vendors; refuse the rest.

    A host of `hosts` resolves to its port on loopback for any requested port, since on this machine only the
    simulation may answer in its name.
    """
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **keywords: Any) -> Any:
        name = host.decode("idna") if isinstance(host, (bytes, bytearray)) else host
        simulated = hosts.get(name.rstrip(".").lower()) if name else None
        if simulated is not None:
            return real("127.0.0.1", simulated, *arguments, **keywords)
        if not is_loopback(name):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, port, *arguments, **keywords)

    def gethostbyname(host: Any) -> Any:
        return getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            return
        address = arguments[1]
        if isinstance(address, tuple) and not is_loopback(address[0]):
            raise OSError(
                101, f"Network is unreachable: a function here reaches loopback alone, not {address[0]}"
            )

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname
    socket.gethostbyname_ex = lambda host: (host, [], [gethostbyname(host)])
    sys.addaudithook(audit)


def is_loopback(name: object) -> bool:
    """Return whether `name` needs no other machine; None is what a listening socket asks for."""
    if isinstance(name, (bytes, bytearray)):
        name = name.decode(errors="replace")
    return not name or name in ("localhost", "::1") or (isinstance(name, str) and name.startswith("127."))


class RequestFilter(logging.Filter):
    """Gives every record the id of the invocation that it belongs to."""

    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id; keep every record."""
        record.aws_request_id = self.request_id
        return True


class OneEventFormatter(logging.Formatter):
    """Lambda's line format, with a record of several lines kept in one log event."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Format the record, its line breaks hidden until the server has split the events."""
        return super().format(record).replace("\n", INNER_BREAK)


def log_like_lambda() -> RequestFilter:
    """Give the root logger the handler that Lambda's runtime gives it; its level stays WARNING, as there."""
    records = RequestFilter()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        OneEventFormatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
    )
    handler.addFilter(records)
    logging.getLogger().addHandler(handler)
    return records


class RuntimeFailure(Exception):
    """A failure that Lambda's runtime names itself; carries that name."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def load(name: str) -> Any:
    """Return the handler `package.module.function`.

    Raises:
        RuntimeFailure: as Lambda names what is wrong with it.
    """
    module_name, _, function_name = name.replace("/", ".").rpartition(".")
    if not module_name:
        raise RuntimeFailure(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack"
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise RuntimeFailure(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    except SyntaxError as error:
        raise RuntimeFailure(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        ) from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        raise RuntimeFailure(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from error


def run_snapshot_hooks(*, wanted: bool) -> None:
    """Run SnapStart's hooks around the snapshot that a published version would be restored from."""
    if not wanted or importlib.util.find_spec("snapshot_restore_py") is None:
        return
    hooks = importlib.import_module("snapshot_restore_py")
    for function, arguments, keywords in [*reversed(hooks.get_before_snapshot()), *hooks.get_after_restore()]:
        function(*arguments, **keywords)


def encode(result: object) -> str:
    """Return the handler's result as JSON.

    Raises:
        RuntimeFailure: it has no JSON form.
    """
    try:
        return json.dumps(result, ensure_ascii=False, default=decimal_number)
    except (TypeError, ValueError) as error:
        raise RuntimeFailure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def decimal_number(value: object) -> float:
    """Return a Decimal, as DynamoDB gives, as a number."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def describe(error: BaseException, task_root: str) -> dict[str, object]:
    """Return Lambda's error object; frames of this runtime are left out, the code lies in /var/task."""
    if isinstance(error, RuntimeFailure):
        return {"errorMessage": str(error), "errorType": error.error_type, "requestId": "", "stackTrace": []}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_runtime(frame.filename)]
    lines = [line.replace(task_root, TASK_ROOT) for line in traceback.format_list(frames)]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": "",
        "stackTrace": lines,
    }


def is_runtime(filename: str) -> bool:
    """Return whether a frame is this file's or the import system's."""
    return (
        filename == __file__
        or filename.startswith("<frozen importlib")
        or Path(filename).parent.name == "importlib"
    )


def report(failure: dict[str, object]) -> None:
    """Log a failure as one event."""
    lines = [
        f"[ERROR] {failure['errorType']}: {failure['errorMessage']}",
        "Traceback (most recent call last):",
    ]
    text = "\n".join(lines) + "\n" + "".join(failure["stackTrace"])  # type: ignore[arg-type]
    sys.stdout.write(text.rstrip("\n").replace("\n", INNER_BREAK) + "\n")


class LambdaContext:
    """What the handler's second argument offers."""

    client_context = None
    identity = None

    def __init__(self, invocation: dict[str, object]) -> None:
        self.aws_request_id = invocation["request_id"]
        self.invoked_function_arn = invocation["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = float(invocation["deadline"])  # type: ignore[arg-type]

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take."""
        return max(0, int((self._deadline - time.time()) * 1000))


def set_variables(variables: dict[str, str | None]) -> None:
    """Set the environment variables that change with every invocation; None removes one."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class InvocationDepth:
    """An import hook that makes botocore send, with each call, its depth in a chain of invocations.

    Without it a function that invokes itself would continue until the machine is full. The hook is in sys.meta_path
    until the handler imports botocore: importing it without need would take most of a cold start.
    """

    value: int | None = None

    def __init__(self, header: str) -> None:
        self._header = header

    def find_spec(self, name: str, *_: Any) -> Any:
        """Let the usual finders find botocore's handlers, and add one to them."""
        if name != "botocore.handlers":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                module.BUILTIN_HANDLERS.append(("before-call", self._add))

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _add(self, params: dict[str, Any], **_: Any) -> None:
        if self.value is not None:
            params["headers"][self._header] = str(self.value)


def peak_memory_kb() -> int:
    """Return the most memory that this process has held.

    Not getrusage on Linux: there a new process inherits the peak of the server that made it.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
