"""The day fields of a cron expression: which days `L`, `W` and `#` mean."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from selfedge.bindings.cron.expression.fields import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    value,
    values,
    whole,
)

_SUNDAY, _SATURDAY = 0, 6
_FROM_LAST = re.compile(r"L-(\d{1,2})(W?)", re.ASCII)
_DAYS_BACK_MAX = 30
_WEEKS_MAX = 5
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Day:
    """A day in its month."""

    number: int
    weekday: int  # from Sunday, 0
    last: int  # of its month

    @classmethod
    def of(cls, day: date) -> "Day":
        """Return a date as its month has it."""
        return cls(
            day.day,
            day.isoweekday() % _WEEK,
            calendar.monthrange(day.year, day.month)[1],
        )

    def weekday_of(self, number: int) -> int:
        """Return the weekday of another day of this month."""
        return (self.weekday + number - self.number) % _WEEK


Rule = Callable[[Day], bool]


def of_month(text: str) -> Rule | None:
    """Return which days the field for the day of month names; None: all.

    Raises:
        ValueError: it is wrong; the message names the field.
    """
    if text == "*":
        return None
    if text in {"L", "LW"}:
        return _from_last(0, working=text == "LW")
    if found := _FROM_LAST.fullmatch(text):
        back = int(found[1])
        if not 1 <= back <= _DAYS_BACK_MAX:
            raise ValueError(f"the day of month field has {text[:20]!r}")
        return _from_last(back, working=bool(found[2]))
    if text.endswith("W"):
        wanted = value(text[:-1], DAY_OF_MONTH)
        return lambda day: wanted <= day.last and day.number == _working(day, wanted)
    days = values(text, DAY_OF_MONTH)
    return lambda day: day.number in days


def of_week(text: str) -> Rule | None:
    """Return which days the field for the day of week names; None: all.

    Raises:
        ValueError: it is wrong; the message names the field.
    """
    if text == "*":
        return None
    if text == "L":
        return lambda day: day.weekday == _SATURDAY
    if text.endswith("L"):
        wanted = value(text[:-1], DAY_OF_WEEK) - 1
        return lambda day: day.weekday == wanted and day.number + _WEEK > day.last
    if "#" in text:
        name, _, which = text.partition("#")
        wanted, nth = value(name, DAY_OF_WEEK) - 1, whole(which)
        if nth is None or not 1 <= nth <= _WEEKS_MAX:
            raise ValueError(f"the day of week field has {text[:20]!r}")
        return lambda day: (
            day.weekday == wanted and (day.number - 1) // _WEEK + 1 == nth
        )
    days = values(text, DAY_OF_WEEK)
    return lambda day: day.weekday + 1 in days


def _from_last(back: int, *, working: bool) -> Rule:
    """Return the rule of `L`, `L-3`, `LW` and `L-3W`."""

    def rule(day: Day) -> bool:
        wanted = day.last - back
        if wanted < 1:
            return False
        return day.number == (_working(day, wanted) if working else wanted)

    return rule


def _working(day: Day, wanted: int) -> int:
    """Return the day from Monday to Friday that is nearest, in the same month."""
    weekday = day.weekday_of(wanted)
    if weekday == _SATURDAY:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == _SUNDAY:
        return wanted + 1 if wanted < day.last else wanted - 2
    return wanted
