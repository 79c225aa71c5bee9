"""Schemathesis against a live API: cases made from the contract, answers judged by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.engine import Status, events, from_schema

from verification.application import ROOT

CONTRACT = ROOT / "backend" / "openapi.yaml"
# White space, a blocked subject or a cursor made elsewhere keeps the schema, and is refused by what no schema says.
_GOOD_FOR_VALID_INPUT = ["2xx", "404", "422"]


@dataclass
class Fuzzed:
    """What was tried and what came of it: cases by phase, answers by status, and each way the contract broke."""

    cases: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.cases.total()

    def __str__(self) -> str:
        phases = ", ".join(f"{phase} {count}" for phase, count in self.cases.items())
        answers = ", ".join(f"{status}: {count}" for status, count in sorted(self.answers.items()))
        return f"{self.total} cases ({phases}); answers by status: {answers}"


def fuzz(url: str, ca_bundle: str | None, examples: int, phases: Sequence[str] = ()) -> Fuzzed:
    """Try every operation of the contract.

    Args:
        url: the API's base.
        ca_bundle: whom to trust.
        examples: random cases an operation at most; examples, boundaries and wrong methods come on top.
        phases: examples, coverage, fuzzing, stateful; all when empty.
    """
    wanted = phases or ("examples", "coverage", "fuzzing", "stateful")
    settings: dict[str, Any] = {
        "base-url": url,
        "tls-verify": ca_bundle or True,
        "request-timeout": 30,
        "workers": 1,
        "continue-on-failure": True,
        "generation": {
            "max-examples": examples,
            "deterministic": True,
            "database": "none",
            "no-shrink": True,
        },
        "phases": {
            phase: {"enabled": phase in wanted} for phase in ("examples", "coverage", "fuzzing", "stateful")
        },
        "checks": {"positive_data_acceptance": {"expected-statuses": _GOOD_FOR_VALID_INPUT}},
    }
    schema = schemathesis.openapi.from_path(str(CONTRACT), config=schemathesis.Config.from_dict(settings))
    seen = Fuzzed()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(seen, event)
        elif isinstance(event, events.NonFatalError):
            seen.problems[f"{event.label}: {type(event.value).__name__}"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception
    return seen


def _note(seen: Fuzzed, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    seen.cases[event.phase.value] += len(recorder.interactions)
    for interaction in recorder.interactions.values():
        seen.answers[interaction.response.status_code if interaction.response else 0] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info:
                operation = recorder.cases[case_id].value.operation.label
                seen.problems.setdefault(
                    f"{operation}: {check.name}",
                    f"{check.failure_info.failure}\n{check.failure_info.code_sample}",
                )
