"""What the page weighs: each file as it is built, raw and compressed, and what is inside the largest."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.figures import Figures
from readiness.errors import Unverified
from verification import budgets
from verification.probes import lighthouse

pytestmark = pytest.mark.benchmark(group="bundle")


def test_bundle_is_light(app: Path, benchmark: BenchmarkFixture, figures: Figures, tmp_path: Path) -> None:
    """Each visitor downloads it, and on a slow line each 50 KB cost a second."""
    source = app / "frontend"
    built = benchmark.pedantic(  # type: ignore[no-untyped-call]  # it declares no types
        lighthouse.built_page, args=(tmp_path, source), rounds=1, iterations=1
    )
    told = json.loads((source / "report" / "bundle.json").read_text(encoding="utf-8"))
    inside = {file["name"]: file for file in told["files"]}
    files = [_weighed(built, file, inside) for file in sorted(built.rglob("*")) if file.is_file()]
    if not files or not inside:
        raise Unverified(f"the build of {source} left nothing to weigh")
    benchmark.extra_info["files"] = files
    first = sum(file["gzip"] for file in files if file["first_view"])
    held = [
        figures.hold(
            "all files, compressed",
            sum(f["gzip"] for f in files) / 1024,
            "<=",
            budgets.BUNDLE_BYTES / 1024,
            "KB",
        ),
        figures.hold("first view, compressed", first / 1024, "<=", budgets.FIRST_VIEW_BYTES / 1024, "KB"),
    ]
    figures.record("all files, raw", sum(f["bytes"] for f in files) / 1024, "KB")

    assert first > 0, f"{source} says of no file that the first view loads it: {sorted(inside)}"
    assert all(held), sorted(((file["gzip"], file["name"]) for file in files), reverse=True)[:3]


def _weighed(built: Path, file: Path, inside: dict[str, Any]) -> dict[str, Any]:
    """A file by what lies on the disk; the builder alone knows its modules and when it is loaded."""
    name, content = file.relative_to(built).as_posix(), file.read_bytes()
    told = inside.get(name, {"firstView": False, "modules": []})
    return {
        "name": name,
        "bytes": len(content),
        "gzip": len(gzip.compress(content, mtime=0)),
        "first_view": told["firstView"],
        "modules": told["modules"],
    }
