"""Cron expressions in Cloudflare's dialect: which minutes they name, in UTC. Pure.

Five fields: minute, hour, day of month, month, day of week. Weekdays are 1 to 7 from
Sunday, or names. Where both day fields are restricted, a day matches when either does.
"""

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from selfedge.bindings.cron.errors import InvalidCron
from selfedge.bindings.cron.expression.days import Day, of_month, of_week
from selfedge.bindings.cron.expression.fields import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOUR,
    MINUTE,
    MONTH,
    values,
)
from selfedge.bindings.cron.limits import EXPRESSION_MAX_CHARS

_FIELDS = (MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)
_MINUTE_S = 60
_YEARS = 400  # after which the calendar repeats itself

Rule = Callable[[Day], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """An expression that was read."""

    text: str  # its fields, with single spaces
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    of_month: Rule | None  # None: any day
    of_week: Rule | None

    def matches(self, at: float) -> bool:
        """Return whether the minute of `at`, in seconds since the epoch, is named."""
        moment = datetime.fromtimestamp(at, UTC)
        return (
            moment.minute in self.minutes
            and moment.hour in self.hours
            and moment.month in self.months
            and self._day(moment.date())
        )

    def next(self, after: float) -> int | None:
        """Return the first named minute after `after`, in seconds; None: never."""
        start = int(after) // _MINUTE_S * _MINUTE_S + _MINUTE_S
        first = datetime.fromtimestamp(start, UTC)
        for day in self._days(first.date()):
            earliest = first.hour * 60 + first.minute if day == first.date() else 0
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    if hour * 60 + minute >= earliest:
                        found = datetime(
                            day.year, day.month, day.day, hour, minute, tzinfo=UTC
                        )
                        return int(found.timestamp())
        return None

    def _days(self, first: date) -> Iterator[date]:
        """Yield the named days from `first` on."""
        for count in range(_YEARS * 12):
            month = first.month - 1 + count
            year, number = first.year + month // 12, month % 12 + 1
            if year > date.max.year:
                return
            if number not in self.months:
                continue
            start = first.day if count == 0 else 1
            for day in range(start, calendar.monthrange(year, number)[1] + 1):
                found = date(year, number, day)
                if self._day(found):
                    yield found

    def _day(self, day: date) -> bool:
        rules = [rule for rule in (self.of_month, self.of_week) if rule is not None]
        given = Day.of(day)
        return not rules or any(rule(given) for rule in rules)


def parse(text: str) -> Cron:
    """Return the expression `text`.

    Raises:
        InvalidCron: it is none; the message names the field.
    """
    fields = text.split() if len(text) <= EXPRESSION_MAX_CHARS else []
    if len(fields) != len(_FIELDS):
        raise InvalidCron(text, f"it has {len(text.split())} fields, not 5")
    minute, hour, of_month_text, month, of_week_text = fields
    try:
        cron = Cron(
            text=" ".join(fields),
            minutes=values(minute, MINUTE),
            hours=values(hour, HOUR),
            months=values(month, MONTH),
            of_month=of_month(of_month_text),
            of_week=of_week(of_week_text),
        )
    except ValueError as error:
        raise InvalidCron(text, str(error)) from error
    if cron.next(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) is None:
        raise InvalidCron(text, "it never matches: the day of month is in no month")
    return cron


def shown(at: float) -> str:
    """Return a time as people read it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def following(cron: Cron, after: float, count: int) -> list[int]:
    """Return the next `count` times after `after`, in seconds."""
    found: list[int] = []
    at: float | None = after
    while at is not None and len(found) < count:
        at = cron.next(at)
        if at is not None:
            found.append(at)
    return found
