"""docs/verifier-policy*.json are what a run calls: with exactly that the suite sees everything, with less it does not.

The embedded AWS enforces IAM. One action: pytest tests/faults/test_policies.py -m further -k needed
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from readiness import checklist
from readiness.application import CHECKLIST
from readiness.checklist import How
from readiness.guard import operations
from tests.faults.bench import Bench, Seen
from tests.faults.refusals import LIVE, PLUGIN, apart, calls_of
from verification.application import ROOT
from verification.policies import action_of, deployer, types_of, verifier

KNOWN = operations()
ITEMS = checklist.load(ROOT / CHECKLIST)
_CHANGES = {How.ACTIVE, How.DRILL}
ON_PROD = {id_ for id_, item in ITEMS.items() if not item.how & _CHANGES}
BEFORE_ANY_ITEM = "preflight"
# AWS asks about the very resource where the embedded AWS asks about `*`, and it calls some actions by another name.
ON_EVERYTHING = {
    "budgets:ListTagsForResource",
    "cloudfront:GetCachePolicy",
    "cloudfront:GetOriginAccessControl",
    "cloudfront:GetResponseHeadersPolicy",
    "cloudfront:ListTagsForResource",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:ListTagsForResource",
    "dynamodb:GetResourcePolicy",
    "dynamodb:ListTagsOfResource",
    "iam:SimulatePrincipalPolicy",
    "logs:GetDataProtectionPolicy",
    "sns:GetDataProtectionPolicy",
    "sns:ListTagsForResource",
    "wafv2:GetLoggingConfiguration",
    "wafv2:ListTagsForResource",
}
IN_ITS_WORDS: Mapping[str, set[str]] = {
    **{action: {action} for action in ON_EVERYTHING},
    "budgets:ViewBudget": {
        "budgets:DescribeBudget",
        "budgets:DescribeNotificationsForBudget",
        "budgets:DescribeSubscribersForNotification",
    },
    "lambda:GetFunctionConcurrency": {"lambda:PutFunctionConcurrency"},
}
# What it lets anybody do who has signed in. The record of calls alone shows that these are needed.
NOT_ENFORCED = {"lambda:GetAccountSettings", "lambda:ListFunctionUrlConfigs", "servicequotas:GetServiceQuota"}


@dataclass(frozen=True)
class Verifier:
    """An IAM user of the bench's account, and a bench on which the suite runs with that user's key."""

    bench: Bench
    iam: Any
    name: str

    def may(self, *documents: Mapping[str, Any], without: frozenset[str] = frozenset()) -> None:
        """Let the user do exactly this, and what the embedded AWS calls it."""
        lacking = without.union(*(IN_ITS_WORDS.get(action, ()) for action in without))
        granted = [_reduced(document, lacking) for document in documents]
        allowed = {
            action for document in granted for one in document["Statement"] for action in one["Action"]
        }
        asked = [name for action in sorted(allowed) for name in sorted(IN_ITS_WORDS.get(action, ()))]
        if asked:
            granted.append(_policy({"Effect": "Allow", "Action": asked, "Resource": "*"}))
        for old in self.iam.list_user_policies(UserName=self.name)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=self.name, PolicyName=old)
        for number, document in enumerate(granted):
            self.iam.put_user_policy(
                UserName=self.name, PolicyName=f"policy-{number}", PolicyDocument=json.dumps(document)
            )


def _policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _reduced(document: Mapping[str, Any], without: frozenset[str]) -> dict[str, Any]:
    statements = []
    for statement in document["Statement"]:
        named = statement["Action"]
        left = [action for action in ([named] if isinstance(named, str) else named) if action not in without]
        if left:
            statements.append({**statement, "Action": left})
    return _policy(*statements)


@pytest.fixture(scope="module")
def user(bench: Bench) -> Verifier:
    """A user who may do nothing yet."""
    iam, name = bench.unguarded("iam"), "verifier"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    cloud = ROOT / ".local" / bench.cloud
    own = cloud / name  # goes with the cloud
    own.mkdir(mode=0o700)
    state = json.loads((cloud / "state.json").read_text(encoding="utf-8"))
    state |= {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    (own / "state.json").touch(mode=0o600)
    (own / "state.json").write_text(json.dumps(state), encoding="utf-8")
    return Verifier(replace(bench, cloud=f"{bench.cloud}/{name}"), iam, name)


@pytest.fixture(scope="module")
def everybody(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Which items call which operation, drills and browsers too."""
    return calls_of(bench, tmp_path_factory.mktemp("calls"), LIVE)


def _stack(bench: Bench) -> str:
    return bench.env.stack_name


def _deploying(bench: Bench) -> tuple[Mapping[str, Any], ...]:
    """What the drills that deploy need besides."""
    return tuple(deployer(_stack(bench), types_of(ROOT / "backend" / "template.yaml")))


def _not_seen(seen: Mapping[str, Seen]) -> dict[str, Seen]:
    return {item: one for item, one in seen.items() if not one.good}


def test_whatever_is_called_is_listed(callers: dict[str, set[str]]) -> None:
    on_prod = {operation for operation, items in callers.items() if items & (ON_PROD | {BEFORE_ANY_ITEM})}

    assert on_prod - KNOWN.prod == set()
    assert callers.keys() - KNOWN.prod - KNOWN.elsewhere == set()


@pytest.mark.further
def test_whatever_is_listed_is_called(everybody: dict[str, set[str]]) -> None:
    on_prod = {operation for operation, items in everybody.items() if items & (ON_PROD | {BEFORE_ANY_ITEM})}

    assert on_prod == KNOWN.prod - KNOWN.unseen.keys()
    assert everybody.keys() == (KNOWN.prod | KNOWN.elsewhere) - KNOWN.unseen.keys()


@pytest.mark.further
def test_prod_is_only_looked_at(bench: Bench, record_property: Any) -> None:
    """The guard sees AWS's operations alone: what a check sends over HTTP is for its marker to keep away."""
    bench.verify("-m", "CODE-09")  # so that there is a picture to look at
    time.sleep(1)
    began = datetime.now(UTC)
    seen = bench.verify("-m", LIVE, *PLUGIN, AS_PROD="1")
    sent = {event.fields["route"] for event in bench.stack.access_log.events(began)}

    record_property("figure", f"guarded: {len(seen) - len(_not_seen(seen))} of {len(seen)} items pass")
    assert seen.keys() <= ON_PROD
    assert _not_seen(seen) == {}
    # A browser's preflight is answered by the gateway and has no route; what no route wants has $default.
    assert {route for route in sent if not route.startswith("GET ")} <= {"-"}
    assert "GET /health" in sent


def test_the_policy_of_prod_is_enough(user: Verifier, record_property: Any) -> None:
    """Under the guard, too."""
    user.may(verifier(_stack(user.bench), KNOWN.prod))
    seen = user.bench.verify("-m", f"{LIVE} and not browser", *PLUGIN, AS_PROD="1")

    record_property(
        "figure", f"policy of prod: {len(seen) - len(_not_seen(seen))} of {len(seen)} items pass under it"
    )
    assert len(seen) > 30
    assert _not_seen(seen) == {}


@pytest.mark.further
def test_the_whole_policy_is_enough(user: Verifier, record_property: Any) -> None:
    user.may(verifier(_stack(user.bench), KNOWN.prod | KNOWN.elsewhere), *_deploying(user.bench))
    seen = user.bench.verify("-m", f"{LIVE} and not browser")

    record_property(
        "figure", f"whole policy: {len(seen) - len(_not_seen(seen))} of {len(seen)} items pass under it"
    )
    assert len(seen) > 60
    assert _not_seen(seen) == {}


@pytest.mark.further
def test_each_action_is_needed(user: Verifier, everybody: dict[str, set[str]], record_property: Any) -> None:
    """Without it, what is called by an item that passed is not seen any more; never a pass, never a failure."""
    callers: dict[str, set[str]] = defaultdict(set)
    for operation, items in everybody.items():
        callers[action_of(operation)] |= {
            item for item in items if item in ITEMS and How.BROWSER not in ITEMS[item].how
        }
    whole = [verifier(_stack(user.bench), KNOWN.prod | KNOWN.elsewhere), *_deploying(user.bench)]
    granted = {action for statement in whole[0]["Statement"] for action in statement["Action"]}
    granted -= {action_of(operation) for operation in KNOWN.unseen}
    assert granted <= callers.keys()

    unnoticed, wrong = set(), []
    first = {
        action for action in granted if BEFORE_ANY_ITEM in everybody.get(_operation(action, everybody), ())
    }
    for action in first:
        user.may(*whole, without=frozenset({action}))
        done = user.bench.run("-m", "INF-01")
        if done.returncode != 4 or action not in done.stderr:
            unnoticed.add(action)
    for group in apart({action: callers[action] for action in sorted(granted - first)}):
        user.may(*whole, without=frozenset(group))
        seen = user.bench.verify("-m", " or ".join(sorted(set().union(*group.values()))))
        for action, items in group.items():
            if all(seen[item].outcome == "pass" for item in items):
                unnoticed.add(action)
            wrong += [
                f"without {action}: {item} {seen[item]}" for item in items if seen[item].outcome == "fail"
            ]

    record_property(
        "figure",
        f"whole policy: {len(granted - unnoticed)} of {len(granted)} actions, each taken away, are missed; not enforced here: "
        f"{', '.join(sorted(unnoticed)) or 'none'}",
    )
    assert wrong == []
    assert unnoticed == NOT_ENFORCED


def _operation(action: str, called: Mapping[str, set[str]]) -> str:
    return next(operation for operation in called if action_of(operation) == action)
