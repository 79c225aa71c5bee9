"""CloudWatch's metric math, as far as alarms are judged by it.

Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from readiness.errors import Unverified

Vector = Sequence[float | None]
"""A time series by period, the newest first; None where there is no data point."""

_OPERATIONS: Final[Mapping[type[ast.AST], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}
_OF_ONE: Final[Mapping[str, Callable[[float], float]]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_OF_SEVERAL: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
# What CloudWatch writes in another way than Python.
_SPELLINGS: Final = ((r"\^", "**"), (r"&&|\bAND\b", " and "), (r"\|\||\bOR\b", " or "))


def computed(expression: str, known: Mapping[str, Vector], period: timedelta) -> Vector:
    """Return the value of an expression in each period.

    Args:
        expression: the expression of the alarm.
        known: the series that the expression may name, all of the same length.
        period: the period of every series.

    Raises:
        Unverified: the expression uses a feature that this module does not support.
    """
    text = expression.strip()
    for pattern, ours in _SPELLINGS:
        text = re.sub(pattern, ours, text)
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as problem:
        raise _beyond(expression) from problem
    return _Math(expression, known, period).vector(tree)


def _beyond(text: str) -> Unverified:
    return Unverified(
        f"expected metric math of arithmetic, comparisons, SUM, AVG, MIN, MAX, FILL, IF, RATE, DIFF, PERIOD, ABS, CEIL and FLOOR, "
        f"found '{text}'; look by hand whether the alarm fires",
        cause="metric math that is not understood",
    )


class _Math:
    def __init__(self, expression: str, known: Mapping[str, Vector], period: timedelta) -> None:
        self.expression, self.known, self.seconds = expression, known, period.total_seconds()
        self.length = max((len(series) for series in known.values()), default=0)

    def vector(self, node: ast.AST) -> Vector:
        """The value of one term in each period."""
        found: Vector | None = None
        match node:
            case ast.Constant(value=int() | float() as number):
                found = [float(number)] * self.length
            case ast.Name(id=name):
                found = self.known.get(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                found = [None if one is None else -one for one in self.vector(operand)]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
                found = self._paired(op, left, right)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATIONS:
                found = self._paired(op, left, right)
            case ast.BoolOp(op=op, values=[left, right]):
                found = self._paired(op, left, right)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                found = self._called(name.upper(), arguments)
        if found is None:
            raise _beyond(self.expression)
        return found

    def _paired(self, op: ast.AST, left: ast.AST, right: ast.AST) -> Vector:
        """Points of both sides at the same time; one that is missing leaves a gap, and so does a division by 0."""
        found: list[float | None] = []
        for one, other in zip(self.vector(left), self.vector(right), strict=True):
            try:
                value = None if one is None or other is None else float(_OPERATIONS[type(op)](one, other))
            except (ZeroDivisionError, OverflowError):
                value = None
            found.append(value)
        return found

    def _called(self, name: str, arguments: Sequence[ast.expr]) -> Vector | None:
        found: Vector | None = None
        match name, arguments:
            case _, [ast.List(elts=items)] if name in _OF_SEVERAL:
                found = self._folded(name, [self.vector(item) for item in items])
            case _, [ast.Call(func=ast.Name(id="METRICS"), args=[])] if name in _OF_SEVERAL:
                found = self._folded(name, list(self.known.values()))
            case _, [one] if name in _OF_ONE:
                found = [None if point is None else _OF_ONE[name](point) for point in self.vector(one)]
            case "FILL", [series, instead]:
                pairs = zip(self.vector(series), self.vector(instead), strict=True)
                found = [other if point is None else point for point, other in pairs]
            case "IF", [condition, then]:
                found = self._chosen(condition, then, [None] * self.length)
            case "IF", [condition, then, otherwise]:
                found = self._chosen(condition, then, self.vector(otherwise))
            case "RATE", [series]:
                found = self._changes(series, self.seconds)
            case "DIFF", [series]:
                found = self._changes(series, 1.0)
            case "PERIOD", [_]:
                found = [self.seconds] * self.length
        return found

    def _chosen(self, condition: ast.expr, then: ast.expr, otherwise: Vector) -> Vector:
        chosen = zip(self.vector(condition), self.vector(then), otherwise, strict=True)
        return [None if point is None else yes if point else other for point, yes, other in chosen]

    def _changes(self, series: ast.expr, by: float) -> Vector:
        newest = self.vector(series)
        changes = zip(newest, [*newest[1:], None], strict=True)
        return [None if now is None or before is None else (now - before) / by for now, before in changes]

    def _folded(self, name: str, series: Sequence[Vector]) -> Vector:
        known = [[point for point in points if point is not None] for points in zip(*series, strict=True)]
        return [_OF_SEVERAL[name](points) if points else None for points in known]
