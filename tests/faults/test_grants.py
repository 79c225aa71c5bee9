"""Each action that a function's role grants is used on that very resource, by calls that the function was seen to make.

AWS shows such calls to nobody in time: CloudTrail records those on rows, objects and messages only where somebody pays for it,
and IAM tells the service that was used last, hours later. The embedded AWS records them, so that the template's grants are held
against them here; on a live stack SEC-08 asks what a function is told of, and SEC-24 what its code calls (ADR 37).
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest

from readiness.aws.policy import matches, read
from readiness.environment import named_by_iam
from readiness.probes.called_actions import OF_A_QUEUES_READER, OF_EVERY_FUNCTION
from tests.faults.bench import Bench
from tests.faults.refusals import LIVE
from verification.probes.api import Api

pytestmark = [pytest.mark.further]

ON_BEHALF = {action.lower() for action in OF_EVERY_FUNCTION | OF_A_QUEUES_READER}
"""What Lambda itself calls; that it has to, SEC-24 and CODE-09 say."""


@dataclass(frozen=True)
class Call:
    """What a function asked of AWS."""

    role: str
    action: str
    resource: str


def unused(role: str, statements: Iterable[Mapping[str, Any]], calls: Sequence[Call]) -> Iterator[str]:
    """Each pair of an action and a resource that a role is granted, and that no call of it was about."""
    own = [call for call in calls if call.role == role]
    for statement in read(statements):
        for action in statement.named_actions if statement.allows else ():
            for resource in statement.resources or [statement.where]:
                if action.lower() not in ON_BEHALF and not any(
                    matches(action.lower(), call.action.lower()) and matches(resource, call.resource)
                    for call in own
                ):
                    yield f"{action} on {resource}"


def _record(bench: Bench, method: str) -> Any:
    url = f"{bench.env.endpoint_url}/_embedded/calls".replace("https:", "http:")
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return json.loads(answer.read())


@contextmanager
def _nothing_sent(bench: Bench) -> Iterator[None]:
    """The API may not hand jobs over."""
    client, which = (
        bench.client("iam"),
        {"RoleName": bench.physical("ApiFunctionRole"), "PolicyName": "nothing-sent"},
    )
    denial = {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "*"}
    client.put_role_policy(**which, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": denial}))
    try:
        yield
    finally:
        client.delete_role_policy(**which)


@pytest.fixture(scope="module")
def calls(bench: Bench) -> Sequence[Call]:
    """What the functions call while the checklist is run, and when a job cannot be handed over."""
    _record(bench, "PUT")
    seen = bench.verify("-m", f"{LIVE} and not browser and not drill")
    with _nothing_sent(bench):
        answer = Api(bench.env, bench.stack.formation.output("ApiEndpoint")).call(
            "POST", "/generate", json_body={"prompt": "a tulip"}
        )
    assert answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR, answer
    recorded = _record(bench, "DELETE")
    assert {item: one for item, one in seen.items() if not one.good} == {}
    return [
        Call(call["principal"].split("/")[1], named_by_iam(call["action"]), call["resource"])
        for call in recorded
        if ":assumed-role/" in call["principal"]
    ]


def test_every_grant_is_used_on_its_resource(
    bench: Bench, calls: Sequence[Call], record_property: Any
) -> None:
    roles = {role.name: role.statements for role in bench.stack.roles.values()}
    pairs = {(call.role, call.action, call.resource) for call in calls}
    record_property("figure", f"calls of functions: {len(calls)}, {len(pairs)} of them different")

    assert {role for role, _, _ in pairs} == {*roles}, "a function was not seen to call anything"
    assert {
        role: idle for role, statements in roles.items() if (idle := [*unused(role, statements, calls)])
    } == {}


@pytest.mark.parametrize(
    ("action", "of"),
    [
        ("s3:PutObject", "SiteBucket"),
        ("dynamodb:Query", "JobsTable"),
        ("sqs:SendMessage", "JobsQueue"),
    ],
)
def test_an_unused_grant_is_detected(bench: Bench, calls: Sequence[Call], action: str, of: str) -> None:
    """Also where the code calls the action elsewhere, or the other function does."""
    arns = {
        "SiteBucket": f"arn:aws:s3:::{bench.physical('SiteBucket')}/*",
        "JobsTable": bench.stack.table.arn,
        "JobsQueue": bench.stack.queue.arn,
    }
    worker = bench.stack.roles[bench.stack.worker.name].name
    extra = {"Effect": "Allow", "Action": action, "Resource": arns[of]}

    assert [*unused(worker, [extra], calls)] == [f"{action} on {arns[of]}"]
