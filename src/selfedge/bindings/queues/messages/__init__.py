"""The messages of all queues: stored, taken, settled.

A message that is taken is invisible until `visible_ms`; who took it holds its lease.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfedge.bindings.queues.messages.ledger import Ledger
from selfedge.bindings.queues.wire import Metrics, Sent, Taken

PUSHED = "push"
"""The lease of what a Worker is being given; it ends with this process."""

_PUSH_LEASE_MS = 24 * 3600 * 1000
_FOREVER_MS = 2**62
_INSERT = (
    "INSERT INTO messages (queue, id, sent_ms, stored_ms, visible_ms, attempts, type,"
    " body) VALUES (?, ?, ?, ?, ?, 0, ?, ?)"
)
_DUE = (
    "FROM messages WHERE queue = ? AND visible_ms <= ? AND stored_ms > ?"
    " ORDER BY visible_ms, seq LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Leased:
    """A message that a pull consumer holds."""

    message: Taken
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What becomes of messages that were taken."""

    acked: Sequence[int] = ()
    again: Sequence[tuple[int, int]] = ()  # with the time at which they are due, in ms
    dead: Sequence[int] = ()
    dead_to: int | None = None  # a queue; None: they are dropped


class Messages:
    """Keeps count of what waits in each queue, a number in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._counts: dict[int, tuple[int, int]] = {}

    async def put(
        self, queue: int, sent: Sequence[Sent], now_ms: int, delay_s: int
    ) -> None:
        """Store messages; `delay_s` is for those that have no delay of their own.

        Raises:
            StorageError: the disk is full or failing; nothing was stored.
        """
        self._counted(queue)
        rows = [
            (
                queue,
                os.urandom(16).hex(),
                now_ms,
                now_ms,
                now_ms + 1000 * (delay_s if one.delay_s is None else one.delay_s),
                one.type,
                one.body,
            )
            for one in sent
        ]
        await self._ledger.write(lambda db: db.executemany(_INSERT, rows))
        self._add(queue, len(rows), sum(len(one.body) for one in sent))

    def due(self, queue: int, most: int, now_ms: int, oldest_ms: int) -> Sequence[int]:
        """Return since when up to `most` messages are due, ascending."""
        given = (queue, now_ms, oldest_ms, most)
        return [row[0] for row in self._ledger.read(f"SELECT visible_ms {_DUE}", given)]

    def next_due(self, queue: int, now_ms: int) -> int | None:
        """Return when the next message will be due that is not yet."""
        found: list[tuple[int | None]] = self._ledger.read(
            "SELECT min(visible_ms) FROM messages WHERE queue = ? AND visible_ms > ?",
            (queue, now_ms),
        )
        return found[0][0]

    async def take(
        self, queue: int, most: int, now_ms: int, oldest_ms: int
    ) -> Sequence[Taken]:
        """Take due messages for a Worker."""
        until_ms = now_ms + _PUSH_LEASE_MS

        def change(db: sqlite3.Connection) -> Sequence[Taken]:
            taken = _due(db, (queue, now_ms, oldest_ms, most))
            db.executemany(
                "UPDATE messages SET visible_ms = ?, lease = ?,"
                " attempts = attempts + 1 WHERE seq = ?",
                [(until_ms, PUSHED, one.seq) for one in taken],
            )
            return taken

        return await self._ledger.write(change)

    async def lease(
        self, queue: int, most: int, now_ms: int, oldest_ms: int, until_ms: int
    ) -> Sequence[Leased]:
        """Take due messages for a pull consumer, who has until `until_ms`."""

        def change(db: sqlite3.Connection) -> Sequence[Leased]:
            leased = [
                Leased(one, f"{one.seq}.{os.urandom(12).hex()}")
                for one in _due(db, (queue, now_ms, oldest_ms, most))
            ]
            db.executemany(
                "UPDATE messages SET visible_ms = ?, lease = ?,"
                " attempts = attempts + 1 WHERE seq = ?",
                [(until_ms, one.lease, one.message.seq) for one in leased],
            )
            return leased

        return await self._ledger.write(change)

    def held(self, queue: int, leases: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return, for each lease that still holds, its message and attempts."""
        found: dict[str, tuple[int, int]] = {}
        for lease in leases:
            rows = self._ledger.read(
                "SELECT seq, attempts FROM messages WHERE lease = ? AND queue = ?",
                (lease, queue),
            )
            if rows:
                found[lease] = rows[0]
        return found

    async def settle(self, queue: int, settled: Settled, now_ms: int) -> None:
        """Do with messages that were taken what is to become of them.

        Raises:
            StorageError: the disk is full or failing; they stay taken.
        """
        self._counted(queue)
        if settled.dead_to is not None:
            self._counted(settled.dead_to)
        gone = [*settled.acked, *(settled.dead if settled.dead_to is None else ())]
        moved = settled.dead if settled.dead_to is not None else ()

        def change(db: sqlite3.Connection) -> tuple[list[int], list[int]]:
            db.executemany(
                "UPDATE messages SET visible_ms = ?, lease = NULL WHERE seq = ?",
                [(due_ms, seq) for seq, due_ms in settled.again],
            )
            move = (settled.dead_to, now_ms, now_ms)
            return _deleted(db, gone), _moved(db, moved, move)

        deleted, dead = await self._ledger.write(change)
        self._add(queue, -len(deleted) - len(dead), -sum(deleted) - sum(dead))
        if settled.dead_to is not None:
            self._add(settled.dead_to, len(dead), sum(dead))

    async def give_back(self, taken: Sequence[Taken], now_ms: int) -> None:
        """Undo that messages were taken: nobody has seen them."""
        rows = [(now_ms, one.seq) for one in taken]
        await self._ledger.write(
            lambda db: db.executemany(
                "UPDATE messages SET visible_ms = ?, lease = NULL,"
                " attempts = attempts - 1 WHERE seq = ?",
                rows,
            )
        )

    async def recover(self, now_ms: int) -> None:
        """Give back all that a process of ours had taken when it ended."""
        await self._ledger.write(
            lambda db: db.execute(
                "UPDATE messages SET visible_ms = ?, lease = NULL,"
                " attempts = attempts - 1 WHERE lease = ?",
                (now_ms, PUSHED),
            )
        )

    async def remove(self, queue: int, stored_before_ms: int = _FOREVER_MS) -> int:
        """Remove messages, all or the old ones that nobody holds; return how many."""
        held = "" if stored_before_ms == _FOREVER_MS else " AND lease IS NULL"
        where = f"FROM messages WHERE queue = ? AND stored_ms <= ?{held}"
        given = (queue, stored_before_ms)
        self._counted(queue)

        def change(db: sqlite3.Connection) -> tuple[int, int]:
            sums = f"SELECT count(*), ifnull(sum(length(body)), 0) {where}"
            found: tuple[int, int] = db.execute(sums, given).fetchone()
            db.execute(f"DELETE {where}", given)
            return found

        count, size = await self._ledger.write(change)
        self._add(queue, -count, -size)
        return count

    async def remove_some(self, queue: int, seqs: Sequence[int]) -> None:
        """Remove messages that a peek has shown and nobody holds."""
        self._counted(queue)
        sql = (
            "DELETE FROM messages WHERE queue = ? AND lease IS NULL AND seq = ?"
            " RETURNING length(body)"
        )
        sizes = await self._ledger.write(lambda db: _each(db, sql, seqs, (queue,)))
        self._add(queue, -len(sizes), -sum(sizes))

    def peek(self, queue: int, most: int) -> Sequence[Taken]:
        """Return the first messages that nobody holds, and leave them."""
        rows = self._ledger.read(
            "SELECT seq, id, sent_ms, attempts, type, body FROM messages"
            " WHERE queue = ? AND lease IS NULL ORDER BY visible_ms, seq LIMIT ?",
            (queue, most),
        )
        return [Taken(*row) for row in rows]

    def metrics(self, queue: int) -> Metrics:
        """Return what waits, whoever holds it."""
        count, size = self._counted(queue)
        found = self._ledger.read(
            "SELECT min(stored_ms) FROM messages WHERE queue = ?", (queue,)
        )
        return Metrics(count, size, found[0][0] or 0)

    def _counted(self, queue: int) -> tuple[int, int]:
        if queue not in self._counts:
            rows = self._ledger.read(
                "SELECT count(*), ifnull(sum(length(body)), 0) FROM messages"
                " WHERE queue = ?",
                (queue,),
            )
            self._counts[queue] = rows[0]
        return self._counts[queue]

    def _add(self, queue: int, count: int, size: int) -> None:
        before = self._counted(queue)
        self._counts[queue] = (before[0] + count, before[1] + size)


def _due(db: sqlite3.Connection, given: tuple[int, int, int, int]) -> Sequence[Taken]:
    rows = db.execute(
        f"SELECT seq, id, sent_ms, attempts + 1, type, body {_DUE}", given
    )
    return [Taken(*row) for row in rows]


def _deleted(db: sqlite3.Connection, gone: Sequence[int]) -> list[int]:
    """Delete messages; return the sizes of those that were there."""
    return _each(db, "DELETE FROM messages WHERE seq = ? RETURNING length(body)", gone)


def _moved(
    db: sqlite3.Connection, moved: Sequence[int], to: tuple[int | None, int, int]
) -> list[int]:
    return _each(
        db,
        "UPDATE messages SET queue = ?, visible_ms = ?, stored_ms = ?, attempts = 0,"
        " lease = NULL WHERE seq = ? RETURNING length(body)",
        moved,
        to,
    )


def _each(
    db: sqlite3.Connection,
    sql: str,
    messages: Sequence[int],
    given: Sequence[object] = (),
) -> list[int]:
    found = (db.execute(sql, (*given, seq)).fetchall() for seq in messages)
    return [row[0] for rows in found for row in rows]
