"""What an account lacks is said before a deployment begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
import pytest

from readiness.errors import UsageProblem
from tests.answering import Answering
from verification.application import ROOT
from verification.deployment.account import models_to_subscribe, require_concurrency
from verification.deployment.parameters import document
from verification.deployment.standing import Standing

TEMPLATE = document(ROOT / "backend" / "template.yaml")
STAGING = {"ApiReservedConcurrency": "100", "WorkerReservedConcurrency": "110", "WorkerConcurrency": "100"}
NOTHING = {"ApiReservedConcurrency": "0", "WorkerReservedConcurrency": "0", "WorkerConcurrency": "5"}
DENIED = botocore.exceptions.ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetAccountSettings")
SUBSCRIBED = {
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}
THIRD_PARTY = "arn:${AWS::Partition}:bedrock:us-west-2::foundation-model/stability.some-v1:0"
GRANTS = {"Resources": {"Role": {"Policies": [{"Resource": [f"{THIRD_PARTY}", "arn:aws:s3:::bucket"]}]}}}


@dataclass
class Account:
    """An account's answers."""

    limit: int = 1000
    unreserved: int = 1000
    failure: Exception | None = None
    model: Mapping[str, Any] = field(default_factory=lambda: SUBSCRIBED)
    asked: list[tuple[str | None, str]] = field(default_factory=list)

    def __call__(self, service: str, region: str | None = None) -> Any:
        """A client of the service in that region, the home region without one."""
        limits = {
            "ConcurrentExecutions": self.limit,
            "UnreservedConcurrentExecutions": self.unreserved,
        }
        answers = {
            "lambda:GetAccountSettings": lambda _: self._told(region, "", {"AccountLimit": limits}),
            "bedrock:GetFoundationModelAvailability": lambda asked: self._told(
                region, asked["modelId"], self.model
            ),
        }
        return Answering(answers).client(service, region)

    def _told(
        self, region: str | None, what: str, answer: Mapping[str, Any]
    ) -> Mapping[str, Any] | Exception:
        self.asked.append((region, what))
        return self.failure or answer


def need(account: Account, passed: Mapping[str, str], found: Standing = Standing(None)) -> str | None:  # noqa: B008
    return require_concurrency(account, TEMPLATE, passed, found)


def test_a_fresh_account_is_refused_with_what_to_do() -> None:
    """CloudFormation would fail in the middle of the creation, and keep what it had made."""
    with pytest.raises(UsageProblem) as refused:
        need(Account(10, 10), STAGING)

    for told in (
        "reserves 210 executions of Lambda (ApiReservedConcurrency=100 WorkerReservedConcurrency=110)",
        "has room for 0: its quota is 10, 0 are reserved elsewhere, and 10 have to stay unreserved",
        "'Concurrent executions' (L-B99A9384 of Lambda, in Service Quotas) raised to 310 or more",
        "or reserve nothing: --parameter ApiReservedConcurrency=0 --parameter WorkerReservedConcurrency=0",
    ):
        assert told in str(refused.value)


@pytest.mark.parametrize(
    ("account", "passed", "fits"),
    [
        (Account(10, 10), NOTHING, True),
        (Account(1000, 1000), STAGING, True),
        (Account(310, 310), STAGING, True),
        (Account(309, 309), STAGING, False),
        (Account(1000, 309), STAGING, False),
    ],
)
def test_room_is_what_lambda_lets_be_reserved(
    account: Account, passed: dict[str, str], *, fits: bool
) -> None:
    try:
        assert need(account, passed) is None
    except UsageProblem:
        assert not fits
    else:
        assert fits


def test_what_the_stack_holds_already_is_its_own() -> None:
    """Deploying again must not need the room twice."""
    account = Account(1000, 250)

    assert need(account, STAGING, Standing("UPDATE_COMPLETE", parameters=STAGING)) is None
    with pytest.raises(UsageProblem, match=r"540 are reserved elsewhere.* raised to 960 or more"):
        need(
            Account(750, 0),
            {**STAGING, "WorkerReservedConcurrency": "220"},
            Standing("UPDATE_COMPLETE", parameters=STAGING),
        )
    with pytest.raises(UsageProblem, match="room for 150"):
        need(account, STAGING, Standing("ROLLBACK_COMPLETE", parameters=STAGING))


def test_no_request_is_sent_if_nothing_is_reserved() -> None:
    account = Account()

    assert need(account, NOTHING) is None
    assert account.asked == []


def test_what_cannot_be_asked_is_a_note() -> None:
    note = need(Account(failure=DENIED), STAGING)

    assert note is not None
    assert "allow lambda:GetAccountSettings" in note


def test_every_model_that_a_role_may_call_is_asked_for_where_it_is_called() -> None:
    account = Account()

    assert models_to_subscribe(account, TEMPLATE) == []
    assert len(account.asked) >= 2
    assert all(region and model for region, model in account.asked)


def test_a_model_without_a_subscription_is_reported_with_the_operators_step() -> None:
    """Its calls work for a quarter of an hour, so that the deployment's own tests would pass."""
    unsubscribed = {
        **SUBSCRIBED,
        "agreementAvailability": {"status": "NOT_AVAILABLE", "errorMessage": "no payment"},
        "entitlementAvailability": "NOT_AVAILABLE",
    }

    (note,) = models_to_subscribe(Account(model=unsubscribed), GRANTS)

    assert note.startswith(
        "stability.some-v1:0 in us-west-2: this account has no subscription to it (agreement "
    )
    assert "NOT_AVAILABLE, entitlement NOT_AVAILABLE; no payment)" in note
    assert "some 15 minutes" in note
    assert "'Before the first deployment' in docs/DEPLOYMENT.md" in note


@pytest.mark.parametrize(
    ("account", "told"),
    [
        (Account(failure=DENIED), "allow bedrock:GetFoundationModelAvailability"),
        (Account(model={**SUBSCRIBED, "regionAvailability": "NOT_AVAILABLE"}), "does not offer it there"),
        (Account(model={}), "(agreement None"),
    ],
)
def test_what_else_can_be_wrong_with_a_model(account: Account, told: str) -> None:
    (note,) = models_to_subscribe(account, GRANTS)

    assert told in note
