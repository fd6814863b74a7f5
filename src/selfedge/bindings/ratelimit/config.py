"""The tables `ratelimits` and `unsafe.bindings` of a wrangler file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

TYPE = "ratelimit"

_Name = Annotated[str, msgspec.Meta(min_length=1)]
_Namespace = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Simple(msgspec.Struct, frozen=True, kw_only=True):
    """How often a key may come."""

    limit: Annotated[int, msgspec.Meta(ge=0)]
    period: Literal[10, 60]  # seconds


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One rate limit binding."""

    name: _Name
    namespace_id: _Namespace
    simple: Simple


class UnsafeBinding(msgspec.Struct, frozen=True, kw_only=True):
    """One of `unsafe.bindings`; only rate limits are run."""

    name: _Name
    type: str
    namespace_id: _Namespace | None = None
    simple: Simple | None = None

    @property
    def rate_limit(self) -> RateLimit | None:
        """The rate limit that it is, if it is one."""
        if self.type != TYPE or self.simple is None:
            return None
        namespace_id = self.namespace_id or self.name
        return RateLimit(name=self.name, namespace_id=namespace_id, simple=self.simple)


class _Unsafe(msgspec.Struct, frozen=True, kw_only=True):
    bindings: tuple[UnsafeBinding, ...] = ()


def parse(table: object) -> Sequence[RateLimit]:
    """Return the entries of `ratelimits`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    return msgspec.convert(table, list[RateLimit])


def parse_unsafe(table: object) -> Sequence[UnsafeBinding]:
    """Return the entries of `unsafe.bindings`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    found = msgspec.convert(table, _Unsafe).bindings
    for index, one in enumerate(found):
        if one.type == TYPE and one.simple is None:
            raise msgspec.ValidationError(
                f"Object missing required field `simple` - at `$.bindings[{index}]`"
            )
    return found


def uploaded(given: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "ratelimit", name, namespace_id, simple}."""
    return [
        {
            "name": one["name"],
            "namespace_id": one["namespace_id"],
            "simple": one["simple"],
        }
        for one in given
    ]


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "ratelimit", name, namespace_id, simple} for each entry.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    return [_entry(one) for one in parse(table)]


def unsafe_entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return the same for the rate limits in `unsafe.bindings`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    limits = (one.rate_limit for one in parse_unsafe(table))
    return [_entry(one) for one in limits if one is not None]


def _entry(one: RateLimit) -> Mapping[str, Any]:
    return {"type": TYPE, **msgspec.to_builtins(one)}
