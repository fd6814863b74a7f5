"""What Queues refuse.

QueueError            `status` is HTTP's, `number` the API's code
├── InvalidRequest        400  not a request of the protocol
├── TooLarge              413  a message or a batch
├── InvalidDelay          400
├── InvalidContentType    400
├── Overloaded            429  the backlog is full
├── QueueNotFound         404
├── QueueExists           409
├── InvalidName           400
├── TooManyQueues         400
├── InvalidSettings       400  of a queue or a consumer
├── ConsumerNotFound      404
├── ConsumerExists        400  a queue has one consumer
└── NotPulled             405  the queue has no HTTP pull consumer
"""

from typing import ClassVar

from selfedge.bindings.queues import limits
from selfedge.errors import UserError


class QueueError(UserError):
    """A request that is answered with an error."""

    code = "queues"
    status: ClassVar[int] = 400
    number: ClassVar[int] = 10026


class InvalidRequest(QueueError):
    """Not a request of the protocol."""


class TooLarge(QueueError):
    """A message or a batch is over its limit."""

    status = 413
    number = 10207


class InvalidDelay(QueueError):
    """A delay is no whole number of seconds up to a day."""

    def __init__(self, given: object) -> None:
        super().__init__(
            f"message delay {str(given)[:40]} is invalid: it must be a whole number of "
            f"seconds from 0 to {limits.DELAY_MAX_S}"
        )


class InvalidContentType(QueueError):
    """A message is of a type that there is not."""

    def __init__(self, given: object) -> None:
        super().__init__(
            f"message content type {str(given)[:40]} is invalid; if specified, must be "
            "one of 'text', 'json', 'bytes', or 'v8'"
        )


class Overloaded(QueueError):
    """The backlog is full."""

    status = 429
    number = 10250

    def __init__(self) -> None:
        super().__init__("Queue is overloaded")


class QueueNotFound(QueueError):
    """There is no such queue."""

    status = 404
    number = 11000

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The queue {name[:80]!r} does not exist. See which there are with: "
            "selfedge queues list"
        )


class QueueExists(QueueError):
    """Another queue has the name."""

    status = 409
    number = 11009

    def __init__(self, name: str) -> None:
        super().__init__(f"Queue name '{name}' is already taken.")


class InvalidName(QueueError):
    """No queue can have the name."""

    number = 11003

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Queue name {name[:80]!r} is invalid: it has 1 to "
            f"{limits.NAME_MAX_CHARS} letters, digits, hyphens and underscores, and "
            "begins and ends with a letter or a digit."
        )


class TooManyQueues(QueueError):
    """The account has as many as it can."""

    number = 11005

    def __init__(self) -> None:
        super().__init__(f"An account has at most {limits.QUEUES_MAX} queues.")


class InvalidSettings(QueueError):
    """Settings of a queue or a consumer are out of their range."""

    number = 100127


class ConsumerNotFound(QueueError):
    """The queue has no such consumer."""

    status = 404
    number = 11001

    def __init__(self, identifier: str) -> None:
        super().__init__(f"The queue has no consumer {identifier[:80]!r}.")


class ConsumerExists(QueueError):
    """A queue has one consumer."""

    number = 11004

    def __init__(self, queue: str, what: str) -> None:
        super().__init__(
            f"Queue {queue!r} already has a consumer: {what}. A queue has one; remove "
            "that first."
        )


class NotPulled(QueueError):
    """The queue has no HTTP pull consumer."""

    status = 405
    number = 10242

    def __init__(self, queue: str) -> None:
        super().__init__(
            f"Queue {queue!r} is not configured for HTTP pull. Add a consumer: "
            f"selfedge queues consumer http add {queue}"
        )
