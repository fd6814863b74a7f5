"""Messages as the engine's producer sends them, and as its consumers get them. Pure."""

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from selfedge.bindings.queues import limits
from selfedge.bindings.queues.errors import (
    InvalidContentType,
    InvalidDelay,
    InvalidRequest,
    TooLarge,
)
from selfedge.edge.events import frame

FORMAT_HEADER = "X-Msg-Fmt"
DELAY_HEADER = "X-Msg-Delay-Secs"
CONTENT_TYPES = frozenset({"text", "json", "bytes", "v8"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a producer sends."""

    body: bytes
    type: str
    delay_s: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A message on its way to a consumer."""

    seq: int
    id: str
    sent_ms: int
    attempts: int  # this one included
    type: str
    body: bytes
    due_ms: int
    stored_ms: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """What waits in a queue."""

    count: int
    size_bytes: int
    oldest_ms: int  # 0: nothing waits


class Retry(msgspec.Struct, frozen=True, rename="camel"):
    """A message that its consumer wants again."""

    msg_id: str
    delay_seconds: int | None = None


class RetryBatch(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a consumer wants all messages again."""

    retry: bool = False
    delay_seconds: int | None = None


class Outcome(msgspec.Struct, frozen=True, rename="camel"):
    """How the delivery of a batch ended."""

    outcome: str = "exception"
    ack_all: bool = False
    retry_batch: RetryBatch = RetryBatch()
    explicit_acks: tuple[str, ...] = ()
    retry_messages: tuple[Retry, ...] = ()


class _Item(msgspec.Struct, frozen=True, rename="camel"):
    body: str
    content_type: str = "v8"
    delay_secs: Any = None


class _Batch(msgspec.Struct, frozen=True):
    messages: tuple[_Item, ...]


def message(body: bytes, content_type: str | None, delay: str | None) -> Sent:
    """Return what `POST /message` sends.

    Raises:
        QueueError: it is outside the limits.
    """
    return checked(Sent(body, content_type or "v8", delay_of(delay or None)))


def batch(body: bytes, delay: str | None) -> Sequence[Sent]:
    """Return what `POST /batch` sends.

    Raises:
        QueueError: it is outside the limits, or of another shape.
    """
    common = delay_of(delay or None)
    try:
        items = msgspec.json.decode(body, type=_Batch).messages
        sent = [
            Sent(
                binascii.a2b_base64(one.body, strict_mode=True),
                one.content_type,
                common if one.delay_secs is None else delay_of(one.delay_secs),
            )
            for one in items
        ]
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error) as error:
        raise InvalidRequest(f"This is not a batch of messages: {error}.") from error
    return checked_batch(sent)


def checked_batch(sent: Sequence[Sent]) -> Sequence[Sent]:
    """Return `sent`, if it may be sent together.

    Raises:
        QueueError: there are none, too many, or one is outside the limits.
    """
    if len(sent) > limits.BATCH_MAX_MESSAGES:
        raise TooLarge(
            f"batch message count of {len(sent)} exceeds limit of "
            f"{limits.BATCH_MAX_MESSAGES}"
        )
    size = sum(len(one.body) for one in sent)
    if size > limits.BATCH_MAX_BYTES + limits.BATCH_SLACK_BYTES:
        raise TooLarge(
            f"batch size of {size} bytes exceeds limit of {limits.BATCH_MAX_BYTES}"
        )
    return [checked(one) for one in sent]


def checked(sent: Sent) -> Sent:
    """Return `sent`, if it may be sent.

    Raises:
        QueueError: it is too large, or of no type that there is.
    """
    if len(sent.body) > limits.MESSAGE_MAX_BYTES:
        raise TooLarge(
            f"message length of {len(sent.body)} bytes exceeds limit of "
            f"{limits.MESSAGE_MAX_BYTES}"
        )
    if sent.type not in CONTENT_TYPES:
        raise InvalidContentType(sent.type)
    return sent


def delay_of(given: object) -> int | None:
    """Return a delay in seconds; None for none.

    Raises:
        InvalidDelay: it is something else.
    """
    if given is None:
        return None
    value = given
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() else -1
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidDelay(given)
    if not 0 <= value <= limits.DELAY_MAX_S:
        raise InvalidDelay(given)
    return value


def event(queue: str, taken: Sequence[Taken], metrics: Metrics) -> bytes:
    """Return a batch as our dispatcher reads it."""
    messages = [
        {
            "id": one.id,
            "timestamp": one.sent_ms,
            "attempts": one.attempts,
            "type": one.type,
            "size": len(one.body),
        }
        for one in taken
    ]
    head = {"queue": queue, "messages": messages, "metrics": shown(metrics)}
    return frame(head, [one.body for one in taken])


def outcome(raw: Mapping[str, Any]) -> Outcome:
    """Return what the engine tells of a delivery; what is odd counts as failed."""
    try:
        return msgspec.convert(raw, Outcome)
    except msgspec.ValidationError:
        return Outcome()


def shown(metrics: Metrics) -> Mapping[str, int]:
    """Return metrics as producers and consumers see them."""
    return {
        "backlogCount": metrics.count,
        "backlogBytes": metrics.size_bytes,
        "oldestMessageTimestamp": metrics.oldest_ms,
    }


def accepted(metrics: Metrics) -> bytes:
    """Return the answer to a send."""
    return msgspec.json.encode({"metadata": {"metrics": shown(metrics)}})


def metrics_json(metrics: Metrics) -> bytes:
    """Return the answer to `metrics()`."""
    return msgspec.json.encode(shown(metrics))
