"""readiness/ledger.py"""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace

import pytest

from readiness import budgets as general
from readiness.errors import BudgetSpent
from readiness.ledger import Ledger
from verification import budgets
from verification.costs import PRICES_OF_RUN

PRICES = replace(PRICES_OF_RUN, image_usd={"a": 0.1, "b": 0.2}.get, enhancement_usd=0.001)


def ledger_at(folder, budget=1.0):
    return Ledger(folder / "ledger", budget, PRICES, item="CODE-09")


@pytest.fixture
def ledger(tmp_path):
    made = ledger_at(tmp_path)
    made.learn({"a": "anthill", "b": "beehive"})
    return made


def accept(ledger, *models):
    ledger.met("POST", "/generate", 202, json.dumps({"prompt": "x", "models": list(models)}))


@pytest.mark.parametrize(
    ("method", "path", "status", "paid"),
    [
        ("POST", "/generate", 202, True),
        ("POST", "/enhance", 200, True),
        ("POST", "/generate", 429, False),
        ("POST", "/enhance", 422, False),
        ("OPTIONS", "/generate", 204, False),
        ("GET", "/health", 200, False),
    ],
)
def test_an_accepted_request_is_paid_and_a_refused_one_is_not(ledger, method, path, status, paid):
    ledger.met(method, path, status, "{}")

    assert PRICES.is_paid(method, path, status) == paid
    assert ledger.summary()["requests"] == int(paid)


def test_a_job_without_models_is_paid_for_every_model(ledger):
    ledger.met("POST", "/generate", 202, '{"prompt": "x"}')

    told = ledger.summary()
    assert told["usd"] == pytest.approx(0.3)
    assert told["images"] == [
        {"vendor": "anthill", "model": "a", "images": 1, "usd": 0.1, "priced": True},
        {"vendor": "beehive", "model": "b", "images": 1, "usd": 0.2, "priced": True},
    ]


@pytest.mark.parametrize("body", [None, "", "no JSON", "[]", '{"models": null}'])
def test_whatever_was_sent_an_accepted_job_is_counted(ledger, body):
    ledger.met("POST", "/generate", 202, body)

    assert ledger.summary()["usd"] == pytest.approx(0.3)


def test_while_the_api_does_not_tell_its_models_nine_are_reckoned(tmp_path):
    ledger = ledger_at(tmp_path)
    ledger.met("POST", "/generate", 202, "{}")

    (row,) = ledger.summary()["images"]
    assert (row["vendor"], row["model"], row["images"]) == ("", "", budgets.MODELS)
    assert row["usd"] == pytest.approx(budgets.MODELS * general.UNTOLD_IMAGE_USD)


def test_a_model_without_a_price_is_reckoned_dear_and_said_to_be(ledger):
    accept(ledger, "own-model")

    (row,) = ledger.summary()["images"]
    assert (row["usd"], row["priced"]) == (general.UNPRICED_IMAGE_USD, False)


def test_a_request_that_would_exceed_the_budget_is_refused_and_reported(ledger):
    accept(ledger, "b", "b", "b", "b")
    told = r"a job would cost about 0\.3000 USD, and 0\.8000 of"
    with pytest.raises(BudgetSpent, match=told) as refused, ledger.hold("a job", models=["a", "b"]):
        pytest.fail("it was let through")

    assert refused.value.cause == "the run's budget of 1 USD for paid requests does not suffice"
    assert ledger.summary()["refused"] == [{"item": "CODE-09", "what": "a job", "usd": 0.3}]


def test_the_whole_budget_may_be_spent(ledger):
    for _ in range(5):
        with ledger.hold("an image", models=["b"]):
            accept(ledger, "b")

    assert ledger.summary()["usd"] == pytest.approx(1.0)


def test_a_budget_of_nothing_lets_nothing_through(tmp_path):
    ledger = ledger_at(tmp_path, budget=0)

    with pytest.raises(BudgetSpent), ledger.hold("an enhanced prompt", enhancements=1):
        pytest.fail("it was let through")


def test_what_is_held_cannot_be_spent_by_another_check(ledger, tmp_path):
    other = ledger_at(tmp_path)
    with (
        ledger.hold("a job", models=["b"] * 4),
        pytest.raises(BudgetSpent),
        other.hold("another", models=["a", "b"]),
    ):
        pytest.fail("it was let through")

    with ledger_at(tmp_path).hold("another", models=["a", "b"]):
        assert ledger.summary()["unsettled_usd"] == pytest.approx(0.3)


def test_what_a_hold_pays_is_not_counted_twice(ledger):
    with ledger.hold("a job and its retry", models=["a", "b", "b"]):
        accept(ledger, "a", "b")
        assert ledger.summary()["usd"] == pytest.approx(0.5)
        accept(ledger, "b")
        assert ledger.summary()["usd"] == pytest.approx(0.5)

    assert ledger.summary()["usd"] == pytest.approx(0.5)


def test_what_was_not_used_of_a_hold_is_free_again(ledger):
    with ledger.hold("ten prompts", enhancements=10):
        ledger.met("POST", "/enhance", 200, "{}")

    assert ledger.summary()["usd"] == pytest.approx(0.001)


def test_more_than_was_held_is_counted_all_the_same(ledger):
    """A page that pays for more than it should has paid for it."""
    with ledger.hold("a retry", models=["a"]):
        ledger.met("POST", "/generate", 202, None)

    assert ledger.summary()["usd"] == pytest.approx(0.3)


def test_a_request_whose_answer_was_lost_stays_held(ledger):
    with ledger.hold("a job", models=["a", "b"]) as hold:
        hold.keep()

    told = ledger.summary()
    assert (told["usd"], told["unsettled_usd"], told["requests"]) == (0.3, 0.3, 0)


def test_the_check_that_asked_is_named(ledger):
    accept(ledger, "a")
    ledger.item = "CODE-11"
    ledger.met("POST", "/enhance", 200, "{}")

    assert [(one["item"], one["requests"], one["images"]) for one in ledger.summary()["items"]] == [
        ("CODE-09", 1, 1),
        ("CODE-11", 1, 0),
    ]


def test_the_cheapest_model_is_the_one_without_surprises(ledger):
    assert ledger.cheapest(["own-model", "b", "a"]) == "a"


def _spend(folder):
    ledger = ledger_at(folder)
    for _ in range(20):
        try:
            with ledger.hold("an image", models=["a"]):
                accept(ledger, "a")
        except BudgetSpent:
            continue


def test_processes_that_spend_at_the_same_time_keep_to_one_budget(tmp_path):
    context = multiprocessing.get_context("spawn")
    spenders = [context.Process(target=_spend, args=(tmp_path,)) for _ in range(3)]
    for spender in spenders:
        spender.start()
    for spender in spenders:
        spender.join()

    told = ledger_at(tmp_path).summary()
    assert told["usd"] == pytest.approx(1.0)
    assert told["requests"] == 10
