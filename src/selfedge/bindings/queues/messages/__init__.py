"""The messages of all queues: stored, taken, settled.

What a Worker is being given is known in memory alone: it is given again after a crash.
What a pull consumer holds is invisible until a time, in the file.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfedge.bindings.queues.messages.ledger import Ledger
from selfedge.bindings.queues.wire import Metrics, Sent, Taken

START = (-1, -1)
"""A position before all messages: when a message is due, and its number."""

_FOREVER_MS = 2**62
_ID_BYTES = 16
_INSERT = (
    "INSERT INTO messages (queue, id, sent_ms, stored_ms, visible_ms, attempts, type,"
    " body) VALUES "
)
_ROW = "(?, ?, ?, ?, ?, 0, ?, ?)"
_DUE = (
    "FROM messages WHERE queue = ? AND (visible_ms, seq) > (?, ?) AND visible_ms <= ?"
    " ORDER BY visible_ms, seq LIMIT ?"
)
_COLUMNS = "seq, id, sent_ms, attempts + 1, type, body, visible_ms, stored_ms"

Position = tuple[int, int]


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
    counted: bool = True  # `again` counts as an attempt more
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
        chance = os.urandom(_ID_BYTES * len(sent)).hex()
        rows = [
            (
                queue,
                chance[2 * _ID_BYTES * index : 2 * _ID_BYTES * (index + 1)],
                now_ms,
                now_ms,
                now_ms + 1000 * (delay_s if one.delay_s is None else one.delay_s),
                one.type,
                one.body,
            )
            for index, one in enumerate(sent)
        ]
        await self._ledger.write(lambda db: _store(db, rows))
        self._add(queue, len(rows), sum(len(one.body) for one in sent))

    def due(
        self, queue: int, most: int, now_ms: int, after: Position = START
    ) -> Sequence[Position]:
        """Return where up to `most` messages after a position are that are due."""
        found: list[Position] = self._ledger.read(
            f"SELECT visible_ms, seq {_DUE}", (queue, *after, now_ms, most)
        )
        return found

    def next_due(self, queue: int, now_ms: int) -> int | None:
        """Return when the next message will be due that is not yet."""
        found: list[tuple[int | None]] = self._ledger.read(
            "SELECT min(visible_ms) FROM messages WHERE queue = ? AND visible_ms > ?",
            (queue, now_ms),
        )
        return found[0][0]

    def take(self, positions: Sequence[Position]) -> Sequence[Taken]:
        """Return the messages at some positions, for a Worker."""
        marks = ",".join("?" * len(positions))
        rows = self._ledger.read(_TAKE.format(marks), [seq for _, seq in positions])
        return [Taken(*row) for row in rows]

    async def lease(
        self, queue: int, most: int, now_ms: int, until_ms: int
    ) -> Sequence[Leased]:
        """Take due messages for a pull consumer, who has until `until_ms`."""

        def change(db: sqlite3.Connection) -> Sequence[Leased]:
            given = (queue, *START, now_ms, most)
            rows = db.execute(f"SELECT {_COLUMNS} {_DUE}", given).fetchall()
            leased = [
                Leased(Taken(*row), f"{row[0]}.{os.urandom(12).hex()}") for row in rows
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
            StorageError: the disk is full or failing; they stay as they were.
        """
        self._counted(queue)
        if settled.dead_to is not None:
            self._counted(settled.dead_to)
        gone = [*settled.acked, *(settled.dead if settled.dead_to is None else ())]
        moved = settled.dead if settled.dead_to is not None else ()

        def change(db: sqlite3.Connection) -> tuple[list[int], list[int]]:
            more = int(settled.counted)
            db.executemany(_AGAIN, [(due, more, seq) for seq, due in settled.again])
            move = (settled.dead_to, now_ms, now_ms)
            return _each(db, _DELETE, gone), _each(db, _MOVE, moved, move)

        deleted, dead = await self._ledger.write(change)
        self._add(queue, -len(deleted) - len(dead), -sum(deleted) - sum(dead))
        if settled.dead_to is not None:
            self._add(settled.dead_to, len(dead), sum(dead))

    async def remove(self, queue: int, due_before_ms: int = _FOREVER_MS) -> int:
        """Remove messages, all or those that were due so long ago; return how many."""
        where = "FROM messages WHERE queue = ? AND visible_ms <= ?"
        given = (queue, due_before_ms)
        self._counted(queue)

        def change(db: sqlite3.Connection) -> tuple[int, int]:
            sums = f"SELECT count(*), ifnull(sum(length(body)), 0) {where}"
            found: tuple[int, int] = db.execute(sums, given).fetchone()
            if found[0]:
                db.execute(f"DELETE {where}", given)
            return found

        count, size = await self._ledger.write(change)
        self._add(queue, -count, -size)
        return count

    async def remove_some(self, queue: int, seqs: Sequence[int]) -> None:
        """Remove messages that a peek has shown and no pull consumer holds."""
        self._counted(queue)
        sql = (
            "DELETE FROM messages WHERE queue = ? AND lease IS NULL AND seq IN ({})"
            " RETURNING length(body)"
        )
        sizes = await self._ledger.write(lambda db: _each(db, sql, seqs, (queue,)))
        self._add(queue, -len(sizes), -sum(sizes))

    def peek(self, queue: int, most: int) -> Sequence[Taken]:
        """Return the first messages that no pull consumer holds, and leave them."""
        rows = self._ledger.read(_PEEK, (queue, most))
        return [Taken(*row) for row in rows]

    def metrics(self, queue: int) -> Metrics:
        """Return what waits, whoever holds it; what is due first counts as oldest."""
        count, size = self._counted(queue)
        found = self._ledger.read(
            "SELECT stored_ms FROM messages WHERE queue = ?"
            " ORDER BY visible_ms, seq LIMIT 1",
            (queue,),
        )
        return Metrics(count, size, found[0][0] if found else 0)

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


_TAKEN = "FROM messages WHERE seq IN ({}) ORDER BY visible_ms, seq"
_TAKE = f"SELECT {_COLUMNS} {_TAKEN}"
_FREE = (
    "FROM messages WHERE queue = ? AND lease IS NULL ORDER BY visible_ms, seq LIMIT ?"
)
_PEEK = f"SELECT {_COLUMNS} {_FREE}"
_AGAIN = (
    "UPDATE messages SET visible_ms = ?, lease = NULL, attempts = attempts + ?"
    " WHERE seq = ?"
)
_DELETE = "DELETE FROM messages WHERE seq IN ({}) RETURNING length(body)"
_MOVE = (
    "UPDATE messages SET queue = ?, visible_ms = ?, stored_ms = ?, attempts = 0,"
    " lease = NULL WHERE seq IN ({}) RETURNING length(body)"
)
_AT_ONCE = 500


def _store(db: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows by as few statements as may be: each has a price of its own."""
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        values = [value for row in some for value in row]
        db.execute(_INSERT + ",".join([_ROW] * len(some)), values)


def _each(
    db: sqlite3.Connection,
    sql: str,
    messages: Sequence[int],
    given: Sequence[object] = (),
) -> list[int]:
    """Run `sql` on messages; return the sizes of those that were there."""
    sizes: list[int] = []
    for start in range(0, len(messages), _AT_ONCE):
        some = messages[start : start + _AT_ONCE]
        marks = ",".join("?" * len(some))
        rows = db.execute(sql.format(marks), (*given, *some)).fetchall()
        sizes += [row[0] for row in rows]
    return sizes
