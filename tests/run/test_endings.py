"""A run ends, and its report is true, however its checks end."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections import Counter

import psutil
import pytest

from readiness.report import document
from tests.report import validator
from tests.run.ugly import ENDINGS, Application, Ending

DEADLINE_S = 300


# A process for each, and nothing that the others do not show.
ALIKE = {
    f"SIG{name}"
    for name in ("HUP", "QUIT", "ILL", "TRAP", "BUS", "FPE", "USR1", "USR2", "XCPU", "VTALRM", "PROF", "SYS")
}
MOST = {name: ending for name, ending in ENDINGS.items() if name not in ALIKE}
FEW = {
    name: ENDINGS[name]
    for name in ("SIGKILL", "it fails", "a lone surrogate", "os._exit(0)", "3 MB", "it passes")
}


@pytest.mark.parametrize(
    ("workers", "endings"),
    [
        pytest.param(("-n", "2"), MOST, id="two workers"),
        pytest.param((), FEW, id="serial"),
        pytest.param(("-n", "0"), FEW, id="-n 0"),
        pytest.param(("-n", "2"), ENDINGS, id="two workers, all", marks=pytest.mark.further),
        pytest.param((), ENDINGS, id="serial, all", marks=pytest.mark.further),
    ],
)
def test_every_ugly_ending_has_its_outcome_once_in_every_format(tmp_path, workers, endings):
    app, temporary = Application(tmp_path / "app", endings), tmp_path / "temporary"
    temporary.mkdir()

    done = app.start(*workers, "--item-timeout", "3s", temporary=temporary)
    output, _ = done.communicate(timeout=DEADLINE_S)

    assert done.returncode == 1, output[-3000:]
    ids = {f"CODE-{number:02}": (name, ending) for number, (name, ending) in enumerate(endings.items(), 1)}
    begun = Counter(app.begun())
    not_reached = {"no_ladder", "no_key", "deadly"}
    assert begun == Counter(id_ for id_, (_, ending) in ids.items() if ending.fixture not in not_reached)
    report = document.read(app.reports / "verification.json")
    assert document.alterations(report) == []
    found = {item["id"]: item for item in report["items"]}
    assert list(found) == list(ids)
    wrong = [
        (name, found[id_]["outcome"], found[id_]["reason"], ending.reason)
        for id_, (name, ending) in ids.items()
        if found[id_]["outcome"] != ending.outcome or ending.reason not in found[id_]["reason"]
    ]
    assert wrong == []
    assert report["interrupted"] == ""
    written = {file.name for file in app.reports.glob("verification.*")}
    assert written == {f"verification.{kind}" for kind in ("html", "json", "md", "xml")}, output[-3000:]
    junit = ET.fromstring((app.reports / "verification.xml").read_bytes())
    cases = {case.get("name"): case for case in junit.iter("testcase")}
    assert set(cases) == {f"test_{id_[-2:]}" for id_ in ids}
    said = {name: {each.get("value") for each in case.iter("property")} for name, case in cases.items()}
    assert said == {f"test_{id_[-2:]}": {ending.outcome} for id_, (_, ending) in ids.items()}
    page, markdown = (
        (app.reports / f"verification.{kind}").read_bytes().decode("utf-8") for kind in ("html", "md")
    )
    assert all(id_ in page for id_ in ids)
    assert all(id_ in markdown for id_ in ids)
    assert validator.problems(app.reports / "verification.html") == []
    assert list(temporary.iterdir()) == []
    assert left_running(temporary) == []


def test_static_checks_run_beside_a_drill(tmp_path):
    each_waits_for_the_other = (
        "until = time.monotonic() + 20\n"
        "    while open(os.path.join(os.path.dirname(__file__), '..', 'begun')).read().count('CODE') < 2:\n"
        "        assert time.monotonic() < until\n"
        "        time.sleep(0.05)"
    )
    endings = {how: Ending(each_waits_for_the_other, "pass", how=how) for how in ("static", "active, drill")}
    app, temporary = Application(tmp_path / "app", endings), tmp_path / "temporary"
    temporary.mkdir()

    done = app.start("-n", "2", temporary=temporary)
    output, _ = done.communicate(timeout=DEADLINE_S)

    assert done.returncode == 0, output[-3000:]
    assert [item["outcome"] for item in app.report()["items"]] == ["pass", "pass"]


def left_running(temporary):
    """Processes that still have something temporary of the run; whoever ends them gets a moment."""
    until = time.monotonic() + 5
    while True:
        found = []
        for process in psutil.process_iter():
            try:
                if str(temporary) in process.environ().get("TMPDIR", ""):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.1)
