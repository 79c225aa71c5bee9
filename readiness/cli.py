"""usage: verify-stack [--env NAME] [pytest's options] | --replay DIR | --static | --graph [FILE] | history | init.

Verify the application in this folder: its deployed stack against the catalogue and the application's own items.

  verify-stack                     the environment 'local', or the only one that samconfig.toml declares
  verify-stack --env staging       another one; pytest's options work: -m security, -n 4, -k, -x
  verify-stack --replay recording  judge a recording again, without AWS; made by --record recording
  verify-stack --static            what can be seen in files, without AWS
  verify-stack --graph             print what the stack consists of; --graph stack.svg draws it
  verify-stack --list-items        every item; --explain SQS-01 explains one
  verify-stack history             the kept runs of an environment: verdicts, items that changed, time by section
  verify-stack init                write a starter: environments, one own item with its check, a workflow

Exit status: 0 when every selected item that applies passes or is waived, 1 when not, 4 when the run could not start.
Of a replay: 6 when every item ends as recorded, 1 when not.
"""

from __future__ import annotations

import glob
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from readiness.application import Application
from readiness.errors import Unverified, UsageProblem
from readiness.suite import CATALOGUE

if TYPE_CHECKING:
    from readiness.environment import Environment

EXIT_USAGE = 4
_DEFAULT = "local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    folder = Path.cwd()
    try:
        if words[:1] == ["init"]:
            return _initialise(folder, words[1:])
        if {"-h", "--help"} & {*words}:
            print(__doc__)
            return 0
        application = _application(folder)
        if words[:1] == ["history"]:
            return _history(application, words[1:])
        if "--graph" in words:
            return _graph(application, words)
        _verify(application, words)
    except (UsageProblem, Unverified) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return EXIT_USAGE


def _application(folder: Path) -> Application:
    application = Application.of(folder)
    if not application.template.is_file():
        raise UsageProblem(
            f"expected a template in {folder}, found no {application.template.relative_to(folder)}; "
            'go to the application\'s folder, or name the template in readiness.toml: template = "infra/template.yaml"'
        )
    return application


def _verify(application: Application, words: Sequence[str]) -> NoReturn:
    """Run pytest over the catalogue's checks and the application's own."""
    is_chosen = "--static" in words or _value(words, "--env") or _value(words, "--replay")
    chosen = [] if is_chosen else ["--env", _environment(application)]
    checks = [CATALOGUE / "checks"]
    if application.checklist.is_file():
        checks.append(application.checks)
    # pytest alone can tell a path from an option's value: what it calls testpaths is used where no path is named.
    usual = " ".join(shlex.quote(glob.escape(str(path))) for path in checks)
    # In the place of this process, for pytest has to see the engine's modules before anything imports them.
    os.execv(  # noqa: S606  # no shell is wanted
        sys.executable,
        [
            *(sys.executable, "-m", "pytest", "-p", "readiness.plugin", "-p", "readiness.fixtures"),
            *("-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(application.folder)),
            # The report says what was found; --tb=long shows a check's code too.
            *("-o", f"testpaths={usual}", "--tb=no"),
            *("--import-mode=importlib", "--strict-markers", "-o", "enable_assertion_pass_hook=true"),
            *("--application", str(application.folder), *chosen, *words),
        ],
    )


def _environment(application: Application) -> str:
    """The environment of a run that names none.

    Raises:
        UsageProblem: several could be meant.
    """
    from readiness import environment  # noqa: PLC0415  # takes half a second, which a verification does not need

    names = environment.names(application)
    if _DEFAULT in names:
        return _DEFAULT
    if len(names) > 1:
        raise UsageProblem(f"expected --env with one of {', '.join(names)}, found none")
    return names[0]


def _connected(application: Application, words: Sequence[str]) -> Environment:
    from readiness import environment  # noqa: PLC0415  # takes half a second, which a verification does not need

    env = environment.connect(application, _value(words, "--env") or _environment(application))
    env.preflight()
    env.require_stack()
    return env


def _graph(application: Application, words: Sequence[str]) -> int:
    """Print the graph, or draw it where a file is named."""
    from readiness.discovery import live, show  # noqa: PLC0415  # takes half a second, which a verification does not need

    graph = live.read(_connected(application, words))
    after = words[words.index("--graph") + 1 :]
    if after and not after[0].startswith("-"):
        Path(after[0]).write_text(show.svg(graph), encoding="utf-8")
        print(f"wrote {after[0]}")
    else:
        print(show.text(graph))
    return 0


def _initialise(folder: Path, words: Sequence[str]) -> int:
    if words:
        raise UsageProblem(f"init takes no arguments, found {' '.join(words)}")
    from readiness import starter  # noqa: PLC0415  # takes half a second, which a verification does not need

    for line in starter.write(_application(folder)):
        print(line)
    return 0


def _history(application: Application, words: Sequence[str]) -> int:
    """Print the kept runs of an environment."""
    from readiness.report import __main__ as report  # noqa: PLC0415  # takes half a second, which a verification does not need

    name = _value(words, "--env") or _environment(application)
    return report.main(["history", str(application.folder / "reports" / name)])


def _value(words: Sequence[str], option: str) -> str:
    """What an option is given, '' where it is not."""
    for number, word in enumerate(words):
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
        if word == option and number + 1 < len(words):
            return words[number + 1]
    return ""


if __name__ == "__main__":
    sys.exit(main())
