"""scripts/loadtest: the profile, Artillery's command line and run, what a user does, and the page."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from readiness.errors import Unverified
from scripts.loadtest import page
from scripts.loadtest.generator import Generator
from scripts.loadtest.profile import FILES, Profile
from tests.scripts.project import REPOSITORY, Project
from verification import budgets

TARGET = "https://api.example"


def config(name):
    return yaml.safe_load(FILES[name].read_text())


def test_the_full_profile_is_the_specifications() -> None:
    full = Profile.named("full")

    assert [(phase.name, phase.seconds, phase.arrivals) for phase in full.phases] == [
        ("warm-up", 60, 10),
        ("ramp", 300, 90),
        ("sustained", 300, 0),
        ("cool-down", 120, 0),
    ]
    assert full.users == budgets.USERS_AT_ONCE
    assert full.requests_per_second < budgets.API_RATE
    # 300 + 16,500 + 30,000 + 6,000 seconds of users, one request in twenty, and each one's first.
    assert full.requests == 2740
    assert full.jobs == 1370


@pytest.mark.parametrize("name", FILES)
def test_users_leave_during_the_cool_down(name) -> None:
    profile, variables = Profile.named(name), config(name)["config"]["variables"]

    assert variables["stay_seconds"] == profile.stay_seconds
    assert variables["leave_seconds"] == profile.phases[-1].seconds
    assert [phase.name for phase in profile.phases] == ["warm-up", "ramp", "sustained", "cool-down"]
    assert [bool(phase.arrivals) for phase in profile.phases] == [True, True, False, False]


def test_both_profiles_make_the_same_requests() -> None:
    light, full = config("light"), config("full")

    assert light["scenarios"] == full["scenarios"]
    for name in set(full["config"]) - {"phases", "variables"}:
        assert light["config"][name] == full["config"][name]


def test_a_scaled_profile_keeps_its_users() -> None:
    tenth = Profile.named("full").scaled(0.1)

    assert tenth.users == 100
    assert tenth.seconds == 78
    assert tenth.overrides()["config"]["variables"] == {"stay_seconds": 66, "leave_seconds": 12}
    assert tenth.overrides()["config"]["phases"][2] == {"name": "sustained", "pause": 30}
    assert Profile.named("full").overrides() == {}


def test_what_it_costs_grows_with_the_jobs() -> None:
    light, full = Profile.named("light"), Profile.named("full")

    assert full.costs()["Stable Image Core"] == pytest.approx(0.04 * full.jobs)
    assert sum(light.costs().values()) < sum(full.costs().values()) / 5
    assert full.on(2).requests == 2 * full.requests


def run_users(script):
    """What a few lines of JavaScript print that use users.mjs."""
    done = subprocess.run(
        [REPOSITORY / ".tools" / "bin" / "node", "--input-type=module", "--eval", script],
        cwd=FILES["full"].parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return json.loads(done.stdout)


USER = """
import * as users from './users.mjs';
const next = () => {};
const user = () => {
  const context = { vars: { stay_seconds: 660, leave_seconds: 120, think_seconds: 10, prompts: [{ prompt: 'a' }] } };
  users.arrive(context, null, next);
  return context;
};
"""


def test_a_user_keeps_the_mix_and_looks_at_no_job_before_there_is_one() -> None:
    users = run_users(
        USER
        + """
        const all = [];
        for (let n = 0; n < 50; n += 1) {
          const one = user(), steps = [];
          for (let i = 0; i < 40; i += 1) {
            users.choose(one, null, next);
            steps.push(one.vars.step);
            if (one.vars.step === 'generate') one.vars.jobId = 'x';
          }
          all.push(steps);
        }
        console.log(JSON.stringify(all));
        """
    )

    for steps in users:
        assert [steps.count(route) for route in budgets.LOAD_MIX] == [
            40 * part for part in budgets.LOAD_MIX.values()
        ]
        assert "generate" in steps[: steps.index("status")]


def test_a_user_whose_jobs_all_fail_goes_on_asking_for_one() -> None:
    steps = run_users(
        USER
        + """
        const one = user(), steps = [];
        for (let i = 0; i < 50; i += 1) { users.choose(one, null, next); steps.push(one.vars.step); }
        console.log(JSON.stringify(steps));
        """
    )

    assert steps.count("enhance") == steps.count("gallery") == 5
    assert "status" not in steps


def test_a_load_whose_owner_was_killed_ends() -> None:
    with (
        subprocess.Popen(["sleep", "60"]) as owner,
        subprocess.Popen(
            [
                *(REPOSITORY / ".tools" / "bin" / "node", "--input-type=module", "--eval"),
                "await import('./users.mjs'); console.log('here'); setTimeout(() => {}, 60_000);",
            ],
            cwd=FILES["full"].parent,
            env={**os.environ, "LOADTEST_OWNER": str(owner.pid)},
            stdout=subprocess.PIPE,
        ) as load,
    ):
        assert load.stdout
        assert load.stdout.readline() == b"here\n"
        with pytest.raises(subprocess.TimeoutExpired):
            load.wait(1.5)
        owner.kill()
        owner.wait(5)
        assert load.wait(10) == -signal.SIGTERM


def test_what_a_user_sends_is_of_the_contract_and_recognisable() -> None:
    sent = run_users(
        USER
        + """
        const one = user(), sent = [];
        for (let i = 0; i < 300; i += 1) {
          users.choose(one, null, next);
          const { steps, guidance, correlationId } = one.vars;
          sent.push({ steps, guidance, correlationId });
        }
        console.log(JSON.stringify(sent));
        """
    )

    assert (min(one["steps"] for one in sent), max(one["steps"] for one in sent)) == budgets.STEPS
    assert (min(one["guidance"] for one in sent), max(one["guidance"] for one in sent)) == budgets.GUIDANCE
    assert len({one["correlationId"] for one in sent}) == 300
    assert all(one["correlationId"].startswith("load-") and len(one["correlationId"]) <= 64 for one in sent)


def test_users_leave_one_by_one_within_the_cool_down() -> None:
    leaves = run_users(
        USER
        + """
        const now = Date.now();
        const leaves = Array.from({ length: 100 }, () => (user().vars.leavesAt - now) / 1000);
        console.log(JSON.stringify(leaves.sort((a, b) => a - b)));
        """
    )

    assert leaves[0] >= 660
    assert leaves[-1] <= 781
    assert max(after - before for before, after in pairwise(leaves)) < 3


def test_answers_are_distinguished_by_their_source() -> None:
    counted = run_users(
        USER
        + """
        const one = user(), counted = [];
        const events = { emit: (_kind, name) => counted.push(name) };
        const answer = (step, statusCode, body) => {
          one.vars.step = step;
          users.answered({}, { statusCode, body }, one, events, next);
        };
        answer('generate', 202, '{"jobId": "abc"}');
        answer('generate', 429, '{"message": "Too Many Requests"}');
        answer('generate', 429, '{"error": {"code": "address_limit"}}');
        answer('status', 202, 'null');
        answer('status', 502, '<html>');
        console.log(JSON.stringify([...counted, one.vars.jobId]));
        """
    )

    assert counted == [
        "answers.expected",
        "answers.other",
        "refusals.gateway.429",
        "answers.other",
        "refusals.application.429",
        "answers.other",
        "answers.other",
        "refusals.gateway.502",
        "abc",
    ]


@pytest.fixture
def artillery(project: Project) -> Project:
    """A stub in Artillery's place."""
    project.stub("artillery", project.root / "load")
    return project


def start(artillery: Project, where: Path, profile: Profile) -> Path:
    where.mkdir()
    generator = Generator(folder=artillery.root / "load")
    return generator.run(profile, TARGET, where, ca_bundle="/etc/embedded.pem", say=lambda _: None)


def test_artillery_gets_the_certificates_and_sends_no_telemetry(artillery: Project, tmp_path: Path) -> None:
    output = start(artillery, tmp_path / "run", Profile.named("light"))

    (call,) = artillery.calls(directory=artillery.root / "load")
    assert call["argv"][1:] == [
        *("run", "--target", TARGET, "--output", str(output)),
        "scripts/loadtest/artillery-config-light.yml",
    ]
    assert call["cwd"] == str(REPOSITORY)
    assert call["env"]["NODE_EXTRA_CA_CERTS"] == "/etc/embedded.pem"
    assert call["env"]["ARTILLERY_DISABLE_TELEMETRY"] == "true"
    assert (tmp_path / "run" / "artillery.log").read_text() == "stub artillery run\n"


def test_an_artillery_that_fails_is_no_verdict(artillery: Project, tmp_path: Path) -> None:
    artillery.behave(artillery.root / "load", {"artillery run": {"exit": 7, "print": "out of sockets"}})

    with pytest.raises(Unverified, match="ended with 7: out of sockets"):
        start(artillery, tmp_path / "run", Profile.named("light"))


def test_the_page_names_what_failed_and_needs_no_other_file() -> None:
    moments = [
        {
            "second": 10.0 * n,
            "users": n,
            "requests": 5,
            "errors": 0,
            "p50_ms": 9,
            "p95_ms": 20,
            "p99_ms": None,
        }
        for n in range(1, 9)
    ]
    document = {
        "criteria": [
            {"what": "p95", "measured": "2 s", "wanted": "< 1 s", "held": False, "advice": "see <routes>"},
            {"what": "p99", "measured": "2 s", "wanted": "< 5 s", "held": True, "advice": "unseen"},
        ],
        "requests": 40,
        "requests_per_second": 0.5,
        "codes": {"200": 40},
        "broken": {},
        "by_route": {"status": dict.fromkeys(("count", "min_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"), 1)},
        "images": {
            "jobs": 2,
            "wanted": 18,
            "delivered": 15,
            "unfinished": 0,
            "missing": {"anthill": {"rate_limited": 3}},
        },
        "cloudwatch": {"api": {"Errors": None, "Duration": {"sum": 1.0, "average": 2.0, "maximum": 3.0}}},
        "timeline": moments,
    }

    shown = page.render(document, {"Stack": "pixel-prompt-staging"})

    assert "Load test failed: 1 of 2 criteria" in shown
    assert "15 of 18 images of 2 jobs; 0 unfinished" in shown
    assert '<th scope="row">anthill</th><td>rate_limited</td><td>3</td>' in shown
    assert "see &lt;routes&gt;" in shown
    assert "unseen" not in shown
    assert shown.count("<svg") == 4
    assert "http" not in shown
    assert 'd="M' in shown


def test_a_gap_in_a_series_breaks_its_line() -> None:
    plot = page.Plot("some", [0, 1, 2, 3], [page.Series("one", [1.0, None, 2.0, 3.0])])

    assert plot.path(plot.series[0]).count("M") == 2
    assert plot.rungs == [0, 1, 2, 3, 4]
