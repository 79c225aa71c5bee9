"""Runs of each kind over the real checklist, as a reviewer would get them."""

from __future__ import annotations

import base64
import io

from PIL import Image, ImageDraw

from readiness import checklist
from readiness.application import CHECKLIST
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from readiness.discovery.outline import outline
from readiness.errors import Gap
from readiness.report.history import History, Past
from readiness.report.run import Picture
from readiness.report.trend import trend
from readiness.verdict import Found, Outcome, Result, Waived
from verification.application import ROOT

ITEMS = checklist.load(ROOT / CHECKLIST)
WAIVER = Waived("the office network alone reaches staging", "Ada Lovelace", "2026-12-31", 38)
OPEN = (
    "assert 200 == 403 | where 200 = <GET https://pixel-prompt-images.s3.eu-west-1.amazonaws.com/j1/0.png -> 200 image/png: "
    "48213 bytes>.status"
)
TRACE = """stack = <Stack pixel-prompt-staging>

    def test_bucket_refuses_anonymous_reads(stack: Stack) -> None:
        answer = stack.bucket.anonymous_get(stack.sample_image.key)

>       assert answer.status == HTTPStatus.FORBIDDEN
E       AssertionError: assert 200 == 403

verification/checks/test_security.py:102: AssertionError
"""
FIGURES = {
    "file": "bench.json",
    "taken": "2026-11-22T21:04:11+00:00",
    "commit": "0123456789ab",
    "machine": "Linux x86_64, 2 processors",
    "rows": [
        {
            "group": "lambda",
            "what": "cold start p95",
            "measured": "812.4 ms",
            "wanted": "< 1,000 ms",
            "outcome": "held",
        },
        {
            "group": "api",
            "what": "GET /status p95",
            "measured": "341.0 ms",
            "wanted": "< 300 ms",
            "outcome": "over",
        },
    ],
}


def passing(item):
    number = int(item.id[-2:])
    return Result(
        item.id,
        Outcome.PASS,
        seconds=0.07 * number,
        node=f"verification/checks/test_{item.section}.py::test_{item.id.lower().replace('-', '_')}",
        line=10 * number,
        observed=[("stack.worker.timeout == budgets.WORKER_TIMEOUT", "0:15:00 == 0:15:00")],
        exchanges=['<GET https://api.example.com/health -> 200 application/json: {"status": "ok"}> in 38 ms'],
        read={"latest change": "began 2026-11-23 06:58:12 UTC, took 41.0 s"} if number == 3 else {},
    )


def results(**others):
    """All items pass but those that are given by their id, with `_` for `-`."""
    changed = {id_.replace("_", "-"): result for id_, result in others.items()}
    return [changed.get(id_) or passing(item) for id_, item in ITEMS.items()]


def ended(id_, outcome, reason, **more):
    """An item that ended otherwise."""
    return Result(**{**vars(passing(ITEMS[id_])), "outcome": outcome, "reason": reason, **more})


def picture(seed=0, size=(1280, 800)):
    """A screen's worth of JPEG."""
    image = Image.effect_noise(size, 40).convert("RGB")
    ImageDraw.Draw(image).rectangle((40, 40, 900, 400), fill=(seed * 20 % 255, 90, 160))
    into = io.BytesIO()
    image.save(into, "JPEG", quality=60)
    return base64.b64encode(into.getvalue()).decode()


def past(started, **outcomes):
    """An earlier run in which all passed but those that are given."""
    changed = {id_.replace("_", "-"): outcome for id_, outcome in outcomes.items()}
    ended = {id_: changed.get(id_, "pass") for id_ in ITEMS}
    failing = {id_: started for id_, outcome in ended.items() if outcome == "fail"}
    seconds = {"security": 12.5 + len(failing), "infra": 40.0 / (1 + len(failing))}
    return Past(started, "89abcdef0123", f"NOT READY ({len(failing)} failed)", ended, failing, seconds)


def history(folder, *runs):
    kept = History(folder, {"stack": "s", "region": "r", "emulated": False})
    for run in runs:
        kept.keep(run)
    return kept


SEC_10 = ended("SEC-10", Outcome.FAIL, OPEN, evidence=TRACE, output="Captured log call:\nWARNING asked twice")
INF_07 = ended("INF-07", Outcome.FAIL, "assert 3 == 0 | where 3 = <Queue pixel-prompt-dead-letters>.messages")
CDN_05 = ended(
    "CDN-05",
    Outcome.UNVERIFIED,
    "denied cloudfront:GetDistributionConfig: User is not authorized to perform this operation",
    evidence="readiness.errors.Denied: denied cloudfront:GetDistributionConfig",
)
CODE_09 = ended("CODE-09", Outcome.UNVERIFIED, "the advisory service did not answer", gap=Gap.NEEDS_INTERNET)
SEC_17 = ended(
    "SEC-17",
    Outcome.WAIVED,
    "waived until 2026-12-31 (38 days left) by Ada Lovelace: the office network alone reaches staging [assert 0 == 1]",
    waiver=WAIVER,
)

CODE_06 = ended(
    "CODE-06",
    Outcome.FAIL,
    "89 findings",
    findings=[
        Found(
            "F401 `os` imported but unused", f"backend/src/pixel_prompt/storage.py:{n}", "remove `import os`"
        )
        for n in range(1, 90)
    ],
)
LOST = {
    id_.replace("-", "_"): ended(
        id_,
        Outcome.UNVERIFIED,
        "CloudFormationStack(name='pixel-prompt-staging') has no resource 'WorkerFunction'; declare it in "
        "backend/template.yaml",
        cause="stack 'pixel-prompt-staging' has no resource 'WorkerFunction'",
    )
    for id_ in ("CONF-01", "CONF-02", "CONF-05", "SEC-08", "INF-12")
}

API = Resource("AWS::ApiGatewayV2::Api", "HttpApi", "a1b2c3d4e5")
FUNCTION = Resource("AWS::Lambda::Function", "WorkerFunction", "pixel-prompt-staging-WorkerFunction")
QUEUE = Resource("AWS::SQS::Queue", "JobsQueue", "pixel-prompt-staging-jobs")

KINDS = {
    "passing": (results(), {}),
    "failing": (results(SEC_10=SEC_10, INF_07=INF_07, CDN_05=CDN_05, SEC_17=SEC_17), {"budgets": FIGURES}),
    "partly-unverified": (results(CDN_05=CDN_05, CODE_09=CODE_09), {}),
    "much-at-once": (results(SEC_10=SEC_10, CODE_06=CODE_06, **LOST), {}),
    "waived": (results(SEC_17=SEC_17), {}),
    "emulated-staging": (
        results(
            SEC_17=SEC_17,
            CODE_09=CODE_09,
            CDN_05=ended("CDN-05", Outcome.UNVERIFIED, "the emulator has no real edge", gap=Gap.NEEDS_AWS),
        ),
        {"emulated": True},
    ),
}


GRAPH = Graph(
    [API, FUNCTION, QUEUE],
    [
        Edge(API, Relation.ROUTES_TO, FUNCTION, "POST /generate"),
        Edge(FUNCTION, Relation.USES, QUEUE, "sqs:SendMessage"),
    ],
)


def kind(make, name, folder):
    """A run of that kind, with a history behind it and what its checks left of the screen."""
    made, more = KINDS[name]
    before = history(
        folder,
        past("2026-11-20T08:00:00+00:00", INF_07="fail"),
        past("2026-11-22T08:00:00+00:00", INF_07="fail", CONF_05="fail"),
    )
    outcomes = {result.item: str(result.outcome) for result in made}
    comparison = before.compare(outcomes, "2026-11-23T07:05:09+00:00")
    pictures = {
        "CODE-14": [Picture("/ 1280 px, Chromium", picture(1))],
        "CODE-15": [Picture("/ 360 px, Chromium", picture(2, (360, 740)))],
    }
    return make(
        *made,
        items=ITEMS,
        comparison=comparison,
        pictures=pictures,
        trend=trend(before.runs),
        map=outline(GRAPH),
        **more,
    )
