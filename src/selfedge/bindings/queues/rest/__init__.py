"""Bodies of the control API's routes for Queues: JSON ↔ values, pure."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from selfedge.bindings.queues import limits
from selfedge.bindings.queues.config import Consumer
from selfedge.bindings.queues.errors import InvalidRequest, InvalidSettings
from selfedge.bindings.queues.messages import Leased
from selfedge.bindings.queues.registry import PULL, WORKER, Attached, Queue
from selfedge.bindings.queues.wire import Metrics, Sent, Taken, delay_of

_SOURCE = "CF-sourceMessageSource"
_TYPE = "CF-Content-Type"


class QueueSettings(msgspec.Struct, frozen=True):
    """`settings` of a queue; None: as it is."""

    delivery_delay: float | None = None
    delivery_paused: bool | None = None
    message_retention_period: float | None = None


class QueueBody(msgspec.Struct, frozen=True):
    """What makes or changes a queue."""

    queue_name: str | None = None
    settings: QueueSettings = QueueSettings()


class ConsumerSettings(msgspec.Struct, frozen=True):
    """`settings` of a consumer; None: the usual."""

    batch_size: float | None = None
    max_retries: float | None = None
    max_wait_time_ms: float | None = None
    max_concurrency: float | None = None
    retry_delay: float | None = None
    visibility_timeout_ms: float | None = None
    dead_letter_queue: str | None = None


class ConsumerBody(msgspec.Struct, frozen=True):
    """What makes or changes a consumer."""

    type: str = WORKER
    script_name: str = ""
    service: str = ""
    dead_letter_queue: str | None = None
    settings: ConsumerSettings | None = None


class PullBody(msgspec.Struct, frozen=True):
    """What a pull or a peek asks for."""

    batch_size: float | None = None
    visibility_timeout_ms: float | None = None
    visibility_timeout: float | None = None


class _Lease(msgspec.Struct, frozen=True):
    lease_id: str
    delay_seconds: float | None = None


class AckBody(msgspec.Struct, frozen=True):
    """Leases to settle."""

    acks: tuple[_Lease, ...] = ()
    retries: tuple[_Lease, ...] = ()


class PushBody(msgspec.Struct, frozen=True):
    """A message to send."""

    body: Any = None
    content_type: str = "json"
    delay_seconds: float | None = None


class BulkBody(msgspec.Struct, frozen=True):
    """Messages to send."""

    messages: tuple[PushBody, ...]
    delay_seconds: float | None = None


class _Ref(msgspec.Struct, frozen=True):
    ref: str


class RefsBody(msgspec.Struct, frozen=True):
    """Messages to remove."""

    refs: tuple[_Ref, ...]


def changes(settings: QueueSettings) -> Mapping[str, object]:
    """Return the fields of a Queue that `settings` change.

    Raises:
        QueueError: one is out of its range.
    """
    found: dict[str, object] = {}
    if settings.delivery_delay is not None:
        found["delay_s"] = delay_of(settings.delivery_delay)
    if settings.message_retention_period is not None:
        low, high = limits.RETENTION_MIN_S, limits.RETENTION_MAX_S
        found["retention_s"] = _whole(
            "message_retention_period", settings.message_retention_period, low, high
        )
    if settings.delivery_paused is not None:
        found["paused"] = settings.delivery_paused
    return found


def consumer(queue: Queue, body: ConsumerBody) -> tuple[str, str, Consumer]:
    """Return type, script and settings of the consumer that `body` describes.

    Raises:
        QueueError: something is missing, or out of its range.
    """
    script = body.script_name or body.service
    if body.type not in {WORKER, PULL}:
        raise InvalidSettings(f"A consumer is of type {WORKER} or {PULL}.")
    if body.type == WORKER and not script:
        raise InvalidSettings("A consumer of type worker needs `script_name`.")
    given = body.settings or ConsumerSettings()
    usual = limits.PULL_SIZE if body.type == PULL else limits.BATCH_SIZE
    own = {"max_batch_size": usual, **_settings(given, body)}
    settings = Consumer(queue=queue.name, type=body.type, **own)
    if settings.dead_letter_queue == queue.name:
        raise InvalidSettings("A queue cannot be its own dead letter queue.")
    return body.type, script if body.type == WORKER else "", settings


def _settings(given: ConsumerSettings, body: ConsumerBody) -> dict[str, Any]:
    most = limits.BATCH_MAX_MESSAGES
    found: dict[str, Any] = {
        "dead_letter_queue": body.dead_letter_queue or given.dead_letter_queue or None
    }
    for name, field, value, low, high in (
        ("batch_size", "max_batch_size", given.batch_size, 1, most),
        ("max_retries", "max_retries", given.max_retries, 0, limits.RETRIES_MAX),
        ("retry_delay", "retry_delay", given.retry_delay, 0, limits.DELAY_MAX_S),
        (
            "max_concurrency",
            "max_concurrency",
            given.max_concurrency,
            1,
            limits.CONCURRENCY_MAX,
        ),
        (
            "visibility_timeout_ms",
            "visibility_timeout_ms",
            given.visibility_timeout_ms,
            1,
            limits.VISIBILITY_MAX_MS,
        ),
    ):
        if value is not None:
            found[field] = _whole(name, value, low, high)
    if given.max_wait_time_ms is not None:
        high = limits.BATCH_WAIT_MAX_S * 1000
        wait_ms = _whole("max_wait_time_ms", given.max_wait_time_ms, 0, high)
        found["max_batch_timeout"] = wait_ms / 1000
    return found


def pull(body: PullBody) -> tuple[int | None, int | None]:
    """Return how many messages to lease, and for how long in milliseconds.

    Raises:
        QueueError: one is out of its range.
    """
    most = None
    if body.batch_size is not None:
        most = _whole("batch_size", body.batch_size, 1, limits.BATCH_MAX_MESSAGES)
    given = body.visibility_timeout_ms
    given = body.visibility_timeout if given is None else given
    if given is None:
        return most, None
    high = limits.VISIBILITY_MAX_MS
    return most, _whole("visibility_timeout_ms", given, 1, high)


def acks(body: AckBody) -> tuple[Sequence[str], Sequence[tuple[str, int | None]]]:
    """Return leases to ack, and to retry after a delay.

    Raises:
        InvalidDelay: a delay is out of its range.
    """
    retries = [(one.lease_id, delay_of(one.delay_seconds)) for one in body.retries]
    return [one.lease_id for one in body.acks], retries


def sent(body: PushBody, delay_s: float | None = None) -> Sent:
    """Return a message that was pushed over HTTP.

    Raises:
        QueueError: it is not of the type that it says.
    """
    delay = delay_of(delay_s if body.delay_seconds is None else body.delay_seconds)
    if body.content_type == "json":
        return Sent(msgspec.json.encode(body.body), "json", delay)
    if body.content_type != "text" or not isinstance(body.body, str):
        raise InvalidRequest(
            "A message has a `body` and `content_type` json, or text with a string."
        )
    return Sent(body.body.encode(), "text", delay)


def shown(
    queue: Queue, consumers: Sequence[object], producers: Sequence[str]
) -> Mapping[str, object]:
    """Return a queue as clients see it."""
    return {
        "queue_id": queue.id,
        "queue_name": queue.name,
        "created_on": _time(queue.created_ms),
        "modified_on": _time(queue.modified_ms),
        "producers": [{"type": WORKER, "script": script} for script in producers],
        "producers_total_count": len(producers),
        "consumers": consumers,
        "consumers_total_count": len(consumers),
        "settings": {
            "delivery_delay": queue.delay_s,
            "delivery_paused": queue.paused,
            "message_retention_period": queue.retention_s,
        },
    }


def shown_consumer(queue: Queue, one: Attached) -> Mapping[str, object]:
    """Return a consumer as clients see it."""
    settings = one.settings
    common = {
        "consumer_id": one.id,
        "created_on": _time(one.created_ms),
        "queue_name": queue.name,
        "queue_id": queue.id,
        "type": one.type,
        "dead_letter_queue": settings.dead_letter_queue or "",
    }
    retries = {"max_retries": settings.max_retries, "retry_delay": settings.retry_delay}
    if one.type == PULL:
        timeout_ms = settings.visibility_timeout_ms or limits.VISIBILITY_MS
        size = {
            "batch_size": settings.max_batch_size,
            "visibility_timeout_ms": timeout_ms,
        }
        return {**common, "settings": {**size, **retries}}
    own = {
        "batch_size": settings.max_batch_size,
        "max_wait_time_ms": int(settings.max_batch_timeout * 1000),
        "max_concurrency": settings.max_concurrency,
    }
    script = {"script": one.script, "script_name": one.script}
    return {**common, **script, "settings": {**own, **retries}}


def shown_pull(leased: Sequence[Leased], metrics: Metrics) -> Mapping[str, object]:
    """Return what a pull got."""
    messages = [{**_message(one.message), "lease_id": one.lease} for one in leased]
    return {
        "message_backlog_count": metrics.count,
        "messages": messages,
        "metadata": {"metrics": shown_metrics(metrics)},
    }


def shown_peek(found: Sequence[Taken]) -> Mapping[str, object]:
    """Return what a peek saw."""
    return {
        "messages": [
            {**_message(one), "attempts": one.attempts - 1, "ref": str(one.seq)}
            for one in found
        ]
    }


def refs(body: RefsBody) -> tuple[Sequence[int], Mapping[str, str]]:
    """Return the messages that were seen by a peek, and what is odd."""
    names = [one.ref for one in body.refs]
    good = [name for name in names if name.isascii() and name.isdigit()]
    odd = {name: "not a reference of a peek" for name in names if name not in good}
    return [int(name[:18]) for name in good], odd


def shown_metrics(metrics: Metrics) -> Mapping[str, int]:
    """Return metrics as the API's clients see them."""
    return {
        "backlog_count": metrics.count,
        "backlog_bytes": metrics.size_bytes,
        "oldest_message_timestamp_ms": metrics.oldest_ms,
    }


def _message(one: Taken) -> dict[str, object]:
    """Return a message; all but text is base64."""
    if one.type == "text":
        body = one.body.decode(errors="replace")
    else:
        body = base64.b64encode(one.body).decode()
    return {
        "id": one.id,
        "timestamp_ms": one.sent_ms,
        "attempts": one.attempts,
        "body": body,
        "metadata": {_SOURCE: "api", _TYPE: one.type},
    }


def _whole(name: str, value: float, low: int, high: int) -> int:
    if not low <= value <= high or value != int(value):
        raise InvalidSettings(
            f"{name} must be a whole number from {low} to {high}, not {value:g}."
        )
    return int(value)


def time(ms: int) -> str:
    """Return a time in ISO 8601."""
    return _time(ms)


def _time(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
