"""usage: python -m tests.applications.beside_prowler [--again].

Deploys one stack with planted defects to an embedded AWS, has the read-only items of the catalogue and Prowler look at
it three times each in turn, and writes docs/PROWLER.md: the times, and each finding of either with the verdict that
people gave it in docs/prowler.toml. Takes about seven minutes, wants a quiet machine, and brings Prowler from the package registry
where ./scripts/cross-examine.sh has not.

  --again   measure nothing: judge the findings of the last measurement, which reports/beside-prowler.json keeps

Exit status: 0 every finding has its verdict, 1 some have none (they are named).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.cross_examination import answers
from tests.applications import prowler, trial
from verification.application import ROOT

TABLE = ROOT / "docs" / "prowler.toml"
DOCUMENT = ROOT / "docs" / "PROWLER.md"
KEPT = ROOT / "reports" / "beside-prowler.json"
STACK = "trail-reports-local"
ROUNDS = 3
# Prowler has no finding where there is nothing that its checks of a service look at.
_SILENT = ("ssm",)
READ_ONLY = "not static and not active"
_AREAS = ("api", "compute", "data", "edge", "identity", "observability")
REAL, NOT_REAL, EMULATED = _VERDICTS = ("real", "not-real", "emulator")


@dataclass(frozen=True, order=True)
class Named:
    """One finding: who names it, by which item or check, and the resource."""

    who: str
    id: str
    resource: str


@dataclass(frozen=True)
class Row:
    """A verdict on a finding, whoever names it.

    Args:
        says: what is wrong.
        why: why it matters on this stack, or why not.
        verdict: `real`, `not-real`, or `emulator` where only the embedded AWS makes it look wrong.
        catalogue: items that say so.
        prowler: checks that say so.
        only: the resources that it is about; of no entry, all that no other row names.
        about: the one resource that is meant, where the two name different ones.
        claim: of what is real and Prowler alone names: the item that claims it, or that none does.
    """

    says: str
    why: str
    verdict: str
    catalogue: Sequence[str] = ()
    prowler: Sequence[str] = ()
    only: Sequence[str] = ()
    about: str = ""
    claim: str = ""

    def __post_init__(self) -> None:
        """Refuse a verdict that nothing knows."""
        if self.verdict not in _VERDICTS:
            raise ValueError(
                f"{self.says}: expected one of {', '.join(_VERDICTS)} as verdict, found {self.verdict!r}"
            )

    def holds(self, named: Named) -> bool:
        """Whether it is about this finding."""
        ids = self.catalogue if named.who == "catalogue" else self.prowler
        return named.id in ids and (not self.only or named.resource in self.only)


@dataclass(frozen=True)
class Judged:
    """A row and who named it, for each resource."""

    row: Row
    who: Mapping[str, frozenset[str]]

    def resources(self, *who: str) -> Sequence[str]:
        """The resources that exactly these named."""
        return sorted(resource for resource, by in self.who.items() if by == {*who})


def load(file: Path = TABLE) -> Sequence[Row]:
    """The verdicts, the rows about single resources first."""
    rows = [Row(**entry) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["finding"]]
    return sorted(rows, key=lambda row: not row.only)


def judge(found: Iterable[Named], rows: Sequence[Row]) -> tuple[Sequence[Judged], Sequence[Named]]:
    """Each row with what it answers for, and the findings that no row answers for."""
    answered: dict[int, dict[str, set[str]]] = {}
    unanswered = []
    for one in sorted({*found}):
        number = next((number for number, row in enumerate(rows) if row.holds(one)), None)
        if number is None:
            unanswered.append(one)
        else:
            resource = rows[number].about or one.resource
            answered.setdefault(number, {}).setdefault(resource, set()).add(one.who)
    judged = [
        Judged(rows[number], {resource: frozenset(who) for resource, who in by.items()})
        for number, by in sorted(answered.items(), key=lambda pair: rows[pair[0]].says)
    ]
    return judged, unanswered


@dataclass(frozen=True)
class Measured:
    """What one run of the command brought.

    Args:
        seconds: wall times, by who took them.
        items: how many read-only items there are, by outcome.
        checks: how many judgements Prowler made about the stack, good ones included.
        resources: how many the stack has, nested ones included.
        elsewhere: how many findings of Prowler are about the rest of the account.
        errors: what Prowler could not ask of the embedded AWS.
        lost: the seconds that Prowler spent at most, in the last round, on addresses that the embedded AWS does not serve.
        load: how many processes wanted a processor, on average, over the last minutes.
        version: Prowler's.
        day: when, in ISO 8601.
    """

    seconds: Mapping[str, Sequence[float]]
    items: Mapping[str, int]
    checks: int
    resources: int
    elsewhere: int
    errors: Sequence[str]
    lost: float
    load: float
    version: str
    day: str


def render(measured: Measured, judged: Sequence[Judged]) -> str:
    """The document."""
    ours, theirs = measured.seconds["catalogue"], measured.seconds["prowler"]
    ratio = statistics.median(theirs) / statistics.median(ours)
    fair = (statistics.median(theirs) - measured.lost) / statistics.median(ours)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(measured.items.items()))
    lines = [
        "# The catalogue beside Prowler",
        "",
        "Generated by `python -m tests.applications.beside_prowler`, from one run of it and from `docs/prowler.toml`, where people",
        "say of each finding whether it is real, and why. A finding without a verdict makes that command fail.",
        "",
        f"Run of {measured.day} on an embedded AWS, on one machine of two cores that others used as well. The stack has {measured.resources} resources: the site of",
        "`tests/applications`, with all of its planted defects that a deployed stack can show, and the bad templates of",
        "`tests/catalogue` as nested stacks.",
        "",
        "**Most of the defects were planted for the items of the catalogue.** That the catalogue names them shows that it works. It",
        "does not show that Prowler, which was not written for them, would name less of another stack. What is fair to compare",
        "are the time, what Prowler alone names, and how much of what either says is not real.",
        "",
        "## Time",
        "",
        f"`verify-stack` with the {sum(measured.items.values())} items that are `{READ_ONLY}`, as production, and Prowler with all checks of the same services, in turn,",
        f"{len(ours)} times each, after one round that does not count, in which the embedded AWS loads its services. Wall time of",
        f"the whole command, start and report included. While it was measured, {measured.load:.1f} processes wanted the two processors.",
        "",
        "| | median | least | most |",
        "|---|---|---|---|",
        _times("catalogue", ours),
        _times(f"Prowler {measured.version}", theirs),
        "",
        f"By the medians, Prowler took {ratio:.1f} times as long. At most {measured.lost:.1f} s of its last run went into addresses of S3 Control,",
        f"which the embedded AWS does not serve and AWS does; without them it is {fair:.1f} times.",
        "",
        f"The items ended so: {outcomes}. Prowler made {measured.checks} judgements about the stack,",
        f"and {measured.elsewhere} findings about the rest of the account, which are left out below.",
        "",
        f"Prowler's services: {', '.join(prowler.SERVICES)}.",
        "",
        "## How many findings are real",
        "",
        "A finding is one meaning about one resource; two checks that say the same of a resource count once.",
        "",
        "| | catalogue | Prowler | of these, both |",
        "|---|---|---|---|",
        *(_count(judged, verdict) for verdict in _VERDICTS),
    ]
    for title, verdict, who in _SECTIONS:
        alone = (verdict, who) == (REAL, ("prowler",))
        rows = [line for one in judged if one.row.verdict == verdict for line in _rows(one, who, alone=alone)]
        head = [f"{_HEAD}{' Which item claims it |' * alone}", f"|---|---|---|---|{'---|' * alone}"]
        lines += ["", f"## {title}", "", *(head + rows if rows else ["None."])]
    lines += [
        "",
        "## What Prowler could not ask",
        "",
        "Operations that the embedded AWS lacks or answers otherwise, from Prowler's log. Checks that need them made no",
        "finding, or judged nothing at all; on AWS they would.",
        "",
        *(f"- {error}" for error in measured.errors),
        "",
    ]
    return "\n".join(lines)


_SECTIONS = (
    ("Real, and named by both", REAL, ("catalogue", "prowler")),
    ("Real, and named by Prowler alone", REAL, ("prowler",)),
    ("Real, and named by the catalogue alone", REAL, ("catalogue",)),
    ("Not real, named by both", NOT_REAL, ("catalogue", "prowler")),
    ("Not real, named by the catalogue", NOT_REAL, ("catalogue",)),
    ("Not real, named by Prowler", NOT_REAL, ("prowler",)),
    ("Wrong on the embedded AWS alone, named by both", EMULATED, ("catalogue", "prowler")),
    ("Wrong on the embedded AWS alone, named by Prowler", EMULATED, ("prowler",)),
)
_HEAD = "| Finding | Resources | Named by | Why |"


def _times(who: str, seconds: Sequence[float]) -> str:
    return f"| {who} | {statistics.median(seconds):.1f} s | {min(seconds):.1f} s | {max(seconds):.1f} s |"


def _count(judged: Sequence[Judged], verdict: str) -> str:
    who = [by for one in judged if one.row.verdict == verdict for by in one.who.values()]
    each = [sum(name in by for by in who) for name in ("catalogue", "prowler")]
    words = {REAL: "real", NOT_REAL: "not real", EMULATED: "wrong on the embedded AWS alone"}
    return f"| {words[verdict]} | {each[0]} | {each[1]} | {sum(len(by) == len(each) for by in who)} |"


def _rows(one: Judged, who: Sequence[str], *, alone: bool) -> Iterator[str]:
    if resources := one.resources(*who):
        ids = [*(one.row.catalogue if "catalogue" in who else ())]
        ids += [f"`{check}`" for check in (one.row.prowler if "prowler" in who else ())]
        claim = f" {one.row.claim or 'no item'} |" if alone else ""
        yield f"| {one.row.says} | {', '.join(resources)} | {', '.join(ids)} | {one.row.why} |{claim}"


def compose(folder: Path) -> Path:
    """The application with everything that is wrong, in a folder outside the repository."""
    trial.copy("site", folder, *trial.defects("site"))
    nested = ""
    for area in _AREAS:
        text = (ROOT / "tests" / "catalogue" / area / "bad.yaml").read_text(encoding="utf-8")
        # A nested stack's name has capitals, which no bucket's name has.
        (folder / f"{area}.yaml").write_text(text.replace("gone-${AWS::StackName}", "gone-for-good"))
        nested += f"  Bad{area.title()}: {{ Type: AWS::CloudFormation::Stack, Properties: {{ TemplateURL: ./{area}.yaml }} }}\n"
    template = folder / "template.yaml"
    whole = template.read_text(encoding="utf-8").replace("\nResources:\n", f"\nResources:\n{nested}")
    template.write_text(whole, encoding="utf-8")
    (folder / "environments.toml").write_text("[local]\nproduction = true\n", encoding="utf-8")
    return folder


def findings(report: Mapping[str, Any], answer: answers.Answer) -> Iterator[Named]:
    """Every finding of both."""
    for item in report["items"]:
        if item["outcome"] == "fail":
            yield from (Named("catalogue", item["id"], one["place"]) for one in item["findings"])
    for finding in answer.findings:
        yield Named("prowler", finding.id, finding.resource)


def keep(measured: Measured, found: Iterable[Named], file: Path = KEPT) -> None:
    """Write what was measured, so that a finding without a verdict costs no second measurement."""
    file.parent.mkdir(exist_ok=True)
    kept = {"measured": asdict(measured), "found": [astuple(one) for one in sorted({*found})]}
    file.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def kept(file: Path = KEPT) -> tuple[Measured, Sequence[Named]]:
    """What `keep` wrote."""
    read = json.loads(file.read_bytes())
    return Measured(**read["measured"]), [Named(*one) for one in read["found"]]


def measure() -> tuple[Measured, Sequence[Named]]:
    """Have both look at the stack, in turn; the figures, and every finding of the last round."""
    tool, version = prowler.bring()
    with tempfile.TemporaryDirectory() as place, trial.cloud() as state:
        here = Path(place)
        (here / "wheel").mkdir()
        python = trial.install(here / "wheel")
        folder = compose(here / "app")
        trial.deploy(state, folder)
        seconds: dict[str, list[float]] = {"catalogue": [], "prowler": []}
        for number in range(ROUNDS + 1):
            verified = trial.verify(python, state, folder, "-m", READ_ONLY)
            said = here / f"prowler-{number}"
            said.mkdir()
            took = prowler.ask(tool, version, state, said)
            print(f"round {number}: catalogue {verified.seconds:.1f} s, prowler {took:.1f} s", flush=True)
            if (
                number
            ):  # in the first round the embedded AWS loads each service, and Python compiles what it imports
                seconds["catalogue"].append(verified.seconds)
                seconds["prowler"].append(took)
        stack = prowler.scene(state, STACK)
        answer = prowler.read(said, stack, {*prowler.SERVICES} - {*_SILENT})
        errors, wasted = prowler.unasked(said / "prowler.log"), prowler.lost(said / "prowler.log")
    outcomes = [item["outcome"] for item in verified.report["items"]]
    measured = Measured(
        seconds,
        {outcome: outcomes.count(outcome) for outcome in {*outcomes}},
        answer.looked or 0,
        len(stack.resources) - 1,
        sum(answer.elsewhere.values()),
        errors,
        wasted,
        os.getloadavg()[2],
        version,
        datetime.now(UTC).date().isoformat(),
    )
    return measured, list(findings(verified.report, answer))


def main(words: Sequence[str]) -> int:
    """Measure, judge and write the document."""
    if words != ["--again"]:
        keep(*measure())
    measured, found = kept()
    judged, unanswered = judge(found, load())
    for one in unanswered:
        print(f"no verdict: {one.who} {one.id} {one.resource}")
    if unanswered:
        print(
            f"error: {len(unanswered)} findings have no row in docs/prowler.toml; add them, then run this with --again",
            file=sys.stderr,
        )
        return 1
    DOCUMENT.write_text(render(measured, judged), encoding="utf-8")
    print(f"{len(judged)} verdicts: docs/PROWLER.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
