"""The command line behind scripts/deploy.sh, extract-outputs.sh and verify.sh."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from readiness.errors import UsageProblem
from verification.application import ROOT
from verification.deployment import deletion, deploy, deployed, outputs, process
from verification.deployment.options import Options
from verification.deployment.steps import StepFailed

_FAILED, _USAGE = 1, 4
_LONGEST_DEADLINE_S = 3600.0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageProblem(f"{message}; see --help")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _LONGEST_DEADLINE_S:
        raise argparse.ArgumentTypeError(
            f"expected seconds above 0 and up to {_LONGEST_DEADLINE_S:.0f}, found '{text}'"
        )
    return value


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, found '{text}'")
    return name, value


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument("environment", nargs="?", default="dev")
    common.add_argument("--cloud", metavar="NAME")
    common.add_argument("--app", type=Path, metavar="DIR")
    parser = _Parser(prog="python -m verification.deployment", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    deploying = commands.add_parser("deploy", parents=[common], help="deploy an environment")
    deploying.add_argument("--yes", action="store_true")
    deploying.add_argument("--dry-run", action="store_true")
    deploying.add_argument("--frontend", action="store_true")
    deploying.add_argument("--rollback", metavar="TAG")
    deploying.add_argument("--tag", metavar="X.Y.Z")
    deploying.add_argument("--delete", action="store_true")
    deploying.add_argument("--health-deadline", type=_positive, metavar="SECONDS")
    deploying.add_argument("--patience", type=_positive, metavar="SECONDS")
    deploying.add_argument(
        "--parameter",
        type=_assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
    )
    extracting = commands.add_parser("outputs", parents=[common], help="print a stack's outputs")
    extracting.add_argument("--format", choices=("json", "dotenv"), default="json")
    commands.add_parser(
        "tear-down", parents=[common], help="delete what a drill of the environment has left, if anything"
    )
    reusing = commands.add_parser(
        "reuse", parents=[common], help="succeed when the deployed version is the one of this checkout"
    )
    reusing.add_argument("--frontend", action="store_true")
    return parser


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run one command for the checkout at `root`; the exit status."""
    try:
        with process.interruptible():
            return _run(_parser().parse_args(arguments), root)
    except UsageProblem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return _USAGE
    except (StepFailed, outputs.OutputProblem) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return _FAILED
    except OSError as problem:
        # Once something is under way, its step catches this.
        print(
            f"error: {problem}; nothing was started. Make room or fix the permissions, then run again",
            file=sys.stderr,
        )
        return _USAGE
    except process.Interrupted as interrupt:
        return interrupt.exit_status


def _run(asked: argparse.Namespace, root: Path) -> int:
    app = asked.app.resolve() if asked.app else root
    options = Options(asked.environment, cloud=asked.cloud, app=app, root=root)
    match asked.command:
        case "deploy":
            return _deploy_or_delete(asked, options)
        case "outputs":
            found = deployed.stack_outputs(options)
            print(
                outputs.as_json(found)
                if asked.format == "json"
                else outputs.as_dotenv(asked.environment, found)
            )
        case "tear-down":
            return deletion.tear_down(options)
        case "reuse":
            reason = deployed.reuse(replace(options, frontend=asked.frontend))
            if reason:
                print(f"to be deployed: {reason}", file=sys.stderr)
                return _FAILED
    return 0


def _deploy_or_delete(asked: argparse.Namespace, options: Options) -> int:
    """What deploy.sh was asked for, once its options agree with one another."""
    flags = {
        "--frontend": asked.frontend,
        "--parameter": asked.parameter,
        "--rollback": asked.rollback,
        "--tag": asked.tag,
        "--app": asked.app,
    }
    for option, others in {
        "--delete": ("--frontend", "--parameter", "--rollback", "--tag"),
        "--rollback": ("--app", "--tag"),
    }.items():
        clash = [other for other in others if flags[other]]
        if clash and (asked.delete if option == "--delete" else asked.rollback):
            raise UsageProblem(f"{option} and {clash[0]} do not go together; see --help")
    options = replace(options, yes=asked.yes, dry_run=asked.dry_run)
    if asked.patience is not None:
        options = replace(options, patience_s=asked.patience)
    if asked.delete:
        return deletion.delete(options)
    if asked.health_deadline is not None:
        options = replace(options, health_deadline_s=asked.health_deadline)
    return deploy.run(
        replace(
            options,
            frontend=asked.frontend,
            rollback=asked.rollback,
            tag=asked.tag,
            parameters=dict(asked.parameter),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
