"""usage: python cosmic.py FILE...

Prints the mutants that cosmic-ray's operators make of Python files, as a JSON list. It runs in cosmic-ray's own environment,
where nothing else of this repository is installed; tests/mutants/sources.py starts it.

An entry has the file, the line, the function that it lies in, the operator, and the whole lines before and after. Cosmic-ray
changes no text, so that docstrings and the words of log lines stay as they are. Annotations and blocks under
TYPE_CHECKING are left out here.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

# Such as core/ReplaceBinaryOperator_Add_Sub: one operator for each pair, eleven for each place.
_PAIR = re.compile(r"core/(Replace\w+Operator)_(\w+)_(\w+)")
_Span = tuple[tuple[int, int], tuple[int, int]]


def mutants(file: str) -> Iterator[dict[str, Any]]:
    """The mutants of one file, in an order that is always the same."""
    source = Path(file).read_text(encoding="utf-8")
    tree, parsed = get_ast(source), ast.parse(source)
    left_out, definitions = list(_left_out(parsed)), list(_definitions(parsed))
    names = [name for name in operator_names() if not get_operator(name).arguments()]
    candidates: dict[tuple[str, _Span, str], list[tuple[str, int]]] = {}
    for name in names:
        pair = _PAIR.fullmatch(name)
        operator = get_operator(name)()
        places = [place for node in ast_nodes(tree) for place in operator.mutation_positions(node)]
        for occurrence, (start, end) in enumerate(places):
            if not any(first <= start and end <= last for first, last in left_out):
                kind, member = (pair[1], pair[2]) if pair else (name, str(occurrence))
                candidates.setdefault((kind, (start, end), member), []).append((name, occurrence))
    seen = set()
    for (_, (start, _end), _member), found in candidates.items():
        for name, occurrence in _some(found, names):
            try:
                changed = mutate_code(source, get_operator(name)(), occurrence)
            except AttributeError as problem:
                # Cosmic-ray 8.7.0 cannot replace `module.Error` among several exceptions.
                print(f"{file}, line {start[0]}: {name} breaks off, no mutant: {problem}", file=sys.stderr)
                continue
            if changed is None or changed == source:
                continue
            line, before, after = _difference(source, changed)
            if (line, after) not in seen:
                seen.add((line, after))
                within = [one for first, last, one in definitions if first <= start[0] <= last]
                yield {
                    "file": file,
                    "line": line,
                    "within": within[-1] if within else "",
                    "before": before,
                    "after": after,
                    "operator": name.removeprefix("core/"),
                }


def _some(found: list[tuple[str, int]], names: list[str]) -> list[tuple[str, int]]:
    """What stands for all that one operator can be replaced by: the next one in the tool's order, and the first."""
    pair = _PAIR.fullmatch(found[0][0])
    if pair is None:
        return found
    order = list(dict.fromkeys(one[2] for one in map(_PAIR.fullmatch, names) if one and one[1] == pair[1]))
    return list(dict.fromkeys([found[order.index(pair[2]) % len(found)], found[0]]))


def _left_out(tree: ast.Module) -> Iterator[_Span]:
    """What is not run, or only for those who check types."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts = [node.returns]
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            parts = [node.annotation]
        elif isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            parts = [node]
        for part in parts:
            if part is not None:
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def _definitions(tree: ast.AST, around: str = "") -> Iterator[tuple[int, int, str]]:
    """The first and last line of each class and function with its name; inner ones after outer ones."""
    for node in ast.iter_child_nodes(tree):
        name = around
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{around}.{node.name}".lstrip(".")
            yield min([node.lineno, *(one.lineno for one in node.decorator_list)]), node.end_lineno, name
        yield from _definitions(node, name)


def _difference(before: str, after: str) -> tuple[int, str, str]:
    """The first line that differs, counted from 1, and the lines that differ in both texts."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    end = 0
    while end < min(len(old), len(new)) - first and old[-1 - end] == new[-1 - end]:
        end += 1
    return first + 1, "".join(old[first : len(old) - end]), "".join(new[first : len(new) - end])


if __name__ == "__main__":
    print(json.dumps([one for name in sys.argv[1:] for one in mutants(name)]))
