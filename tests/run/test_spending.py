"""What the workers of one run share and spend, also when one of them dies."""

from __future__ import annotations

import pytest

from readiness.report import document
from tests.run.ugly import Application, Ending

DEADLINE_S = 120
_MAKE = (
    "made = verification.shared.once('job', lambda: (begun('made'), time.sleep(0.5), "
    "verification.ledger.met('POST', '/generate', 202, '{\"models\": [\"flux-2-pro\"]}'), 7)[-1])"
)
TAKE = Ending(f"{_MAKE}; assert made == 7", "pass", fixture="verification")
DIE = Ending(f"{_MAKE}; os.kill(os.getpid(), signal.SIGKILL)", reason="SIGKILL", fixture="verification")


def run(tmp_path, endings, *arguments):
    app, temporary = Application(tmp_path / "app", endings), tmp_path / "temporary"
    temporary.mkdir()
    done = app.start(*arguments, temporary=temporary)
    output, _ = done.communicate(timeout=DEADLINE_S)
    report = document.read(app.reports / "verification.json")
    return app, report, output.decode()


@pytest.mark.parametrize("workers", [("-n", "3"), (), ("-n", "0")], ids=["three", "one", "none"])
def test_all_workers_share_what_one_has_paid_for(tmp_path, workers):
    endings = {f"take {n}": TAKE for n in range(5)}

    app, report, output = run(tmp_path, endings, *workers)

    assert report["ok"], output
    assert app.begun().count("made") == 1
    assert report["spending"]["requests"] == 1
    assert report["spending"]["usd"] == pytest.approx(0.03)


def test_what_a_worker_has_paid_for_outlives_it(tmp_path):
    endings = {"die 1": DIE, "die 2": DIE, "take 1": TAKE, "take 2": TAKE}

    app, report, _ = run(tmp_path, endings, "-n", "2")

    assert [item["outcome"] for item in report["items"]] == ["unverified", "unverified", "pass", "pass"]
    assert app.begun().count("made") == 1
    assert report["spending"]["requests"] == 1


def test_what_could_not_be_made_is_one_cause_for_all(tmp_path):
    body = "verification.shared.once('job', lambda: (begun('made'), [].pop()))"
    endings = {
        f"take {n}": Ending(body, reason="pop from empty list", fixture="verification") for n in range(4)
    }

    app, report, output = run(tmp_path, endings, "-n", "2")

    assert app.begun().count("made") == 1
    assert {item["cause"] for item in report["items"]} == {"IndexError: pop from empty list"}
    assert output.count("4 items could not be checked") == 1


def test_workers_keep_to_one_budget(tmp_path):
    body = (
        "h = verification.ledger.hold('an image', models=['flux-2-pro']); h.__enter__(); "
        "verification.ledger.met('POST', '/generate', 202, '{\"models\": [\"flux-2-pro\"]}'); h.__exit__(None, None, None)"
    )
    endings = {f"pay {n}": Ending(body, fixture="verification") for n in range(6)}

    _, report, output = run(tmp_path, endings, "-n", "3", "--budget", "0.1")

    outcomes = [item["outcome"] for item in report["items"]]
    assert (outcomes.count("pass"), outcomes.count("unverified")) == (3, 3)
    assert (report["spending"]["requests"], len(report["spending"]["refused"])) == (3, 3)
    assert output.count("3 items could not be checked") == 1
