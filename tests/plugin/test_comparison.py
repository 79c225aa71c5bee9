"""A run is compared with an earlier one."""

from __future__ import annotations

import json


def test_the_next_run_says_what_has_changed(project):
    project.run(door="assert False, 'open'")
    assert project.report()["comparison"]["with"] is None

    project.run(window="assert False, 'open'")
    compared = project.report()["comparison"]
    assert [change["id"] for change in compared["newly_failing"]] == ["SEC-02"]
    assert [change["id"] for change in compared["fixed"]] == ["SEC-01"]
    assert "Newly failing: SEC-02" in project.output
    assert "Fixed: SEC-01" in project.output


def test_since_names_the_run_to_compare_with_or_stops_the_run(project):
    project.run()
    (kept,) = (project.root / "reports" / "staging" / "history").iterdir()
    older = json.loads(kept.read_text())
    older["started"], older["outcomes"]["SEC-01"] = "2020-01-01T00:00:00+00:00", "fail"
    (kept.parent / "20200101T000000Z.json").write_text(json.dumps(older))

    assert project.run("--since", "2020").ret == 0
    assert [change["id"] for change in project.report()["comparison"]["fixed"]] == ["SEC-01"]

    assert project.run("--since", "1999").ret == 4
    assert "--since 1999: no run of this environment" in project.output


def test_a_broken_record_is_said_and_does_not_end_the_run(project):
    folder = project.root / "reports" / "staging" / "history"
    folder.mkdir(parents=True)
    (folder / "20200101T000000Z.json").write_text("{")

    assert project.run().ret == 0
    assert "20200101T000000Z.json was left out: it is no run's record" in project.output


def test_a_run_that_was_interrupted_is_not_compared_with(project):
    project.run(door="pytest.exit('Ctrl-C')")

    assert not (project.root / "reports" / "staging" / "history").exists()
