"""Whether a cron expression of EventBridge ever comes round.

Source: EventBridge User Guide, "Setting a schedule pattern for scheduled rules in Amazon EventBridge", cron expressions.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date
from typing import Final

_FORM: Final = re.compile(r"cron\((.*)\)")
_FIELDS: Final = 6  # minutes, hours, day of the month, month, day of the week, year
_LAST_YEAR: Final = 2199
_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_ANY: Final = ("*", "?")


def comes_round(expression: str, today: date) -> bool:
    """Whether a day that a cron expression names is still to come; True for what is not understood.

    Args:
        expression: a rule's or a schedule's, such as `cron(0 8 1 * ? *)`.
        today: counts as still to come.
    """
    form = _FORM.fullmatch(expression.strip())
    fields = form[1].upper().split() if form else []
    if len(fields) != _FIELDS:
        return True
    _, _, days, months, weekdays, years = fields
    try:
        left = [
            (year, month)
            for year in _numbers(years, 1970, _LAST_YEAR, {})
            for month in _numbers(months, 1, 12, _MONTHS)
            if (year, month) >= (today.year, today.month)
        ]
        # Every month has each day of the week, and a last day.
        if days in _ANY or weekdays not in _ANY or "L" in days:
            return bool(left)
        wanted = _numbers(days.replace("W", ""), 1, 31, {})
    except ValueError:
        return True
    return any(
        day <= calendar.monthrange(year, month)[1] and date(year, month, day) >= today
        for year, month in left
        for day in wanted
    )


def _numbers(field: str, least: int, most: int, names: Mapping[str, int]) -> set[int]:
    """The numbers that a field names.

    Raises:
        ValueError: it is not understood.
    """
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = (str(least), "-", str(most)) if span in _ANY else span.partition("-")
        start = names.get(first) or int(first)
        end = (names.get(last) or int(last)) if dash else most if step else start
        if start > end:
            raise ValueError(field)
        found |= {*range(start, end + 1, int(step or 1))}
    return found
