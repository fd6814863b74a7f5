"""Cron expressions: Cloudflare's dialect, against a brute-force reading of it."""

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedge.bindings.cron.errors import InvalidCron
from selfedge.bindings.cron.expression import following, parse
from selfedge.bindings.cron.expression.fields import DAY_OF_WEEK, MONTH

START = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
MONTHS = [name.upper() for name in MONTH.names]
DAYS = [name.upper() for name in DAY_OF_WEEK.names]


def times(text, count=3, start=START):
    found = following(parse(text), start.timestamp(), count)
    return [f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", ["2026-11-25 02:31", "2026-11-25 02:32"]),
        ("*/15 * * * *", ["2026-11-25 02:45", "2026-11-25 03:00"]),
        ("0 9 * * 2-6", ["2026-11-25 09:00", "2026-11-26 09:00", "2026-11-27 09:00"]),
        ("0 9 * * MON", ["2026-11-30 09:00"]),
        ("0 9 * * 1", ["2026-11-29 09:00"]),  # Sunday is 1
        ("0 0 L * *", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("0 0 L-2 * *", ["2026-11-28 00:00", "2026-12-29 00:00"]),
        ("0 0 LW * *", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-29 00:00"]),
        ("0 0 15W * *", ["2026-12-15 00:00", "2027-01-15 00:00", "2027-02-15 00:00"]),
        ("0 0 1W * *", ["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"]),
        ("0 0 * * 6L", ["2026-11-27 00:00", "2026-12-25 00:00"]),
        ("0 0 * * L", ["2026-11-28 00:00"]),
        ("0 0 * * MON#1", ["2026-12-07 00:00", "2027-01-04 00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 1 * MON", ["2026-11-30 00:00", "2026-12-01 00:00"]),  # either
        ("5,10-12 2 * JAN *", ["2027-01-01 02:05", "2027-01-01 02:10"]),
        ("50/5 * * * *", ["2026-11-25 02:50", "2026-11-25 02:55"]),
    ],
)
def test_the_next_times(text, expected):
    assert times(text, len(expected)) == expected


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * 32 * *", "day of month"),
        ("* * L-31 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * FOO *", "month"),
        ("* * * * 8", "day of week"),
        ("* * * * 0", "day of week"),
        ("* * * * MON#6", "day of week"),
        ("*/0 * * * *", "minute"),
        ("*/61 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("1,* * * * *", "minute"),
        ("1-2-3 * * * *", "minute"),
        ("1/2/3 * * * *", "minute"),
        ("? * * * *", "minute"),
        ("² * * * *", "minute"),
        ("* * 30 2 *", "day of month"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("", "0 fields"),
    ],
)
def test_a_wrong_expression_names_its_field(text, field):
    with pytest.raises(InvalidCron, match=field):
        parse(text)


def test_the_text_has_single_spaces():
    assert parse("  */5   *\t* * *").text == "*/5 * * * *"


def items(first, last, names):
    number = st.integers(first, last)
    shown = number.map(str)
    if names:
        shown = st.one_of(shown, number.map(lambda n: names[n - first]))
    spans = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    steps = st.integers(1, last - first)
    return st.one_of(
        shown,
        spans,
        st.tuples(spans, steps).map(lambda one: f"{one[0]}/{one[1]}"),
        steps.map(lambda step: f"*/{step}"),
    )


def fields(first, last, names=()):
    several = st.lists(items(first, last, names), min_size=1, max_size=3)
    return st.one_of(st.just("*"), several.map(",".join))


day_of_month = st.one_of(
    fields(1, 28),
    st.sampled_from(["L", "LW", "L-3", "L-5W", "1W", "15W", "28W"]),
)
day_of_week = st.one_of(
    fields(1, 7, DAYS),
    st.sampled_from(["L", "6L", "SUNL", "MON#2", "7#5"]),
)
expressions = st.tuples(
    fields(0, 59), fields(0, 23), day_of_month, fields(1, 12, MONTHS), day_of_week
)


@settings(deadline=None, max_examples=60)
@given(expressions, st.integers(0, 60 * 24 * 1500))
def test_next_is_the_first_minute_that_brute_force_finds(given_fields, offset):
    """Walk day by day, then minute by minute, with rules written the other way."""
    start = START + timedelta(minutes=offset)
    text = " ".join(given_fields)
    at = parse(text).next(start.timestamp())
    assert at is not None
    assert parse(text).matches(at)
    assert datetime.fromtimestamp(at, UTC) == brute(given_fields, start)


def brute(given_fields, start):
    minute, hour, dom, month, dow = given_fields
    minutes, hours = listed(minute, 0, 59), listed(hour, 0, 23)
    months = listed(month, 1, 12, MONTHS)
    at = start.replace(second=0) + timedelta(minutes=1)
    while True:
        if at.month not in months or not day_fits(at, dom, dow):
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
        elif at.hour in hours and at.minute in minutes:
            return at
        else:
            at += timedelta(minutes=1)


def listed(text, first, last, names=()):
    found = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        low, dash, high = span.partition("-")
        if span == "*":
            numbers = list(range(first, last + 1))
        else:
            begin = names.index(low) + first if low in names else int(low)
            numbers = list(range(begin, (int(high) if dash else begin) + 1))
        found |= set(numbers[:: int(step or 1)])
    return found


def day_fits(at, dom, dow):
    fits = []
    if dom != "*":
        fits.append(at.day in month_days(at, dom))
    if dow != "*":
        fits.append(at.day in week_days(at, dow))
    return not fits or any(fits)


def month_days(at, dom):
    last = calendar.monthrange(at.year, at.month)[1]
    if dom.endswith("W"):
        body = dom[:-1]
        target = last - int(body[2:] or 0) if body.startswith("L") else int(body)
        working = [
            day
            for day in range(1, last + 1)
            if calendar.weekday(at.year, at.month, day) < 5
        ]
        return [min(working, key=lambda day: (abs(day - target), -day))]
    if dom.startswith("L"):
        return [last - int(dom[2:] or 0)]
    return listed(dom, 1, 31)


def week_days(at, dow):
    last = calendar.monthrange(at.year, at.month)[1]

    def days_of(number):
        return [
            day
            for day in range(1, last + 1)
            if (calendar.weekday(at.year, at.month, day) + 1) % 7 + 1 == number
        ]

    def number(name):
        return DAYS.index(name) + 1 if name in DAYS else int(name)

    if dow == "L":
        return days_of(7)
    if dow.endswith("L"):
        return days_of(number(dow[:-1]))[-1:]
    if "#" in dow:
        name, _, nth = dow.partition("#")
        return days_of(number(name))[int(nth) - 1 : int(nth)]
    return [day for one in listed(dow, 1, 7, DAYS) for day in days_of(one)]
