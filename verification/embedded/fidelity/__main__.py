"""python -m verification.embedded.fidelity STACK: exit 0 when every declared property is live, 1 when not."""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from readiness import gaps
from readiness.errors import UsageProblem
from verification.embedded.fidelity import gate


def main(arguments: list[str] | None = None) -> int:
    """Examine one stack of the account that the environment's AWS variables name; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m verification.embedded.fidelity", description=__doc__)
    parser.add_argument("stack", help="name of a deployed stack")
    stack = parser.parse_args(arguments).stack
    try:
        aws, template = gate.load(Session(), stack)
    except (BotoCoreError, ClientError) as error:
        print(f"error: cannot read stack '{stack}': {error}", file=sys.stderr)
        return 4
    try:
        unread = gaps.unread(gate.GAPS)
    except UsageProblem as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    outcome = gate.examine(aws, template, unread)
    for problem in outcome.problems:
        print(problem)
    print(f"{stack}: {outcome.confirmed} properties confirmed, {len(outcome.problems)} problems")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
