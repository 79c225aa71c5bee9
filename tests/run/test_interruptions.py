"""A run that is ended early leaves a true report or none, never an old one, and nothing behind."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from readiness.report import document
from tests.run.test_endings import left_running
from tests.run.ugly import Application, Ending

# What a run has under way: a child, a temporary file, a fixture that puts something back, and a plain hang.
ENDINGS = {
    "it passes": Ending("pass", "pass"),
    "it fails": Ending("assert False, 'open'", "fail", "open"),
    "a child": Ending("subprocess.Popen(['sleep', '30'], start_new_session=True)", "pass"),
    "a file": Ending("import tempfile; tempfile.mkdtemp(); time.sleep(1)", "pass"),
    "a wait": Ending("with waiting('a door'): time.sleep(60)"),
    "another wait": Ending("try: time.sleep(60)\n    finally: open('put-back', 'w').close()"),
}
# Seconds since the run has taken the old report away, which is the first that it does.
MOMENTS = [0.0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 2.7, 3.5, 5.0]
SOME = [0.0, 1.5, 5.0]
PATIENCE_S = 120


def moments(chosen):
    return [
        pytest.param(each, marks=() if each in chosen else pytest.mark.further)
        for each in MOMENTS
        if each or chosen is SOME
    ]


@pytest.fixture
def app(tmp_path):
    made = Application(tmp_path / "app", ENDINGS)
    made.reports.mkdir(parents=True)
    for kind in ("json", "html", "md", "xml"):
        (made.reports / f"verification.{kind}").write_text("an old report")
    (tmp_path / "temporary").mkdir()
    return made


def begins(app):
    """Wait until a run has begun."""
    until = time.monotonic() + PATIENCE_S
    while (app.reports / "verification.xml").exists():
        assert time.monotonic() < until, "the run has not begun"
        time.sleep(0.01)


def ended(app, process, temporary):
    """What a run has left, and what it said."""
    output, _ = process.communicate(timeout=PATIENCE_S)
    # What was killed has a moment to be cleaned up behind.
    until = time.monotonic() + PATIENCE_S
    while any(temporary.iterdir()) and time.monotonic() < until:
        time.sleep(0.1)
    assert list(temporary.iterdir()) == [], output.decode()
    assert left_running(temporary) == []
    assert list(app.reports.glob(".unfinished*")) == []
    return output.decode()


def judge(app, output, *, interrupted):
    """The report, which is whole in every format or not there at all."""
    left = sorted(file.name for file in app.reports.glob("verification.*"))
    if not left:
        return
    assert left == [f"verification.{kind}" for kind in ("html", "json", "md", "xml")], output
    report = document.read(app.reports / "verification.json")
    assert document.alterations(report) == []
    assert report["verdict"].startswith(f"INTERRUPTED {interrupted}"), report["verdict"]
    assert not report["ok"]
    outcomes = {item["title"]: item["outcome"] for item in report["items"]}
    for title, ending in ENDINGS.items():
        assert outcomes.get(title.capitalize(), "unverified") in (ending.outcome, "unverified")
    for kind in ("html", "md"):
        assert f"INTERRUPTED {interrupted}" in (app.reports / f"verification.{kind}").read_text()


@pytest.mark.parametrize(
    "workers",
    [
        pytest.param(("-n", "2"), id="two workers"),
        pytest.param((), id="serial", marks=pytest.mark.further),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", moments(SOME))
def test_a_signal_ends_a_run_in_order(app, tmp_path, after, number, workers):
    process = app.start(*workers, temporary=tmp_path / "temporary")
    begins(app)
    time.sleep(after)
    process.send_signal(number)

    output = ended(app, process, tmp_path / "temporary")

    assert process.returncode != 0
    judge(app, output, interrupted=f"by {number.name}")
    if "CODE-06" in app.begun() and (app.reports / "verification.json").exists():
        assert (app.folder / "put-back").exists(), "a check was not given the time to put things back"


@pytest.mark.parametrize("after", moments(SOME))
def test_a_run_that_is_killed_leaves_nothing(app, tmp_path, after):
    process = app.start("-n", "2", temporary=tmp_path / "temporary")
    begins(app)
    time.sleep(after)
    process.kill()

    ended(app, process, tmp_path / "temporary")

    assert list(app.reports.glob("verification.*")) == []


@pytest.mark.parametrize("deadline", moments([0.1, 1.5, 5.0]))
def test_a_deadline_ends_a_run_in_order(app, tmp_path, deadline):
    process = app.start("-n", "2", "--deadline", f"{deadline}s", temporary=tmp_path / "temporary")

    output = ended(app, process, tmp_path / "temporary")

    assert process.returncode == 2, output
    judge(app, output, interrupted=f"at its deadline of {deadline:g} s")
    report = json.loads((app.reports / "verification.json").read_bytes())
    waited = {item["title"]: item["reason"] for item in report["items"]}
    if deadline > 3 and "CODE-05" in app.begun():
        assert "while it waited for a door" in waited["A wait"]


def test_two_runs_at_once_into_one_folder_each_leave_a_whole_report(tmp_path):
    app, temporary = (
        Application(tmp_path / "app", {"it passes": Ending("time.sleep(1)", "pass")}),
        tmp_path / "temporary",
    )
    temporary.mkdir()
    runs = [app.start(temporary=temporary) for _ in range(3)]
    outputs = [run.communicate(timeout=PATIENCE_S)[0] for run in runs]

    assert [run.returncode for run in runs] == [0, 0, 0], outputs
    assert app.report()["verdict"] == "READY"
    assert sorted(file.name for file in app.reports.iterdir()) == [
        "history",
        *(f"verification.{kind}" for kind in ("html", "json", "md", "xml")),
    ]


def test_a_second_signal_does_not_wait_for_clean_up(tmp_path):
    app = Application(tmp_path / "app", {"a clean-up that hangs": Ending("pass", fixture="never_done")})
    (tmp_path / "temporary").mkdir()
    process = app.start(temporary=tmp_path / "temporary")
    while not app.begun():
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    again = time.monotonic()
    process.send_signal(signal.SIGINT)

    output = ended(app, process, tmp_path / "temporary")

    assert time.monotonic() - again < 10
    assert "INTERRUPTED by SIGINT" in output
    assert "Not everything was put back" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system takes root to mount")
def test_a_full_disk_ends_the_run_with_its_cause(tmp_path):
    app = Application(tmp_path / "app", {"it passes": Ending("pass", "pass")})
    (tmp_path / "temporary").mkdir()
    full = tmp_path / "full"
    full.mkdir()
    os.system(f"mount -t tmpfs -o size=16k tmpfs {full}")
    try:
        process = app.start("--report-dir", str(full), temporary=tmp_path / "temporary")
        output, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        os.system(f"umount -l {full}")

    assert process.returncode not in (0, None)
    assert b"No space left on device" in output
    assert b"make room there or name another --report-dir" in output
