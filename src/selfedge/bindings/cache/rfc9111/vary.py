"""Which of several stored responses a request selects (RFC 9111 §4.1)."""

from collections.abc import Callable
from typing import TypeAlias

Headers: TypeAlias = Callable[[str], str | None]
"""A request's header by lower-case name, repeated ones joined by commas."""

Selectors: TypeAlias = tuple[tuple[str, str | None], ...]
"""The request headers that a response varies on, and what they were."""


def selectors(vary: str | None, request: Headers) -> Selectors | None:
    """Return what selects a response with this `Vary`; None: nothing ever does."""
    if not vary:
        return ()
    names = sorted({name.strip().lower() for name in vary.split(",")} - {""})
    if "*" in names:
        return None
    return tuple((name, _normal(request(name))) for name in names)


def selected(stored: Selectors, request: Headers) -> bool:
    """Tell whether `request` agrees with the request that `stored` is from."""
    return all(_normal(request(name)) == value for name, value in stored)


def _normal(value: str | None) -> str | None:
    if value is None:
        return None
    return ",".join(" ".join(member.split()) for member in value.split(","))
