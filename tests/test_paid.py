"""Whatever check can make an AI provider work is marked `paid` in the checklist, and nothing else is.

A check is followed through its fixtures, and through every function and constant of the suite that it names. What
it sends is bounded where it holds the price first (`Ledger.hold`), which is what is looked for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import pytest

from readiness import checklist
from readiness.application import CHECKLIST
from readiness.checklist import How
from verification.application import ROOT

# What makes a vendor work, or keeps the price of that.
PAYS = {"hold", "paying"}
# What may make one work, unless it is refused or answered by the check itself.
ASKS = {"/generate", "/enhance", "Generate", "Try again"}
NOBODY_IS_PAID = {
    "CODE-12": "every request is invalid",
    "CODE-14": "the button is that of the error boundary",
    "CODE-15": "the check answers the page's request",
    "CODE-16": "the check answers the page's request",
    "CODE-25": "every prompt holds a blocked word",
    "CDN-07": "the request is invalid",
    "SEC-07": "preflights ask for leave alone",
    "SEC-14": "every request is too large, or its prompt is blocked",
}
# They pay where the run may, and else take what is there.
MAY_PAY = {"shown_job", "listed_job"}

Node = ast.FunctionDef | ast.Assign | ast.AnnAssign


@dataclass
class Module:
    """One module of the suite: what stands at its top level, and which names it has from others."""

    nodes: dict[str, Node] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


@cache
def modules() -> dict[str, Module]:
    found = {}
    files = (file for package in ("readiness", "verification") for file in (ROOT / package).rglob("*.py"))
    for file in sorted(files):
        if "embedded" not in file.parts:
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found[name] = read(file.read_text(encoding="utf-8"))
    return found


def read(source: str) -> Module:
    module = Module()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            module.nodes[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            module.nodes.update({one.id: node for one in targets if isinstance(one, ast.Name)})
        elif isinstance(node, ast.ImportFrom) and node.module:
            module.imports.update({one.asname or one.name: (node.module, one.name) for one in node.names})
        elif isinstance(node, ast.ClassDef):
            module.nodes.update(
                {f".{each.name}": each for each in node.body if isinstance(each, ast.FunctionDef)}
            )
    return module


@cache
def methods() -> Mapping[str, frozenset[tuple[str, str]]]:
    """Methods by their name alone: whose they are, nobody can tell from a call."""
    found: dict[str, set[tuple[str, str]]] = {}
    for name, module in modules().items():
        for own in module.nodes:
            if own.startswith("."):
                found.setdefault(own[1:], set()).add((name, own))
    return {name: frozenset(where) for name, where in found.items()}


FIXTURES, CHECK_MODULES = "verification.fixtures", "verification.checks."


def named(where: str, node: Node) -> Iterator[tuple[str, str]]:
    """What else of the suite a function or constant names."""
    module, fixtures = modules()[where], modules()[FIXTURES].nodes
    parameters: set[str] = set()
    if isinstance(node, ast.FunctionDef):
        parameters = {one.arg for one in [*node.args.args, *node.args.kwonlyargs]}
        texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}  # as in usefixtures
        if where == FIXTURES or node.name.startswith("test_"):
            yield from ((FIXTURES, name) for name in (parameters | texts) & fixtures.keys() - MAY_PAY)
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and one.id not in parameters:
            source, name = module.imports.get(one.id, (where, one.id))
            if name in modules().get(source, Module()).nodes:
                yield source, name
        elif isinstance(one, ast.Attribute):
            yield from methods().get(one.attr, frozenset())


@cache
def following(where: str, name: str) -> frozenset[tuple[str, str]]:
    return frozenset(named(where, modules()[where].nodes[name]))


@cache
def reached(where: str, name: str) -> frozenset[tuple[str, str]]:
    """Everything of the suite that a function can lead to."""
    seen, left = set[tuple[str, str]](), [(where, name)]
    while left:
        if (here := left.pop()) not in seen:
            seen.add(here)
            left += following(*here)
    return frozenset(seen)


def pays(where: str, name: str) -> bool:
    calls = [one.func for one in ast.walk(modules()[where].nodes[name]) if isinstance(one, ast.Call)]
    return any(isinstance(called, ast.Attribute) and called.attr in PAYS for called in calls)


def asks(where: str, name: str) -> bool:
    texts = {one.value for one in ast.walk(modules()[where].nodes[name]) if isinstance(one, ast.Constant)}
    return where.startswith((CHECK_MODULES, FIXTURES)) and bool(texts & ASKS)


def item_of(test: Node) -> str:
    marks = [mark for mark in getattr(test, "decorator_list", ()) if isinstance(mark, ast.Call)]
    return next(
        (str(mark.args[0].value) for mark in marks if ast.unparse(mark.func) == "pytest.mark.item"),
        "",  # type: ignore[attr-defined]
    )


CHECKS = {
    item: (where, name)
    for where, module in modules().items()
    if where.startswith(CHECK_MODULES)
    for name, node in module.nodes.items()
    if (item := item_of(node))
}
PAID = {item.id for item in checklist.load(ROOT / CHECKLIST).values() if How.PAID in item.how}


@pytest.mark.parametrize("item", CHECKS)
def test_a_check_that_can_make_a_provider_work_is_marked_paid_and_no_other(item: str) -> None:
    payers = sorted(here for here in reached(*CHECKS[item]) if pays(*here))

    assert bool(payers) == (item in PAID), (
        f"{item}: PRODUCTION_CHECKLIST.md {'marks' if item in PAID else 'does not mark'} it as paid, and what it can "
        f"make an AI provider work by is {payers}"
    )


@pytest.mark.parametrize("item", CHECKS)
def test_a_check_that_asks_a_paid_route_pays_or_is_refused(item: str) -> None:
    """Otherwise it would pay without holding the price first, and nothing would bound it."""
    askers = sorted(here for here in reached(*CHECKS[item]) if asks(*here))

    assert bool(askers) <= (item in PAID or item in NOBODY_IS_PAID), f"{item} asks in {askers}"
    assert (item in NOBODY_IS_PAID) <= bool(askers), (
        f"{item} asks no paid route; take it out of NOBODY_IS_PAID"
    )


@pytest.mark.parametrize("fixture", sorted(MAY_PAY))
def test_what_may_pay_takes_what_is_there_where_the_run_may_not(fixture: str) -> None:
    calls = {
        ast.unparse(one.func)
        for one in ast.walk(modules()[FIXTURES].nodes[fixture])
        if isinstance(one, ast.Call)
    }

    assert {"_may_make", "api.newest_job"} <= calls


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("def test_it(api): api.generate('x')", True),
        ("def test_it(api): made = helper(api)\ndef helper(api): return api.generate('x')", True),
        ("def test_it(job): pass", True),
        ("@pytest.mark.usefixtures('job')\ndef test_it(): pass", True),
        ("def test_it(page):\n  with page.ledger.hold('x'): pass", True),
        ("from verification.probes.traffic import traffic\ndef test_it(api): traffic(api)", False),
        ("def test_it(untouched_image): untouched_image()", False),
        ("def test_it(shown_job): shown_job.sample_url", False),
    ],
)
def test_payments_are_found_through_fixtures_and_helpers(
    check: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"made_up_{abs(hash(check))}"
    monkeypatch.setitem(modules(), module, read(check))

    assert any(pays(*here) for here in reached(module, "test_it")) == expected
