"""readiness/report/reading.py"""

from __future__ import annotations

import pytest

from readiness.checklist import Severity
from readiness.errors import Gap
from readiness.report import document, markdown, reading
from readiness.report.reading import advice, duration, facts, standing, steps
from readiness.verdict import Found, Outcome, Result, Waived

PASS = Result("SEC-01", Outcome.PASS)
FAIL = Result("SEC-02", Outcome.FAIL, "open")
UNKNOWN = Result("SEC-03", Outcome.UNVERIFIED, "denied")
GAP = Result("SEC-04", Outcome.UNVERIFIED, "no such service", gap=Gap.NEEDS_AWS)
WAIVED = Result("SEC-05", Outcome.WAIVED, "known", waiver=Waived("r", "Ada", "2027-01-01", 1))


@pytest.mark.parametrize(
    ("results", "how", "said"),
    [
        ([PASS], {}, "Every claim was seen to hold. This deployment may go to production."),
        ([PASS, WAIVED], {}, "seen to hold or is waived. This deployment may go to production."),
        ([PASS], {"emulated": True}, "Verify the real deployment before you release."),
        ([PASS, GAP], {"emulated": True, "name": "local"}, "Everything that a rehearsal can show holds."),
        ([PASS], {"total": 9}, "Only a run over the whole checklist can say"),
        ([PASS, FAIL], {}, "Do not release. 1 claim does not hold: begin with SEC-02."),
        (
            [UNKNOWN, FAIL, WAIVED],
            {"emulated": True},
            "Do not release. 1 claim does not hold: begin with SEC-02.",
        ),
        ([PASS, UNKNOWN], {}, "Do not release yet. 1 item could not be checked: begin with SEC-03."),
        (
            [UNKNOWN, GAP],
            {"emulated": True, "name": "local"},
            "1 item could not be checked: begin with SEC-03.",
        ),
        ([UNKNOWN, GAP], {"emulated": True}, "2 items could not be checked"),
        ([], {"items": {}, "total": 9}, "No item was checked"),
    ],
)
def test_the_advice_follows_the_verdict(build, results, how, said):
    document = build(*results, **how)

    assert said in advice(document)
    assert ("may go to production" in advice(document)) <= (document["ok"] and not document["emulated"])


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (FAIL, [("To do", "Remedy of SEC-02.")]),
        (WAIVED, [("To do before the waiver ends", "Remedy of SEC-05.")]),
        (PASS, [("To do if it ever fails", "Remedy of SEC-01.")]),
    ],
)
def test_the_remedy_is_what_to_do(build, result, expected):
    assert steps(build(result)["items"][0]) == expected


@pytest.mark.parametrize(
    ("gap", "first"), [(None, "Remove what was in the way"), *((gap, "") for gap in Gap)]
)
def test_an_unverified_item_is_checked_before_it_is_fixed(build, gap, first):
    (look, then) = steps(build(Result("SEC-01", Outcome.UNVERIFIED, gap=gap))["items"][0])

    assert look[0] == "To do"
    assert look[1].startswith(first)
    assert look[1].endswith(".")
    assert then == ("Should it not hold then", "Remedy of SEC-01.")


@pytest.mark.parametrize(
    ("emulated", "environment"),
    [(False, "staging, real AWS"), (True, "staging, emulated (embedded AWS, a rehearsal)")],
)
def test_the_facts_are_in_words_and_hide_the_account(build, emulated, environment):
    said = facts(build(PASS, emulated=emulated))

    assert said["Environment"] == environment
    assert said["Stack"] == "pixel-prompt-staging in eu-west-1, account ********9012"
    assert said["Started"] == "2026-11-23 07:05:09 UTC, took 1 min 1 s"
    assert said["Commit"] == "unknown"
    assert "123456789012" not in str(said)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"),
        (0.0314, "31 ms"),
        (1.26, "1.3 s"),
        (59.9, "59.9 s"),
        (60, "1 min 0 s"),
        (3725, "62 min 5 s"),
    ],
)
def test_durations_are_in_words(seconds, words):
    assert duration(seconds) == words


def test_sections_keep_the_checklists_order_and_leave_empty_ones_out(build):
    document = build(*(Result(id_, Outcome.PASS) for id_ in ("SEC-02", "SEC-01", "CDN-01")))
    grouped = {
        section: [item["id"] for item in items] for section, items in reading.sections(document).items()
    }

    assert grouped == {"security": ["SEC-02", "SEC-01"], "cloudfront": ["CDN-01"]}
    assert list(reading.tally(document, document["items"]).values()) == [0, 0, 0, 3]


def test_each_item_says_how_it_differs(build):
    change = {"before": "pass", "since": "2026-11-20T08:00:00+00:00"}
    comparison = {
        "with": {"started": "x", "commit": "", "verdict": ""},
        "newly_failing": [],
        "still_failing": [{"id": "SEC-02", **change}],
        "fixed": [{"id": "SEC-01", **change}],
        "newly_unverified": [{"id": "SEC-03", **change}],
        "notes": [],
    }

    assert standing(build(PASS, FAIL, UNKNOWN, WAIVED, comparison=comparison)) == {
        "SEC-01": "fixed",
        "SEC-02": "failing since 2026-11-20 08:00",
        "SEC-03": "newly unverified",
        "SEC-05": "waived, 1 day left",
    }


@pytest.mark.parametrize(
    ("findings", "left_out", "one_line", "told"),
    [
        ((), 0, "why", (0, "")),
        ((Found("open", "door"),), 0, "why", (0, "")),
        ((Found("open", "door", "close it"),), 0, "why", (1, "")),
        ((Found("open", "door"), Found("shut")), 0, "why, the first: door: open", (2, "")),
        ((Found("a"),) * 20, 0, "why, the first: a", (12, "and 8 more; verification.json holds all of them")),
        (
            (Found("a"),) * 2000,
            50,
            "why, the first: a",
            (12, "and 2,038 more; verification.json holds the first 2,000 of them"),
        ),
    ],
)
def test_of_several_findings_the_first_are_shown_and_the_rest_is_counted(
    build, findings, left_out, one_line, told
):
    (item,) = build(Result("SEC-02", Outcome.FAIL, "why", findings=findings, findings_left_out=left_out))[
        "items"
    ]

    assert reading.observed(item) == one_line
    shown = reading.listed(item, 12)
    assert (len(shown), reading.unlisted(item, len(shown) or len(findings))) == told


def test_items_that_one_cause_took_along_are_one_point_where_the_gravest_stands(build):
    causes = {"SEC-03": "denied", "SEC-04": "denied", "SEC-05": "away", "SEC-06": "denied"}
    results = [Result(id_, Outcome.UNVERIFIED, "r", cause=cause) for id_, cause in causes.items()]
    document = build(FAIL, *results, PASS, severities={"SEC-06": Severity.CRITICAL})

    points = reading.points(document)

    assert [(point.cause, point.ids) for point in points] == [
        ("", "SEC-02"),
        ("denied", "SEC-06, SEC-03, SEC-04"),
        ("", "SEC-05"),
    ]
    assert points[1].title == "3 items could not be checked"
    assert sum(point.size for point in points) == len(document["attention"])


def test_an_item_that_says_no_cause_has_its_reason_for_one(build):
    document = build(UNKNOWN, Result("SEC-06", Outcome.UNVERIFIED, "denied"), FAIL)

    assert [point.ids for point in reading.points(document)] == ["SEC-02", "SEC-03, SEC-06"]
    assert [item["cause"] for item in document["items"]] == ["denied", "denied", ""]


SPENDING = {
    "budget_usd": 1.0,
    "usd": 0.5,
    "unsettled_usd": 0.0,
    "requests": 3,
    "enhancements": 1,
    "images": [
        {"vendor": "anthill", "model": "a", "images": 2, "usd": 0.2, "priced": True},
        {"vendor": "anthill", "model": "b", "images": 1, "usd": 0.2, "priced": True},
        {"vendor": "", "model": "c<|", "images": 1, "usd": 0.1, "priced": False},
    ],
    "items": [{"item": "SEC-01", "requests": 3, "images": 4, "usd": 0.5}],
    "refused": [],
}


@pytest.mark.parametrize(
    ("changes", "emulated", "said"),
    [
        (
            {},
            False,
            "3 requests: 4 images (anthill 3, a vendor that the API does not name 1), 1 enhanced prompt; 0.5000 of",
        ),
        ({}, True, "at list prices; emulated: nothing was paid"),
        (
            {"refused": [{"item": "SEC-01", "what": "a job", "usd": 9.0}]},
            False,
            "1 not sent, for lack of budget",
        ),
        ({"unsettled_usd": 0.1}, False, "0.1000 of it for requests whose answers were lost"),
        ({"images": [], "requests": 0, "usd": 0.0}, False, "0 requests: 0 images, 1 enhanced prompt; 0.0000"),
    ],
)
def test_what_was_paid_is_shown_in_one_line(build, changes, emulated, said):
    told = build(PASS, emulated=emulated, spending={**SPENDING, **changes})

    assert said in reading.spending(told)
    assert ("nothing was paid" in reading.spending(told)) == emulated
    assert facts(told)["Paid requests"] == reading.spending(told)


def test_a_report_of_before_does_not_tell_what_was_paid(build):
    old = dict(build(PASS))
    del old["spending"], old["left_out"]

    assert reading.spending(old) == "not counted"
    assert reading.left_out(old) == ""


def test_what_was_left_out_is_named_with_what_it_takes(build):
    part = build(PASS, total=3, left_out={"paid": ["SEC-02"], "drill": ["SEC-03", "SEC-04"]})

    assert reading.left_out(part) == (
        "Left out: 1 item for making AI providers work, which --paid grants (SEC-02); "
        "2 items for disturbing the stack, which -m drill asks for (SEC-03, SEC-04). "
        "Only a run over the whole checklist can say that a deployment is ready."
    )
    assert reading.left_out(part) in advice(part)


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_every_format_names_vendor_model_images_and_price(make, page, form):
    if form == "html":
        text = page(PASS, spending=SPENDING)
    else:
        text = markdown.render(document.build(make(PASS, spending=SPENDING)))

    assert "Paid requests" in text
    assert "0.5000 of 1 USD" in text
    for told in ("anthill", "0.2000", "0.1000, price not known", "SEC-01"):
        assert told in text
    assert "c<|" not in text.replace("`c<\\|`", "")
