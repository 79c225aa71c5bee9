"""usage: python -m tests.mutants [options].

Deploys each mutant of the applications' templates as if it were the intended one, and records which items notice.

  --of KIND            template, by-hand, source, contract or samconfig (default: template); by-hand makes the mutants of the
                       template on the live stack, behind CloudFormation's back; the others are Pixel Prompt's alone, and
                       source needs ./scripts/cross-examine.sh --tools
  --application NAME   one of guest-book, rest_api, pipeline, site, pixel-prompt; may be repeated (default: all)
  --sample N           that many mutants of each application, drawn by --seed (default: all)
  --seed S             what draws them (default: 16)
  --only STEP          static, read-only or all: the last items that run (default: all)
  --limit MINUTES      begin nothing more after that time; --resume goes on
  --resume             keep the results of this commit, and judge what is left
  --results FILE       where the results are kept (default: reports/mutants.jsonl, for other kinds reports/mutants-KIND.jsonl)
  --workers N          how many embedded AWS at a time (default: 2)
  --against FILE       fail where a mutant survives that was killed in that file's run
  --list               print the mutants and try none
  --peers              ask cfn-lint, Checkov and Prowler about the mutants of the results, and no item; Prowler reads live
                       stacks, which takes as long as the items
  --document           write docs/RECALL.md from the results in tests/mutants and try none
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from readiness.errors import UsageProblem
from tests.mutants import contract, document, peers, settings, sources, watched
from tests.mutants.equivalents import equivalent
from tests.mutants.mutant import Mutant
from tests.mutants.operators import mutants_of
from tests.mutants.reach import reached
from tests.mutants.run import Told, Workers, sample, try_all
from tests.mutants.score import LIVED, Fate, Peer, Result, Results, Run, Score, append, lost
from tests.mutants.stand import APPLICATIONS, OWN, STEPS, folder_of, parameters_of, stand, template_of
from verification.application import ROOT

REPORTS = ROOT / "reports"
SEED = 16


def main(words: Sequence[str]) -> int:
    """Do what the command line says; the exit status is 1 where something was noticed before and is not now."""
    options = _options(words)
    if options.list:
        for application in options.application:
            for mutant in sample(_made(application, options.of), options.sample, options.seed):
                print(f"{mutant.id}: {mutant.says}")
        return 0
    if options.document:
        document.RECALL.write_text(document.written(), encoding="utf-8")
        return 0
    if options.peers:
        for application in options.application:
            _ask_peers(application, options.results, options.workers)
        return 0
    if not options.resume:
        options.results.unlink(missing_ok=True)
    until = None if options.limit is None else time.monotonic() + 60 * options.limit
    for application in options.application:
        _try(application, options, until)
    now = Results.read(options.results)
    for application in options.application:
        print(_line(application, Score.of(now.of(application))))
    return _compared(now, options.against) if options.against else 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", usage=__doc__, add_help=False)
    parser.add_argument("--application", action="append", choices=APPLICATIONS)
    parser.add_argument("--of", choices=("template", document.BY_HAND, *document.BESIDE), default="template")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", choices=STEPS, default="all")
    parser.add_argument("--limit", type=float)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--document", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    options = parser.parse_args(words)
    if options.help:
        print(__doc__)
        raise SystemExit(0)
    of_templates = options.of in ("template", document.BY_HAND)
    options.application = options.application or (list(APPLICATIONS) if of_templates else [OWN])
    kind = "" if options.of == "template" else f"-{options.of}"
    options.results = options.results or REPORTS / f"mutants{kind}.jsonl"
    if of_templates:
        return options
    if options.application != [OWN] or options.peers:
        parser.error(f"--of {options.of} takes --application {OWN} alone, and no --peers: leave them out")
    return options


def _made(application: str, of: str) -> Sequence[Mutant]:
    """Every mutant of one kind."""
    if of == "source":
        return sources.mutants_of(application, folder_of(application))
    if of == "contract":
        return contract.mutants_of(application, folder_of(application))
    if of == "samconfig":
        return settings.mutants_of(application, folder_of(application), template_of(application))
    return mutants_of(application, template_of(application))


def _try(application: str, options: argparse.Namespace, until: float | None) -> None:
    """Judge what is left of an application's mutants, and keep each result as soon as it is there."""
    begun, commit = time.monotonic(), _commit()
    template, parameters = template_of(application), parameters_of(application)
    every = _made(application, options.of)
    before = {id_: one for id_, one in Results.read(options.results).results.items() if one.commit == commit}
    left: list[Mutant] = []
    for mutant in sample(every, options.sample, options.seed):
        if mutant.id in before and before[mutant.id].fate is not Fate.ALIVE:
            continue
        reason = equivalent(mutant.id, mutant.says, mutant.type)
        if (
            not reason
            and options.of in ("template", document.BY_HAND)
            and not reached(mutant, template, parameters)
        ):
            reason = "the environment's parameters choose another branch"
        if reason:
            append(options.results, Result.of(mutant, Fate.EQUIVALENT, commit, message=reason))
        else:
            left.append(mutant)
    if not left or (until is not None and begun > until):
        return

    def keep(told: Told, fate: Fate, seconds: float) -> None:
        facts = {
            "items": told.items,
            "by": told.by,
            "message": shorten(told.message, 300, placeholder=" ..."),
        }
        append(options.results, Result.of(told.mutant, fate, commit, seconds=round(seconds, 1), **facts))
        print(f"{fate:10} {told.mutant.id}: {told.mutant.says} {' '.join(told.items)}{told.by}", flush=True)

    by_hand = options.of == document.BY_HAND
    with Workers(
        lambda: stand(application, by_hand=by_hand), min(options.workers, len(left)), until
    ) as workers:
        alive = frozenset(before)
        unfit = try_all(application, left, workers, options.only, keep, of=options.of, quickly_alive=alive)
    seconds = round(time.monotonic() - begun, 1)
    append(
        options.results,
        Run(application, commit, len(every), options.sample, options.seed, seconds, options.workers, unfit),
    )


def _ask_peers(application: str, results: Path, workers: int) -> None:
    """Keep what each tool that is installed says of the mutants that were judged."""
    template = template_of(application)
    judged = Results.read(results).results
    mutants = [each for each in mutants_of(application, template) if each.id in judged]
    if not mutants:
        return
    for tool in peers.TOOLS:
        try:
            said = peers.noticed(tool, template, mutants)
        except UsageProblem as problem:
            print(f"{tool}: {problem}", file=sys.stderr)
            continue
        append(results, Peer(tool, application, {id_: sorted(each) for id_, each in said.items() if each}))
    lived = [each for each in mutants if judged[each.id].fate in LIVED]
    append(results, Peer(watched.NAME, application, watched.noticed(application, lived, workers)))


def _commit() -> str:
    """The checks that judge, with a mark where they differ from the commit."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _line(application: str, score: Score) -> str:
    return (
        f"{application}: {score.percent}, {score.killed} killed ({score.meant} by meaning), {score.survived} survived, "
        f"{score.unsure} unsure, {score.stillborn} stillborn, {score.equivalent} equivalent, {score.alive} not yet judged"
    )


def _compared(now: Results, file: Path) -> int:
    for one in (missed := lost(now, Results.read(file))):
        print(
            f"expected {one.mutant} ({one.says}) to be noticed, as in {file.name}; no item failed",
            file=sys.stderr,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
