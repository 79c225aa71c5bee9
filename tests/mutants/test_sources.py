"""Mutants of a source are what the tool makes of it, with a stand-in for cosmic-ray; each differs in one place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from readiness.errors import UsageProblem
from tests.mutants import sources
from tests.mutants.mutant import Rewritten

# Cosmic-ray as cosmic.py uses it: numbers plus one, `<` replaced by each of three, and an operator that fails.
STANDIN = {
    "__init__": "",
    "ast": """
def get_ast(source):
    return source
def ast_nodes(tree):
    return [tree]
""",
    "plugins": r"""
import re
class Operator:
    pattern, new = "", ""
    @classmethod
    def arguments(cls):
        return ()
    def matches(self, source):
        return list(re.finditer(self.pattern, source))
    def mutation_positions(self, source):
        for one in self.matches(source):
            line = source.count("\n", 0, one.start()) + 1
            column = one.start() - source.rfind("\n", 0, one.start()) - 1
            yield (line, column), (line, column + len(one[0]))
def made(pattern, new):
    return type("Made", (Operator,), {"pattern": pattern, "new": new})
def fails(self, source):
    raise AttributeError("no value")
OPERATORS = {
    f"core/ReplaceComparisonOperator_{old}_{new}": made(f"(?<= ){sign}(?= )", other)
    for old, sign in (("Eq", "=="), ("Lt", "<"), ("LtE", "<="))
    for new, other in (("Eq", "=="), ("Lt", "<"), ("LtE", "<="), ("Gt", ">"))
    if old != new
}
OPERATORS["core/NumberReplacer"] = made(r"\b\d+\b", "7")
OPERATORS["core/ExceptionReplacer"] = made("OSError", None)
def operator_names():
    return tuple(OPERATORS)
def get_operator(name):
    return OPERATORS[name]
""",
    "mutating": """
def mutate_code(source, operator, occurrence):
    if operator.new is None:
        raise AttributeError("no value")
    one = operator.matches(source)[occurrence]
    return source[: one.start()] + operator.new + source[one.end() :]
""",
}
SOURCE = '''\
"""Waits."""
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    LEVEL = 1


class Shop:
    wait: Literal[3] = 4

    def pay(self, sum: Literal[5]) -> Literal[6]:
        try:
            return sum < 9
        except OSError:
            return False
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in STANDIN.items():
        file = tmp_path / "tool" / "cosmic_ray" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "tool"))
    (tmp_path / "app" / "src" / "shop").mkdir(parents=True)
    (tmp_path / "app" / "src" / "shop" / "pay.py").write_text(SOURCE)
    return tmp_path / "app"


def made(folder: Path) -> list[Rewritten]:
    return sources.mutants_of("app", folder, (sys.executable, "-P", sources.TOOL[-1]))


def test_what_is_run_is_changed_and_what_only_types_are_for_is_not(folder: Path) -> None:
    says = {mutant.says for mutant in made(folder)}

    assert says == {
        "line 9: wait: Literal[3] = 4 -> wait: Literal[3] = 7",
        "line 13: return sum < 9 -> return sum < 7",
        # Of three other comparisons the next one in the tool's order and the first.
        "line 13: return sum < 9 -> return sum <= 9",
        "line 13: return sum < 9 -> return sum == 9",
    }


def test_a_mutant_differs_in_its_line_alone_and_is_called_by_its_place(folder: Path) -> None:
    mutants = {mutant.id: mutant for mutant in made(folder)}

    one = mutants["app/src/shop/pay.py/Shop.pay/ReplaceComparisonOperator_Lt_LtE"]
    assert one.text == SOURCE.replace("sum < 9", "sum <= 9")
    assert (one.file, one.type, one.resource) == ("src/shop/pay.py", "shop/pay.py", "")
    assert set(mutants) >= {"app/src/shop/pay.py/Shop/NumberReplacer"}
    assert one.applied({"Resources": {}}) == {"Resources": {}}


def test_a_place_where_an_operator_breaks_off_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(folder)

    assert "pay.py, line 14: core/ExceptionReplacer breaks off, no mutant" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("raise SystemExit(3)", "ended with 3"),
        ("print('Traceback')", "wrote no JSON"),
        ("print([])", "made no mutant"),
    ],
)
def test_a_tool_that_did_not_look_is_an_error(folder: Path, script: str, complaint: str) -> None:
    with pytest.raises(UsageProblem, match=complaint):
        sources.mutants_of("app", folder, (sys.executable, "-c", script))


def test_a_tool_that_is_not_there_is_an_error_with_the_next_step(folder: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cross-examine\.sh --tools"):
        sources.mutants_of("app", folder, (str(folder / "none"),))
