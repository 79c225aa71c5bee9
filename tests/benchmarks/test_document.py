"""benchmarks/document.py"""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET

import pytest

from benchmarks import document
from benchmarks.figures import Figures
from readiness.errors import UsageProblem

LOAD = {
    "profile": "full",
    "seconds": 780,
    "users_most": 100,
    "requests": 12345,
    "requests_per_second": 15.8,
    "p50_ms": 20.0,
    "p95_ms": 90.0,
    "p99_ms": 300.0,
    "error_rate": 0.0,
    "codes": {"200": 12000, "202": 345},
    "by_route": {"GET /status": {"count": 9, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0}},
    "timeline": [
        {"second": 0, "users": 0, "requests": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None, "errors": 0},
        {"second": 10, "users": 90, "requests": 99, "p50_ms": 9, "p95_ms": 20, "p99_ms": 31, "errors": 0},
    ],
    "cloudwatch": {
        "api": {"Invocations": {"sum": 9.0, "average": 1.0, "maximum": 1.0}, "Throttles": None},
    },
}


def kept(*, emulated=True, **benchmarks):
    figures = Figures(group="lambda", emulated=emulated)
    figures.hold("cold start p95", 812.3, "<", 3000, "ms", samples=20)
    figures.hold("warm p95", 900, "<", 500, "ms", samples=100)
    figures.unseen("test_dark", "Denied: lambda:PublishVersion")
    return {
        "measured": {
            "environment": "staging",
            "emulated": emulated,
            "stack": "pixel-prompt-staging",
            "region": "us-east-1",
            "commit": "0123456789ab",
            "machine": "Linux x86_64, 2 processors",
            "exit_status": 1,
        },
        "date": "2026-11-26T08:00",
        "figures": [row.plain for row in figures.rows],
        "comparisons": [],
        "benchmarks": benchmarks,
    }


def written(*runs):
    return document.render(runs)[document.DOCUMENT]


def test_what_is_committed_is_what_the_kept_figures_make():
    """Nobody edits it by hand, and a change of the templates is written out."""
    runs = json.loads(document.MEASURED.read_text(encoding="utf-8"))

    assert {path: path.read_text(encoding="utf-8") for path in document.render(runs)} == document.render(runs)


def test_a_figure_stands_beside_its_target_and_verdict():
    text = written(kept())

    assert (
        "| lambda: cold start p95 | < 3,000.0 ms | 812.3 ms | held in rehearsal | 20 | emulated | 1 |" in text
    )
    assert "| lambda: warm p95 | < 500.0 ms | 900.0 ms | OVER | 100 | emulated | 1 |" in text
    assert "not measured | UNVERIFIED: Denied: lambda:PublishVersion" in text
    assert "0123456789ab" in text


def test_an_emulated_figure_is_no_proof():
    rehearsed, real = written(kept()), written(kept(emulated=False))

    assert "**A rehearsal.**" in rehearsed
    assert "| ok |" not in rehearsed
    assert "A rehearsal" not in real
    assert "| 812.3 ms | ok | 20 | real AWS |" in real
    assert "emulated" not in real


def test_what_did_not_run_is_not_measured():
    text = written(kept())

    assert text.count("Not measured") == 4
    assert "Lighthouse was not run." in text
    assert "The bundle was not weighed." in text


def test_a_load_test_may_be_a_run_of_its_own():
    files = document.render([kept(), kept(test_load={"load": LOAD})])
    text = files[document.DOCUMENT]

    assert "Run 2, staging" in text
    assert "| 12,345 | 15.8 | 20.0 ms | 90.0 ms | 300.0 ms | 0.00 % |" in text
    assert "performance/load.svg" in text
    assert "| api: Invocations | 9.0 | 1.0 | 1.0 |" in text
    assert "| api: Throttles | none | - | - |" in text
    assert ET.fromstring(files[document.FOLDER / "load.svg"]).tag.endswith("svg")


def test_a_load_without_answers_has_no_latency_and_no_picture():
    nothing = {"p50_ms": None, "p95_ms": None, "p99_ms": None}
    timeline = [{"second": 10, "users": 90, "requests": 99, "errors": 99, **nothing}]
    silent = {**LOAD, **nothing, "error_rate": 1.0, "codes": {}, "by_route": {}, "timeline": timeline}
    files = document.render([kept(test_load={"load": silent})])

    assert "| 12,345 | 15.8 | - | - | - | 100.00 % |" in files[document.DOCUMENT]
    assert document.FOLDER / "load.svg" not in files


def test_what_a_later_run_measured_again_replaces_what_was_there():
    first, again = kept(), kept()
    again["figures"][0] |= {"measured": "700.0 ms", "value": 700.0}
    again["figures"] = again["figures"][:1]
    text = written(first, again)

    assert "| 700.0 ms | held in rehearsal | 20 | emulated | 2 |" in text
    assert "812.3 ms" not in text
    assert "| 900.0 ms | OVER | 100 | emulated | 1 |" in text


def test_the_page_stands_beside_its_hello_world_and_others():
    def audits(paint, size, score):
        metrics = {"largest-contentful-paint": paint, "cumulative-layout-shift": 0.001}
        return {"scores": {"best-practices": score}, "metrics": metrics, "loaded_bytes": size}

    page = [audits(1000, 30_000, 100), audits(1500, 30_000, 98), audits(1200, 30_000, 99)]
    seen = {"page": page, "greeting": [audits(800, 6_000, 100)] * 3, "reports": "reports/lighthouse/x"}
    figures = Figures(group="frontend")
    figures.hold("LCP / hello world's", 1.54, "<=", 1.4, "")
    run = kept(test_pages_can_be_audited={"lighthouse": seen})
    run["figures"] += [row.plain for row in figures.rows]
    text = written(run)

    assert "| largest-contentful-paint | 1,200.0 ms | 1000, 1500, 1200 | 800.0 ms | 800, 800, 800 |" in text
    assert "| best-practices | 99 | 100, 98, 99 | 100 | |" in text
    assert "| **this project's page** | 1.54 | 5.0 |" in text
    assert "| hello world of React 19.3 | 1.41 | 11.3 |" in text


def test_pictures_show_what_was_measured():
    starts = {
        "milliseconds": {"cold start": [300.0 + n for n in range(20)]},
        "memory_mb": 1,
        "peak_memory_mb": 1,
    }
    files = [
        {"name": f"<{size}>.js", "bytes": size, "gzip": size // 3, "first_view": True, "modules": modules}
        for size, modules in ((3000, [{"name": "a", "bytes": 1}, {"name": "b", "bytes": 3}]), (1000, []))
    ]
    made = document.render(
        [kept(test_cold_start={**starts, "billed_ms": [300.0]}, test_bundle_is_light={"files": files})]
    )
    picture = ET.fromstring(made[document.FOLDER / "starts.svg"])
    bundle = ET.fromstring(made[document.FOLDER / "bundle.svg"])
    name = "{http://www.w3.org/2000/svg}"

    assert len(picture.findall(f".//{name}circle")) == 20
    areas = [
        float(r.attrib["width"]) * float(r.attrib["height"]) for r in bundle.findall(f".//{name}g/{name}rect")
    ]
    assert areas == [pytest.approx(600 * 110), pytest.approx(600 * 330), pytest.approx(200 * 440)]
    assert "<1000>.js: 1000 bytes" in [title.text for title in bundle.findall(f".//{name}g/{name}title")]


def test_a_duration_has_its_place_on_the_axis():
    assert [document.along(value, 100) for value in (0.001, 0.1, 10_000, 1e9)] == [0, 0, 100, 100]
    assert document.along(31.6, 100) == pytest.approx(50, abs=0.1)


def test_an_interrupted_run_is_no_measurement():
    with pytest.raises(UsageProblem, match="ended with status 2, before all was measured"):
        document.keep({"measured": {"exit_status": 2}})


def test_a_file_of_another_kind_is_reported_and_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "FOLDER", tmp_path)
    monkeypatch.setattr(document, "MEASURED", tmp_path / "measured.json")
    odd = tmp_path / "odd.json"
    odd.write_text("[]")
    for file in (odd, tmp_path / "missing.json"):
        with pytest.raises(UsageProblem, match=f"{file.name} .*--benchmark-json="):
            document.main([str(file)])

    assert list(tmp_path.iterdir()) == [odd]


def test_only_what_the_document_needs_is_kept():
    content = {
        **kept(),
        "datetime": "2026-11-26T08:00:00+00:00",
        "machine_info": {"node": "somebody's"},
        "commit_info": {"author": "somebody"},
        "benchmarks": [{"name": "test_load", "extra_info": {"load": LOAD}, "stats": {"data": [1]}}],
    }
    runs = document.keep(copy.deepcopy(content))

    assert runs == kept(test_load={"load": LOAD})
    assert "somebody" not in json.dumps(runs)
