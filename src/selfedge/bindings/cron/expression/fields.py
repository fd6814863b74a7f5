"""One field of a cron expression: lists, ranges and steps of numbers and names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """What a field may hold."""

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY_OF_MONTH = Field("day of month", 1, 31)
MONTH = Field(
    "month",
    1,
    12,
    tuple("jan feb mar apr may jun jul aug sep oct nov dec".split()),  # noqa: SIM905
)
DAY_OF_WEEK = Field(
    "day of week", 1, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
)


def values(text: str, field: Field) -> frozenset[int]:
    """Return the numbers that a list of values, ranges and steps names.

    Raises:
        ValueError: it is none; the message names the field.
    """
    items = text.split(",")
    if len(items) > 1 and "*" in items:
        raise ValueError(f"the {field.name} field has * inside a list")
    return frozenset(number for item in items for number in _item(item, field))


def value(text: str, field: Field) -> int:
    """Return the number or name `text`.

    Raises:
        ValueError: it is none of this field; the message names it.
    """
    if text.lower() in field.names:
        return field.first + field.names.index(text.lower())
    number = whole(text)
    if number is None:
        raise ValueError(f"the {field.name} field has {text[:20]!r}")
    if not field.first <= number <= field.last:
        raise ValueError(
            f"the {field.name} field has {number}, outside {field.first}-{field.last}"
        )
    return number


def whole(text: str) -> int | None:
    """Return `text` as a number; None if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


def _item(item: str, field: Field) -> range:
    span, slash, step_text = item.partition("/")
    step = whole(step_text) if slash else 1
    if step is None or not 1 <= step <= field.last - field.first:
        raise ValueError(f"the {field.name} field has a bad step in {item[:20]!r}")
    if span == "*":
        return range(field.first, field.last + 1, step)
    low, dash, high = span.partition("-")
    first = value(low, field)
    alone = field.last if slash else first
    last = value(high, field) if dash else alone
    if first > last:
        raise ValueError(
            f"the {field.name} field has a range that goes down: {item[:20]!r}"
        )
    return range(first, last + 1, step)
