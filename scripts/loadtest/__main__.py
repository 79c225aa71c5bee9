"""scripts/run-loadtest.sh without its shell: what will be done at what price, consent, and then the benchmark."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from readiness.errors import Denied, Missing, UsageProblem
from scripts.loadtest import trial
from scripts.loadtest.generator import RUNNERS, Generator
from scripts.loadtest.profile import Profile
from verification import budgets
from verification.application import ROOT, connect
from verification.deployment import console
from verification.stack import Stack

EXIT_DONE, EXIT_DECLINED, EXIT_USAGE = 0, 1, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the plan, ask, and become the benchmark; return an exit status where it does not come to that."""
    options = _parser().parse_args(arguments)
    try:
        profile = Profile.named("light" if options.light else "full").scaled(options.scale).on(options.count)
        env = connect(options.environment, cloud=options.cloud)
        env.preflight()
        env.require_stack()
        stack = Stack(env)
        generator = Generator(options.on, env.region)
        where = ROOT / "reports" / env.name / f"load-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        for line in plan(stack, profile, generator, where):
            print(line)
        if options.dry_run:
            return EXIT_DONE
        trial.require(stack, generator)
        if not (options.yes or _consents()):
            print("nothing was sent", file=sys.stderr)
            return EXIT_DECLINED
    except (UsageProblem, Denied, Missing) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return EXIT_USAGE
    return _become(_benchmark(options, where))


def plan(stack: Stack, profile: Profile, generator: Generator, where: Path) -> Sequence[str]:
    """What will be done, line by line."""
    env, target = stack.env, stack.formation.output("ApiEndpoint")
    charged = profile.costs()
    models = ("Stable Image Core", "Stable Diffusion 3.5 Large", "Nova Lite, read", "Nova Lite, written")
    of_models = sum(charged[name] for name in models)
    price = (
        "nothing: the providers are simulated"
        if env.emulated
        else f"about {sum(charged.values()):.2f} USD at AWS ({of_models:.2f} of it Bedrock's models), list prices, "
        f"and {budgets.MODELS - 2} of {budgets.MODELS} images of each job on the other vendors' bills"
    )
    facts = {
        "target": f"{target} ({env.stack_name} in {env.region}{', emulated' if env.emulated else ''})",
        "profile": f"{profile.name}: {', '.join(f'{one.name} {one.seconds:g} s' for one in profile.phases)}",
        "users at once": f"{profile.users}, a request each about every {profile.think_seconds:g} s",
        "requests": f"about {profile.requests}, {profile.requests_per_second:.1f} a second at most; the gateway is to let "
        f"{budgets.API_RATE} pass on each route",
        "jobs": f"about {profile.jobs}, {profile.images} images",
        "price": price,
        "past the limits": stack.formation.parameter("AllowedAddresses") or "nobody",
        "command": shlex.join(generator.command(profile, target, where / "artillery.json")),
        "results": f"{where.relative_to(ROOT)}/",
    }
    return ["Load test", *(f"  {name:16} {value}" for name, value in facts.items())]


def _benchmark(options: argparse.Namespace, where: Path) -> list[str]:
    return [
        *("pytest", "benchmarks/test_load.py", "--env", options.environment),
        *(("--cloud", options.cloud) if options.cloud else ()),
        *("--load-profile", "light" if options.light else "full", "--load-scale", str(options.scale)),
        *("--load-on", options.on, "--load-count", str(options.count), "--load-dir", str(where)),
        *(
            "--paid",
            f"--benchmark-json={where / 'benchmark.json'}",
            "-p",
            "no:cacheprovider",
            "--tb=short",
            "-q",
            "-s",
        ),
    ]


def _become(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606  # no shell is wanted


def _consents() -> bool:
    console.require_terminal()
    return console.answer("Continue? [y/N] ") in ("y", "yes")


class _Parser(argparse.ArgumentParser):
    """One whose misuse exits as everything else here does."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="scripts/run-loadtest.sh", description="Load a deployed API.")
    parser.add_argument("environment")
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--scale", type=_positive, default=1.0)
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--on", choices=list(RUNNERS), default="here")
    parser.add_argument("--count", type=_count, default=1)
    parser.add_argument("--cloud")
    return parser


def _positive(text: str) -> float:
    if not 0 < (value := float(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0, or has no end")
    return value


def _count(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than one worker")
    return value


if __name__ == "__main__":
    sys.exit(main())
