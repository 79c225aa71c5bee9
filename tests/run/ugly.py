"""An application whose checks end in every ugly way, written into a folder and verified by a pytest of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verification.application import ROOT


@dataclass(frozen=True)
class Ending:
    """How a check ends.

    Args:
        body: what it does, as source.
        outcome: what the report has to say.
        reason: what its reason has to hold.
        fixture: a fixture that it asks for.
        how: what it takes, as the checklist says it.
    """

    body: str
    outcome: str = "unverified"
    reason: str = ""
    fixture: str = ""
    how: str = "static"


def _signal(name: str, reason: str = "", outcome: str = "unverified") -> Ending:
    return Ending(
        f"os.kill(os.getpid(), signal.{name}); time.sleep(0.2)",
        outcome,
        reason or f"signal {name}" * (outcome != "pass"),
    )


_DEADLY = "SIGHUP SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGALRM SIGTERM SIGXCPU SIGVTALRM SIGPROF SIGSYS"

ENDINGS: Mapping[str, Ending] = {
    "it passes": Ending("pass", "pass"),
    "it fails": Ending("assert 2 + 2 == 5", "fail", "expected 5, found 4"),
    **{name: _signal(name) for name in _DEADLY.split()},
    # Python leaves the first two without effect, the others interrupt nothing.
    **{
        name: _signal(name, outcome="pass")
        for name in ("SIGPIPE", "SIGXFSZ", "SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH")
    },
    "SIGINT": _signal("SIGINT", "KeyboardInterrupt"),
    "SIGSTOP": _signal("SIGSTOP", "did not end within"),
    "os._exit(0)": Ending("os._exit(0)", reason="exit status 0"),
    "os._exit(7)": Ending("os._exit(7)", reason="exit status 7"),
    "sys.exit()": Ending("sys.exit()", reason="SystemExit"),
    "sys.exit(text)": Ending("sys.exit('gone')", reason="gone"),
    "pytest.exit": Ending("pytest.exit('enough')", reason="enough"),
    "pytest.skip": Ending("pytest.skip('not today')", reason="not today"),
    "pytest.xfail": Ending("pytest.xfail('known')", reason="known"),
    "pytest.fail": Ending("pytest.fail('it is so')", reason="it is so"),
    "KeyboardInterrupt": Ending("raise KeyboardInterrupt", reason="KeyboardInterrupt"),
    "GeneratorExit": Ending("raise GeneratorExit", reason="GeneratorExit"),
    "BaseException": Ending("raise BaseException('bare')", reason="bare"),
    "CancelledError": Ending("raise asyncio.CancelledError", reason="CancelledError"),
    "StopIteration": Ending("raise StopIteration", reason="StopIteration"),
    "MemoryError": Ending("raise MemoryError", reason="MemoryError"),
    "an exception group": Ending(
        "raise ExceptionGroup('two', [ValueError('a'), OSError('b')])", reason="two"
    ),
    "a group of assertions": Ending("raise ExceptionGroup('two', [AssertionError('a')])", reason="two"),
    "recursion": Ending("def again(): return again()\n    again()", reason="RecursionError"),
    "a hang": Ending(
        "with waiting('a door'): time.sleep(1000)",
        reason="did not end within 3 s, while it waited for a door",
    ),
    "a busy loop": Ending("while True: pass", reason="did not end within 3 s"),
    "a hang that hears nothing": Ending(
        "signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals)); time.sleep(1000)",
        reason="its process was killed",
    ),
    "a hang that swallows": Ending(
        "while True:\n        try: time.sleep(1000)\n        except BaseException: pass",
        reason="its process was killed",
    ),
    "a thread that never ends": Ending("threading.Thread(target=time.sleep, args=(1000,)).start()", "pass"),
    "a child that is left": Ending("subprocess.Popen(['sleep', '1000'], start_new_session=True)", "pass"),
    "a fork that goes on": Ending("os.fork()", "pass"),
    "3 MB": Ending("assert 'x' * 3_000_000 == ''", "fail", "x"),
    "3 MB of lines": Ending("raise RuntimeError('line\\n' * 600_000)", reason="line"),
    "3 MB printed": Ending("print('x' * 3_000_000); assert False, 'printed'", "fail", "printed"),
    "control characters": Ending(r"assert False, 'a\x00\x1b[31m\x07\x9b31m\x7fb'", "fail", "a"),
    "a lone surrogate": Ending(r"assert '\ud800' == ''", "fail"),
    "a lone surrogate raised": Ending(r"raise RuntimeError('\udfff')", reason="RuntimeError"),
    "a lone surrogate printed": Ending(r"print('\ud800'); assert False, 'printed'", "fail", "printed"),
    "a lone surrogate noted": Ending(r"evidence['\ud800'] = '\udc00'", "pass", fixture="evidence"),
    "no character": Ending(r"assert False, 'a\ufffe\uffffb'", "fail", "a"),
    "text turned round": Ending(r"assert False, 'a\u202eb\u2066c'", "fail", "a"),
    "bytes of no text": Ending(r"os.write(1, b'\xff\xfe\x80'); assert False, 'written'", "fail", "written"),
    "markup": Ending(
        "assert False, '</pre></td><script>alert(1)</script>]]>&amp;<![CDATA['", "fail", "script"
    ),
    "markdown": Ending("assert False, '| # [a](b) @everyone <!-- `````'", "fail", "everyone"),
    "a text that is none": Ending(
        "class Odd(Exception):\n        def __str__(self): raise OSError('no text')\n    raise Odd",
        reason="Odd",
    ),
    "a representation that fails": Ending(
        "class Odd:\n        def __repr__(self): raise SystemExit('no text')\n    assert Odd() is None",
        reason="SystemExit",
    ),
    "a fixture that fails": Ending("pass", reason="no ladder", fixture="no_ladder"),
    "a fixture that asserts": Ending("pass", reason="no key", fixture="no_key"),
    "a fixture that kills": Ending("pass", reason="signal SIGKILL", fixture="deadly"),
    "a clean-up that fails": Ending("pass", reason="it is still there", fixture="ladder"),
    "a failure, and a clean-up that fails": Ending("assert False, 'open'", "fail", "open", fixture="ladder"),
    "a clean-up that kills": Ending("pass", reason="signal SIGKILL", fixture="deadly_later"),
    "a clean-up that hangs": Ending("pass", reason="did not end within 15 s", fixture="never_done"),
    "a warning": Ending("warnings.warn('a \\x1b[31m warning \\ud800')", "pass"),
    "closed descriptors": Ending("os.closerange(3, 4096)", reason="its process died"),
    "a folder that is gone": Ending("os.chdir(tmp_path); tmp_path.rmdir()", "pass", fixture="tmp_path"),
}

_CHECKLIST = "### {id} {title}\n\n*low · {how}*\n\nIt holds.\n\n**Why.** It is so.\n\n**Remedy.** None.\n"
_CONFTEST = """
import boto3
from readiness import environment
from readiness.environment import Environment, Settings

pytest_plugins = ["readiness.plugin", "verification.fixtures"]


def connect(application, name, **_):
    found = Environment(Settings(name, "ugly", "us-east-1"), boto3.Session("a", "b", region_name="us-east-1"))
    vars(found).update(emulated=True, account_id="123456789012", preflight=bool, require_stack=bool)
    return found


environment.connect = connect
"""
_HEAD = """
import asyncio, os, signal, subprocess, sys, threading, time, warnings
import pytest
from readiness.progress import waiting

pytestmark = pytest.mark.code

def begun(item):
    with open(os.path.join(os.path.dirname(__file__), "..", "begun"), "a") as file:
        file.write(item + "\\n")

@pytest.fixture
def no_ladder(): raise OSError("no ladder")

@pytest.fixture
def no_key(): assert False, "no key"

@pytest.fixture
def deadly(): os.kill(os.getpid(), signal.SIGKILL)

@pytest.fixture
def deadly_later():
    yield
    os.kill(os.getpid(), signal.SIGKILL)

@pytest.fixture
def ladder():
    yield
    raise OSError("it is still there")

@pytest.fixture
def never_done():
    yield
    time.sleep(1000)
"""


@dataclass(frozen=True)
class Application:
    """A checklist, its checks, and an environment that needs no AWS.

    Args:
        folder: where it lies.
        endings: of its checks, by title; their items are CODE-01 and so on.
    """

    folder: Path
    endings: Mapping[str, Ending]

    def __post_init__(self) -> None:
        checks, items = [_HEAD], []
        for number, (title, ending) in enumerate(self.endings.items(), 1):
            item = f"CODE-{number:02}"
            items.append(_CHECKLIST.format(id=item, title=title.capitalize(), how=ending.how))
            checks.append(
                f'\n@pytest.mark.item("{item}")\ndef test_{number:02}({ending.fixture}):\n'
                f'    begun("{item}")\n    {ending.body}\n'
            )
        for name, text in {
            "PRODUCTION_CHECKLIST.md": "\n".join(["## Code\n", *items]),
            "environments.toml": '[staging]\nstack = "ugly"\nregion = "us-east-1"\n',
            "template.yaml": "",
            "readiness.toml": 'prices = "verification.costs:PRICES_OF_RUN"\n',
            "conftest.py": _CONFTEST,
            "checks/test_code.py": "".join(checks),
        }.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    @property
    def reports(self) -> Path:
        return self.folder / "reports" / "staging"

    def command(self, *arguments: str) -> list[str]:
        plugins = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:schemathesis")
        where = ("--rootdir", ".", "-c", os.devnull, "--env", "staging")
        return [sys.executable, "-m", "pytest", "checks", *where, *plugins, *arguments]

    def variables(self, temporary: Path) -> dict[str, str]:
        """The environment of a run whose temporary files are all in one folder."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_"))
        }
        return {**kept, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, *arguments: str, temporary: Path, **options: object) -> subprocess.Popen[bytes]:
        """A run under way."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.variables(temporary),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        )

    def begun(self) -> list[str]:
        """The items whose checks have been started, one for each start."""
        file = self.folder / "begun"
        return file.read_text().split() if file.exists() else []

    def report(self) -> dict:
        return json.loads((self.reports / "verification.json").read_bytes())
