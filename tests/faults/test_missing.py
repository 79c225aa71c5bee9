"""What a stack has not fails the one item that claims it; every item that merely needs it is UNVERIFIED."""

from __future__ import annotations

import json

import pytest

from tests.faults.bench import Bench
from tests.faults.refusals import PLUGIN
from verification.parts import NEEDED, OPTIONAL

# Where the stack's own word is what an item is about. The name stands in the deployed template, so nothing else notices.
CLAIMS = {
    **{f"resource={logical_id}": "INF-01" for logical_id in NEEDED},
    **{f"resource={logical_id}": item for logical_id, item in OPTIONAL.items()},
    **{f"output={name}": "INF-03" for name in ("ApiEndpoint", "S3BucketName", "CloudFrontDomain", "SiteUrl")},
}
QUICK = {"resource=WorkerFunction", "resource=MonthlyBudget", "resource=CdnLogsBucket", "output=ApiEndpoint"}


@pytest.mark.parametrize(
    ("hidden", "item"),
    [
        pytest.param(hidden, item, marks=[] if hidden in QUICK else [pytest.mark.further])
        for hidden, item in CLAIMS.items()
    ],
)
def test_what_is_missing_fails_the_item_that_claims_it_alone(hidden: str, item: str, bench: Bench) -> None:
    seen = bench.verify(
        "-m", "not static and not drill and not browser or INF-16", *PLUGIN, HIDE_FROM_STACK=hidden
    )

    assert {id_: one for id_, one in seen.items() if one.outcome == "fail"}.keys() == {item}, seen
    unverified = {id_ for id_, one in seen.items() if one.outcome == "unverified" and not one.gap}
    kind, _, name = hidden.partition("=")
    content = json.loads((bench.reports / "verification.json").read_text(encoding="utf-8"))
    causes = {one["cause"] for one in content["items"] if one["id"] in unverified}
    assert causes <= {f"stack '{bench.env.stack_name}' has no {kind} '{name}'"}
    if hidden == "resource=WorkerFunction":
        assert len(unverified) > 20, unverified
