"""The table `queues` of a wrangler file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from selfedge.bindings.queues import limits

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_MAX_CHARS)]
_Delay = Annotated[int, msgspec.Meta(ge=0, le=limits.DELAY_MAX_S)]


class Producer(msgspec.Struct, frozen=True, kw_only=True):
    """One of `producers`."""

    binding: Annotated[str, msgspec.Meta(min_length=1)]
    queue: _Name | None = None
    delivery_delay: _Delay | None = None
    remote: bool = False  # there is nothing remote here; known so that it is accepted

    def name(self, script: str) -> str:
        """Return the queue's name; wrangler makes one of the script's, too."""
        made = f"{script}-{self.binding.lower().replace('_', '-')}"
        return self.queue or made


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """One of `consumers`: how a Worker takes the messages of a queue."""

    queue: _Name
    type: str = "worker"
    max_batch_size: Annotated[int, msgspec.Meta(ge=1, le=limits.BATCH_MAX_MESSAGES)] = (
        limits.BATCH_SIZE
    )
    max_batch_timeout: Annotated[
        float, msgspec.Meta(ge=0, le=limits.BATCH_WAIT_MAX_S)
    ] = limits.BATCH_WAIT_S  # seconds
    max_retries: Annotated[int, msgspec.Meta(ge=0, le=limits.RETRIES_MAX)] = (
        limits.RETRIES
    )
    dead_letter_queue: _Name | None = None
    max_concurrency: (
        Annotated[int, msgspec.Meta(ge=1, le=limits.CONCURRENCY_MAX)] | None
    ) = None
    visibility_timeout_ms: int | None = None  # of pull consumers
    retry_delay: _Delay = 0


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    producers: tuple[Producer, ...] = ()
    consumers: tuple[Consumer, ...] = ()


Entry: TypeAlias = Producer | Consumer


def parse(table: object) -> Sequence[Entry]:
    """Return the entries of `table`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    found = msgspec.convert(table, _Table)
    for index, one in enumerate(found.consumers):
        if one.type != "worker":
            raise msgspec.ValidationError(
                f"a consumer of type {one.type[:40]!r} cannot stand in a wrangler file;"
                " add it with: selfedge queues consumer http add"
                f" - at `$.consumers[{index}].type`"
            )
        if one.dead_letter_queue == one.queue:
            raise msgspec.ValidationError(
                "a queue cannot be its own dead letter queue"
                f" - at `$.consumers[{index}].dead_letter_queue`"
            )
    return [*found.producers, *found.consumers]


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "queue", name, queue_name, delivery_delay?}."""
    return {
        "producers": [
            {
                "binding": one["name"],
                "queue": one["queue_name"],
                "delivery_delay": one.get("delivery_delay"),
            }
            for one in entries
        ]
    }


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "queue", name, queue_name?, delivery_delay?} for each producer.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    found: list[Mapping[str, Any]] = []
    for one in parse(table):
        if isinstance(one, Producer):
            named = {"queue_name": one.queue, "delivery_delay": one.delivery_delay}
            given = {key: value for key, value in named.items() if value is not None}
            found.append({"type": "queue", "name": one.binding, **given})
    return found
