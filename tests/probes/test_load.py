"""verification/probes/load.py"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict

import pytest

from readiness.errors import Unverified
from verification import budgets
from verification.probes.load import ROUTES, Images, Load, judge

BEGAN = 1_800_000_000_000
PART = {"generate": 500, "status": 300, "enhance": 100, "gallery": 100}
HELD = (300.0, 600.0)


def summary(count, *, p95=180.0, p99=240.0):
    return {
        "min": 2,
        "max": 300,
        "count": count,
        "mean": 30.1,
        "p50": 20.1,
        "median": 20.1,
        "p75": 40.0,
        "p90": 90.0,
        "p95": p95,
        "p99": p99,
        "p999": 300.0,
    }


def period(start, *, created=0, completed=0, requests=0, **more):
    counters = {"vusers.created": created, "vusers.completed": completed, "vusers.failed": 0}
    counters |= {"http.requests": requests, **more}
    summaries = {"http.response_time": summary(requests)} if requests else {}
    return {
        "period": str(BEGAN + start * 1000),
        "counters": counters,
        "rates": {"http.request_rate": 7},
        "firstCounterAt": BEGAN + start * 1000,
        "lastCounterAt": BEGAN + (start + 9) * 1000,
        "summaries": summaries,
    }


def report():
    """What Artillery 2.0.34 writes about a test in which all went well."""
    total = sum(PART.values())
    by_route = "plugins.metrics-by-endpoint"
    return {
        "aggregate": {
            "period": BEGAN + 650_000,
            "counters": {
                "vusers.created": 100,
                "vusers.created_by_name.a user": 100,
                "vusers.completed": 100,
                "vusers.failed": 0,
                "http.requests": total,
                "http.responses": total,
                "http.codes.202": PART["generate"],
                "http.codes.200": total - PART["generate"],
                "answers.expected": total,
                **{
                    f"{by_route}.{name}.codes.{202 if name == 'generate' else 200}": PART[name]
                    for name in PART
                },
            },
            "rates": {"http.request_rate": 3},
            "firstCounterAt": BEGAN,
            "lastCounterAt": BEGAN + 650_000,
            "summaries": {
                "http.response_time": summary(total),
                **{f"{by_route}.response_time.{name}": summary(PART[name]) for name in PART},
            },
        },
        "intermediate": [
            period(0, created=40, requests=100),
            period(290, created=60, requests=400),
            period(400, requests=400),
            period(600, completed=60, requests=90),
            period(640, completed=40, requests=10),
        ],
    }


def counted(**counters):
    """The report with other counters; None takes one away."""
    changed = report()
    for name, value in counters.items():
        changed["aggregate"]["counters"][name] = value
        if value is None:
            del changed["aggregate"]["counters"][name]
    return changed


VENDORS = {"a": "anthill", "b": "beehive"}
MADE = {"a": ("completed", ""), "b": ("completed", "")}


def images(*others, jobs=PART["generate"]):
    """All that the jobs asked for, but for some jobs that came to something else."""
    return Images.of([*others, *[MADE] * (jobs - len(others))], VENDORS)


def failures(changed, *, throttles=0, crashes=0, goals=True, made=None):
    """The criteria that do not hold."""
    load = Load.of(changed)
    verdicts = judge(
        load,
        images=made or images(jobs=load.codes.get("202", 0)),
        users=100,
        held_between=HELD,
        throttles=throttles,
        crashes=crashes,
        goals=goals,
    )
    return [one.what for one in verdicts if not one.held]


def broken(name, count):
    """The report of a test in which some requests broke off."""
    total = sum(PART.values())
    changed = counted(
        **{
            "http.responses": total - count,
            "http.codes.200": 500 - count,
            "answers.expected": total - count,
            f"errors.{name}": count,
        }
    )
    changed["aggregate"]["summaries"]["http.response_time"]["count"] -= count
    changed["aggregate"]["summaries"]["plugins.metrics-by-endpoint.response_time.status"]["count"] -= count
    return changed


def refused(status, count, *, by):
    """The report of a test in which some were refused."""
    return counted(
        **{
            "http.codes.200": 500 - count,
            f"http.codes.{status}": count,
            "answers.expected": 1000 - count,
            "answers.other": count,
            f"refusals.{by}.{status}": count,
        }
    )


def test_a_good_test_holds_everything() -> None:
    load = Load.of(report())

    assert failures(report()) == []
    assert load.users_most == 100
    assert load.users_held(*HELD) == 100
    assert load.requests_per_second == pytest.approx(1000 / 650)  # Artillery's own rate says 3
    assert load.by_route["status"].p95_ms == 180.0
    assert set(load.by_route) == set(ROUTES)


def test_the_document_has_what_the_report_of_performance_reads() -> None:
    document = Load.of(report()).document()

    assert json.loads(json.dumps(document)) == document
    assert document["requests"] == 1000
    assert document["p99_ms"] == 240.0
    assert document["codes"] == {"202": 500, "200": 500}
    assert document["timeline"][1] == {
        "second": 299.0,
        "users": 100,
        "requests": 400,
        "errors": 0,
        "p50_ms": 20.1,
        "p95_ms": 180.0,
        "p99_ms": 240.0,
    }


def test_a_test_that_asked_nothing_fails() -> None:
    nothing = {"counters": {}, "summaries": {}, "firstCounterAt": BEGAN, "lastCounterAt": BEGAN}

    failed = failures({"aggregate": nothing, "intermediate": []}, goals=False)

    assert {"requests", "images delivered", "users at once, throughout", "p95", "p99", "error rate"} <= set(
        failed
    )
    assert "users who came through" in failed


def test_an_api_that_is_not_there_fails() -> None:
    dead = counted(
        **{name: None for name in report()["aggregate"]["counters"] if "codes" in name},
        **{"http.responses": 0, "answers.expected": None, "errors.ECONNREFUSED": 1000, "vusers.completed": 0},
    )
    dead["aggregate"]["summaries"] = {}

    assert {"p95", "p99", "error rate", "users who came through"} <= set(failures(dead, goals=False))


@pytest.mark.parametrize(
    ("goals", "p95", "p99", "expected"),
    [
        (True, 999.0, 1999.0, []),
        (True, 1000.0, 1999.0, ["p95"]),
        (True, 999.0, 2000.0, ["p99"]),
        (False, 4999.0, 9999.0, []),
        (False, 5000.0, 9999.0, ["p95"]),
        (False, 4999.0, 10000.0, ["p99"]),
    ],
)
def test_each_percentile_has_its_budget(goals, p95, p99, expected) -> None:
    slow = report()
    slow["aggregate"]["summaries"]["http.response_time"] = summary(1000, p95=p95, p99=p99)

    assert failures(slow, goals=goals) == expected


@pytest.mark.parametrize(
    ("count", "goals", "expected"), [(9, False, []), (10, False, ["error rate"]), (1, True, ["error rate"])]
)
def test_too_many_errors_fail(count, goals, expected) -> None:
    assert failures(refused(500, count, by="application"), goals=goals) == expected


@pytest.mark.parametrize("name", ["ETIMEDOUT", "ERR_SOCKET_TIMEOUT", "ESOCKETTIMEDOUT"])
def test_requests_without_an_answer_in_time_are_time_outs(name) -> None:
    assert failures(broken(name, 3), goals=False) == ["time-outs"]


def test_a_gateway_that_gave_up_is_a_time_out() -> None:
    assert failures(refused(504, 3, by="gateway"), goals=False) == ["time-outs"]


@pytest.mark.parametrize(
    ("status", "by", "expected"),
    [
        (429, "gateway", "429 of the gateway"),
        (429, "application", "429 of the application"),
        (503, "gateway", "503 of the gateway"),
    ],
)
def test_the_sources_of_refusals_are_distinguished(status, by, expected) -> None:
    assert failures(refused(status, 5, by=by), goals=False) == [expected]


def test_what_cloudwatch_saw_counts() -> None:
    assert failures(report(), throttles=1) == ["throttled invocations"]
    assert failures(report(), crashes=1) == ["failed invocations"]


def failed(code):
    return MADE | {"b": ("failed", code)}


def test_vendors_that_refuse_images_are_named_and_fail() -> None:
    """The API answers as fast as ever while users get nothing."""
    made = images(*[failed("rate_limited")] * 3, failed("moderated"))

    assert failures(report(), made=made) == ["images refused by vendors"]
    assert made.reasons == "beehive: 1 moderated, 3 rate_limited"
    assert json.loads(json.dumps(asdict(made)))["missing"] == {"beehive": {"moderated": 1, "rate_limited": 3}}


@pytest.mark.parametrize(("count", "expected"), [(25, []), (26, ["images delivered"])])
def test_images_that_are_missing_otherwise_have_their_budget(count, expected) -> None:
    made = images(*[MADE | {"a": ("failed", "timeout"), "b": ("failed", "")}] * count)

    assert failures(report(), made=made)[:1] == expected
    assert made.missing["anthill"] == {"timeout": count}
    assert made.missing["beehive"] == {"unknown": count}


def test_jobs_that_did_not_end_fail() -> None:
    assert failures(report(), made=images(MADE | {"a": ("running", "")})) == ["jobs that ended"]
    assert failures(report(), made=images(jobs=499)) == ["jobs that ended"]


def test_a_test_without_images_has_delivered_none() -> None:
    assert images(jobs=0).part == 0


def test_users_who_were_not_there_fail() -> None:
    few = report()
    few["intermediate"][1]["counters"]["vusers.created"] = 54

    assert failures(few) == ["users at once, throughout"]


def test_users_who_gave_up_fail() -> None:
    lost = counted(**{"vusers.completed": 95, "vusers.failed": 5})

    assert failures(lost) == ["users who came through"]


def test_another_mix_fails() -> None:
    other = report()
    summaries = other["aggregate"]["summaries"]
    summaries["plugins.metrics-by-endpoint.response_time.status"] = summary(200)
    summaries["plugins.metrics-by-endpoint.response_time.gallery"] = summary(200)

    assert failures(other) == ["part of status", "part of gallery"]


def test_too_few_answers_have_no_percentiles() -> None:
    few = report()
    keep = {"generate": 50, "status": 29, "enhance": 10, "gallery": 10}
    few["aggregate"]["counters"] |= {"http.requests": 99, "http.responses": 99, "answers.expected": 99}
    few["aggregate"]["counters"] |= {"http.codes.202": 50, "http.codes.200": 49}
    few["aggregate"]["summaries"]["http.response_time"] = summary(99)
    few["intermediate"] = [period(290, created=100, completed=100, requests=99)]
    for name, count in keep.items():
        few["aggregate"]["summaries"][f"plugins.metrics-by-endpoint.response_time.{name}"] = summary(count)

    with pytest.raises(Unverified, match="99 answers are too few"):
        failures(few)


@pytest.mark.parametrize(
    "path",
    [
        ("aggregate",),
        ("intermediate",),
        ("aggregate", "counters"),
        ("aggregate", "summaries"),
        ("aggregate", "firstCounterAt"),
        ("aggregate", "lastCounterAt"),
        ("aggregate", "counters", "http.requests"),
        ("aggregate", "counters", "http.responses"),
        ("aggregate", "counters", "http.codes.202"),
        ("aggregate", "counters", "answers.expected"),
        ("aggregate", "summaries", "http.response_time"),
        ("aggregate", "summaries", "http.response_time", "p95"),
        ("aggregate", "summaries", "http.response_time", "p99"),
        ("aggregate", "summaries", "http.response_time", "count"),
        ("aggregate", "summaries", "plugins.metrics-by-endpoint.response_time.status"),
        ("intermediate", 0, "counters"),
        ("intermediate", 0, "lastCounterAt"),
        ("intermediate", 0, "counters", "http.requests"),
    ],
)
def test_a_report_without_a_figure_is_no_verdict(path) -> None:
    for instead in (..., None, "many"):
        changed = copy.deepcopy(report())
        where = changed
        for step in path[:-1]:
            where = where[step]
        if instead is ...:
            del where[path[-1]]
        else:
            where[path[-1]] = instead

        with pytest.raises(Unverified):
            failures(changed)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_file_that_is_no_report_is_no_verdict(tmp_path, text) -> None:
    (tmp_path / "artillery.json").write_text(text)

    with pytest.raises(Unverified):
        Load.read(tmp_path / "artillery.json")
    with pytest.raises(Unverified):
        Load.read(tmp_path / "nothing.json")


def test_the_mix_is_whole() -> None:
    assert sum(budgets.LOAD_MIX.values()) == pytest.approx(1)
