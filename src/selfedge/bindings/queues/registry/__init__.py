"""Which queues there are, their settings, and who consumes them."""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from selfedge.bindings.queues import limits
from selfedge.bindings.queues.config import Consumer
from selfedge.bindings.queues.errors import (
    ConsumerExists,
    ConsumerNotFound,
    InvalidName,
    QueueExists,
    QueueNotFound,
    TooManyQueues,
)
from selfedge.bindings.queues.messages.ledger import Ledger

WORKER, PULL = "worker", "http_pull"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?", re.ASCII)
_QUEUES = "SELECT key, id, name, created_ms, modified_ms, delay_s, retention_s, paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue and its settings."""

    key: int  # in the ledger
    id: str  # 32 hex digits
    name: str
    created_ms: int
    modified_ms: int
    delay_s: int = 0
    retention_s: int = limits.RETENTION_S
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A consumer of a queue."""

    id: str
    queue: int
    type: str
    script: str  # "" for a pull consumer
    settings: Consumer
    created_ms: int


class Registry:
    """Keeps queues and consumers in the ledger, and in memory."""

    def __init__(self, ledger: Ledger, new_id: Callable[[], str]) -> None:
        self._ledger = ledger
        self._new_id = new_id
        rows = ledger.read(f"{_QUEUES} FROM queues")
        self._queues = {row[2]: _queue(row) for row in rows}
        self._by_key = {one.key: one for one in self._queues.values()}
        found = ledger.read(
            "SELECT id, queue, type, script, settings, created_ms FROM consumers"
        )
        self._consumers = {row[1]: _attached(row) for row in found}

    def every(self) -> Sequence[Queue]:
        """Return all queues, by name."""
        return sorted(self._queues.values(), key=lambda one: one.name)

    def named(self, name: str) -> Queue:
        """Return the queue of a name.

        Raises:
            QueueNotFound: there is none.
        """
        if name not in self._queues:
            raise QueueNotFound(name)
        return self._queues[name]

    def get(self, identifier: str) -> Queue:
        """Return the queue of an id.

        Raises:
            QueueNotFound: there is none.
        """
        for queue in self._queues.values():
            if queue.id == identifier:
                return queue
        raise QueueNotFound(identifier)

    def by_key(self, key: int) -> Queue | None:
        """Return the queue of a key in the ledger, if there is one."""
        return self._by_key.get(key)

    async def ensure(self, name: str, now_ms: int) -> Queue:
        """Return the queue of a name, made if it is not there."""
        if name in self._queues:
            return self._queues[name]
        try:
            return await self.create(name, now_ms)
        except QueueExists:  # made by another meanwhile
            return self._queues[name]

    async def create(
        self,
        name: str,
        now_ms: int,
        *,
        delay_s: int = 0,
        retention_s: int = limits.RETENTION_S,
    ) -> Queue:
        """Make a queue.

        Raises:
            QueueError: no queue can have the name, or one has it; there are too many.
            StorageError: the disk is full or failing.
        """
        if len(name) > limits.NAME_MAX_CHARS or not _NAME.fullmatch(name):
            raise InvalidName(name)
        if len(self._queues) >= limits.QUEUES_MAX:
            raise TooManyQueues
        given = (self._new_id(), name, now_ms, now_ms, delay_s, retention_s, 0)

        def change(db: sqlite3.Connection) -> tuple[int] | None:
            found: tuple[int] | None = db.execute(
                "INSERT OR IGNORE INTO queues (id, name, created_ms, modified_ms,"
                " delay_s, retention_s, paused) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " RETURNING key",
                given,
            ).fetchone()
            return found

        row = await self._ledger.write(change)
        if row is None:
            raise QueueExists(name)
        return self._keep(_queue((row[0], *given)))

    async def change(self, queue: Queue, now_ms: int, **settings: object) -> Queue:
        """Change name or settings of a queue.

        Raises:
            QueueError: the name is another's, or none.
            StorageError: the disk is full or failing.
        """
        changed = replace(queue, modified_ms=now_ms, **settings)  # type: ignore[arg-type]
        if changed.name != queue.name:
            if changed.name in self._queues:
                raise QueueExists(changed.name)
            if not _NAME.fullmatch(changed.name):
                raise InvalidName(changed.name)
        await self._ledger.write(
            lambda db: db.execute(
                "UPDATE queues SET name = ?, modified_ms = ?, delay_s = ?,"
                " retention_s = ?, paused = ? WHERE key = ?",
                (
                    changed.name,
                    now_ms,
                    changed.delay_s,
                    changed.retention_s,
                    int(changed.paused),
                    changed.key,
                ),
            )
        )
        self._queues.pop(queue.name, None)
        return self._keep(changed)

    async def delete(self, queue: Queue) -> None:
        """Remove a queue with its consumer and all its messages."""

        def change(db: sqlite3.Connection) -> None:
            for sql in (
                "DELETE FROM messages WHERE queue = ?",
                "DELETE FROM consumers WHERE queue = ?",
                "DELETE FROM queues WHERE key = ?",
            ):
                db.execute(sql, (queue.key,))

        await self._ledger.write(change)
        self._queues.pop(queue.name, None)
        self._by_key.pop(queue.key, None)
        self._consumers.pop(queue.key, None)

    def consumer(self, queue: Queue) -> Attached | None:
        """Return the consumer that was attached to a queue."""
        return self._consumers.get(queue.key)

    async def attach(
        self, queue: Queue, kind: str, script: str, settings: Consumer, now_ms: int
    ) -> Attached:
        """Give a queue its consumer.

        Raises:
            ConsumerExists: it has one.
            StorageError: the disk is full or failing.
        """
        if (other := self._consumers.get(queue.key)) is not None:
            raise ConsumerExists(queue.name, other.script or "HTTP pull")
        attached = Attached(
            id=self._new_id(),
            queue=queue.key,
            type=kind,
            script=script,
            settings=settings,
            created_ms=now_ms,
        )
        self._consumers[queue.key] = attached
        try:
            await self._store(attached)
        except BaseException:
            del self._consumers[queue.key]
            raise
        return attached

    async def settle(self, queue: Queue, identifier: str, new: Attached) -> Attached:
        """Replace the consumer of an id.

        Raises:
            ConsumerNotFound: the queue has no such consumer.
            StorageError: the disk is full or failing.
        """
        self.attached(queue, identifier)
        await self._store(new)
        self._consumers[queue.key] = new
        return new

    async def detach(self, queue: Queue, identifier: str) -> None:
        """Take a queue's consumer away.

        Raises:
            ConsumerNotFound: the queue has no such consumer.
            StorageError: the disk is full or failing.
        """
        self.attached(queue, identifier)
        await self._ledger.write(
            lambda db: db.execute("DELETE FROM consumers WHERE id = ?", (identifier,))
        )
        self._consumers.pop(queue.key, None)

    def attached(self, queue: Queue, identifier: str) -> Attached:
        """Return the consumer of an id.

        Raises:
            ConsumerNotFound: the queue has no such consumer.
        """
        found = self._consumers.get(queue.key)
        if found is None or found.id != identifier:
            raise ConsumerNotFound(identifier)
        return found

    def _keep(self, queue: Queue) -> Queue:
        self._queues[queue.name] = self._by_key[queue.key] = queue
        return queue

    async def _store(self, one: Attached) -> None:
        row = (
            one.id,
            one.queue,
            one.type,
            one.script,
            msgspec.json.encode(one.settings).decode(),
            one.created_ms,
        )
        await self._ledger.write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO consumers VALUES (?, ?, ?, ?, ?, ?)", row
            )
        )


def _queue(row: Sequence[object]) -> Queue:
    names = ("key", "id", "name", "created_ms", "modified_ms", "delay_s", "retention_s")
    fields: Mapping[str, object] = dict(zip(names, row[:-1], strict=True))
    return Queue(**fields, paused=bool(row[-1]))  # type: ignore[arg-type]


def _attached(row: Sequence[str]) -> Attached:
    identifier, queue, kind, script, settings, created = row
    return Attached(
        id=identifier,
        queue=int(queue),
        type=kind,
        script=script,
        settings=msgspec.json.decode(settings, type=Consumer),
        created_ms=int(created),
    )
