"""docs/PERFORMANCE.md and its pictures, written from what the benchmarks measured and from nothing else.

`python -m benchmarks.document FILE...` takes --benchmark-json files, keeps what the document needs of them in
docs/performance/measured.json, and writes the document from that. What a later file measured again replaces what an
earlier one has. Without a file it writes the document anew.
"""

from __future__ import annotations

import json
import math
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any, Final

import jinja2

from benchmarks import regression
from benchmarks.figures import Figure, shown
from readiness.errors import UsageProblem
from readiness.samples import Samples
from scripts.loadtest.page import round_up
from verification import budgets, costs
from verification.application import ROOT, production

FOLDER: Final = ROOT / "docs" / "performance"
MEASURED: Final = FOLDER / "measured.json"
DOCUMENT: Final = ROOT / "docs" / "PERFORMANCE.md"
_HERE = Path(__file__).resolve().parent
_LOGARITHMIC = (0.1, 10_000.0)  # milliseconds at the edges of the distribution's picture

_METHODS: Final = {
    "lambda": "REPORT lines of Lambda's own; fresh environments from versions published for it and deleted again",
    "api": "whole exchanges over kept connections, users at the same moment, warm functions",
    "cdn": "copies of an image that no request had asked for, ten requests each; CloudFormation's events",
    "bundle": "the files of a production build, gzip",
    "frontend": "Lighthouse, mobile preset, median of five runs on the built page",
    "load": "Artillery, see the section on load",
}


def keep(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the document needs of a --benchmark-json, without what names the machine that wrote it.

    Raises:
        UsageProblem: the run was interrupted, so that figures are missing or of too few samples.
    """
    if content["measured"]["exit_status"] not in (0, 1):
        raise UsageProblem(
            f"the run ended with status {content['measured']['exit_status']}, before all was measured; measure again"
        )
    return {
        "measured": content["measured"],
        "date": content["datetime"][:16],
        "figures": content["figures"],
        "comparisons": content["comparisons"],
        "benchmarks": {bench["name"]: bench["extra_info"] for bench in content["benchmarks"]},
    }


@dataclass(frozen=True)
class Run:
    """One run, as `keep` keeps it."""

    plain: Mapping[str, Any]

    @property
    def where(self) -> str:
        told = self.plain["measured"]
        kind = "**emulated**, an embedded AWS" if told["emulated"] else "real AWS"
        return f"{told['environment']} ({kind})" if told["stack"] else "no stack"

    @property
    def date(self) -> str:
        return f"{datetime.fromisoformat(self.plain['date']):%Y-%m-%d %H:%M} UTC"

    @cached_property
    def figures(self) -> Sequence[Figure]:
        return [Figure.of(plain) for plain in self.plain["figures"]]


@dataclass(frozen=True)
class Document:
    """Everything that the templates ask for."""

    runs: Sequence[Run]

    @cached_property
    def benchmarks(self) -> Mapping[str, Mapping[str, Any]]:
        """What each benchmark noted, by its name."""
        return {name: noted for run in self.runs for name, noted in run.plain["benchmarks"].items()}

    def noted(self, name: str) -> Mapping[str, Any]:
        """What one benchmark noted, empty where it did not run."""
        return self.benchmarks.get(name, {})

    @property
    def comparisons(self) -> Sequence[Mapping[str, Any]]:
        return [one for run in self.runs for one in run.plain["comparisons"]]

    @property
    def emulated(self) -> bool:
        return any(run.plain["measured"]["emulated"] for run in self.runs)

    def budgets(self) -> Iterator[tuple[Run, Figure]]:
        """Each figure that has a budget, and each that could not be measured."""
        last = {(one.group, one.what): run for run in self.runs for one in run.figures}
        for run in self.runs:
            for one in run.figures:
                if (one.wanted or one.held is None) and last[one.group, one.what] is run:
                    yield run, one

    def place(self, figure: Figure) -> str:
        if figure.group in ("bundle", "frontend"):
            return "built page, this machine"
        return "emulated" if figure.emulated else "real AWS"

    @property
    def starts(self) -> Mapping[str, Samples]:
        """Every kind of start and of warm call, by its name."""
        return {
            name: _samples(name, seen)
            for bench in ("test_cold_start", "test_warm")
            for name, seen in self.noted(bench).get("milliseconds", {}).items()
        }

    @property
    def routes(self) -> list[tuple[str, str, Samples, int]]:
        """Route, users at once, what answers took, how many were throttled."""
        return [
            (noted["route"], users, _samples(noted["route"], seen), noted["statuses"][users].get("429", 0))
            for name, noted in self.benchmarks.items()
            if name.startswith("test_route")
            for users, seen in noted.get("milliseconds", {}).items()
        ]

    @property
    def lighthouse(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.noted("test_pages_can_be_audited").get("lighthouse", {})
        return found

    @property
    def files(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.noted("test_bundle_is_light").get("files", [])
        return sorted(found, key=lambda file: -int(file["gzip"]))

    @property
    def modules(self) -> list[tuple[str, str, int]]:
        """The largest modules of all files: file, module, bytes."""
        inside = [(f["name"], m["name"], int(m["bytes"])) for f in self.files for m in f["modules"]]
        return sorted(inside, key=lambda module: -module[2])[:10]

    @property
    def load(self) -> tuple[Run, Mapping[str, Any]] | None:
        """The longest load test of all runs."""
        found = [
            (run, noted["load"])
            for run in self.runs
            for noted in run.plain["benchmarks"].values()
            if "load" in noted
        ]
        return max(found, key=lambda one: float(one[1]["seconds"]), default=None)

    @property
    def beside(self) -> list[tuple[str, float, float]]:
        """Pages as ratios to a hello world of the same run: name, time until painted, weight."""
        anchors = tomllib.loads((_HERE / "anchors.toml").read_text(encoding="utf-8"))
        unit = anchors["hello_world"]
        rows = [
            (
                page["name"],
                page["largest_contentful_paint_ms"] / unit["largest_contentful_paint_ms"],
                page["gzip_kb"] / unit["gzip_kb"],
            )
            for page in anchors["page"]
        ]
        painted = self.value("frontend", "LCP / hello world's")
        if not self.lighthouse or painted is None or painted.value is None:
            return rows
        ours, least = self.lighthouse["page"], self.lighthouse["greeting"]
        own = (
            "**this project's page**",
            painted.value,
            max(one["loaded_bytes"] for one in ours) / max(one["loaded_bytes"] for one in least),
        )
        return [own, *rows]

    def value(self, group: str, what: str) -> Figure | None:
        found = [one for run in self.runs for one in run.figures if (one.group, one.what) == (group, what)]
        return found[-1] if found else None

    @property
    def jobs_a_month(self) -> int:
        return production().jobs_a_month

    @property
    def cost(self) -> Sequence[costs.Line]:
        """A month of prod at its stated traffic, by the price table, the dearest first."""
        return sorted(costs.estimate(costs.Shape(), self.jobs_a_month), key=lambda line: -line.usd)

    @property
    def cdn_cost_usd(self) -> float:
        return costs.total_usd([line for line in self.cost if line.what.startswith("CloudFront")])


def _samples(what: str, milliseconds: Sequence[float]) -> Samples:
    return Samples.of(what, (timedelta(milliseconds=one) for one in milliseconds))


def milliseconds(duration: timedelta) -> str:
    return shown(duration / timedelta(milliseconds=1), "ms")


# Pictures


def along(value_ms: float, width: float) -> float:
    """Where a duration stands on a logarithmic axis of that width."""
    least, most = math.log10(_LOGARITHMIC[0]), math.log10(_LOGARITHMIC[1])
    at = math.log10(max(value_ms, _LOGARITHMIC[0]))
    return round((min(at, most) - least) / (most - least) * width, 1)


def line(timeline: Sequence[Mapping[str, Any]], key: str, box: tuple[float, float], most: float) -> str:
    """The points of one line: seconds to the right, the value of `key` upwards, in a box of that size."""
    width, height = box
    last = max(float(one["second"]) for one in timeline) or 1.0
    return " ".join(
        f"{float(one['second']) / last * width:.1f},{height - float(one[key]) / most * height:.1f}"
        for one in timeline
        if one.get(key) is not None
    )


@dataclass(frozen=True)
class Tile:
    """A rectangle of the treemap."""

    x: float
    y: float
    width: float
    height: float
    name: str
    bytes: int
    shade: int


def tiles(files: Sequence[Mapping[str, Any]], width: float, height: float) -> list[Tile]:
    """Files side by side, as wide as they are heavy, each made of its modules from top to bottom."""
    whole = sum(int(file["bytes"]) for file in files) or 1
    drawn, x = [], 0.0
    for shade, file in enumerate(files):
        across, y = int(file["bytes"]) / whole * width, 0.0
        modules = file["modules"] or [{"name": file["name"], "bytes": file["bytes"]}]
        inside = sum(int(module["bytes"]) for module in modules) or 1
        for module in modules:
            tall = int(module["bytes"]) / inside * height
            name = str(module["name"]).removeprefix("node_modules/")
            drawn.append(
                Tile(
                    round(x, 1),
                    round(y, 1),
                    round(across, 1),
                    round(tall, 1),
                    name,
                    int(module["bytes"]),
                    shade % 4,
                )
            )
            y += tall
        x += across
    return drawn


def render(runs: Sequence[Mapping[str, Any]]) -> dict[Path, str]:
    """Every file of the document, by its path."""
    document = Document([Run(plain) for plain in runs])
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=jinja2.select_autoescape(("svg.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["ms"] = milliseconds
    environment.globals.update(
        budgets=budgets,
        shown=shown,
        along=along,
        line=line,
        round_up=round_up,
        tiles=tiles,
        median=median,
        grid=_grid(),
        total_usd=costs.total_usd,
        methods=_METHODS,
    )
    pictures = {
        "starts.svg": bool(document.starts),
        "bundle.svg": bool(document.files),
        "load.svg": document.load is not None
        and any(moment["p99_ms"] is not None for moment in document.load[1]["timeline"]),
    }
    drawn = {name for name, there in pictures.items() if there}
    files = {DOCUMENT: environment.get_template("PERFORMANCE.md.j2").render(doc=document, drawn=drawn)}
    for name in drawn:
        files[FOLDER / name] = environment.get_template(f"{name}.j2").render(doc=document)
    return files


def _grid() -> list[float]:
    least, most = (round(math.log10(edge)) for edge in _LOGARITHMIC)
    return [float(f"1e{power}") for power in range(least, most + 1)]


def main(arguments: Sequence[str]) -> None:
    """Keep the runs that are named, or take those that were kept, and write the document.

    Raises:
        UsageProblem: a file is none of ours, or of a run that was interrupted; nothing was written.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    if arguments:
        runs = [keep(regression.read(Path(name))) for name in arguments]
        MEASURED.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    runs = json.loads(MEASURED.read_text(encoding="utf-8"))
    for path, text in render(runs).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UsageProblem as problem:
        sys.exit(f"error: {problem}")
