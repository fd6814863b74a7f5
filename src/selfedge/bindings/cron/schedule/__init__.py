"""Which minute was looked at last, and which occurrences have not ended yet."""

from collections.abc import Iterable, Sequence

import msgspec

from selfedge.storage.contract import Records

_MINUTE = b"minute"
_OWED = b"owed/"
_OWED_END = b"owed0"
_MOST = 10_000


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An occurrence of a schedule."""

    script: str
    cron: str
    time: int  # seconds since the epoch
    retries: int = 0


class Ledger:
    """Keeps them in `records`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def minute(self) -> int | None:
        """Return the minute since the epoch that was looked at last."""
        raw = await self._records.get(_MINUTE)
        return None if raw is None else int(raw)

    async def enter(self, minute: int, due: Iterable[Due]) -> None:
        """Note that a minute was looked at, and what is due in it.

        Raises:
            StorageError: the disk is full or failing; nothing was noted.
        """
        puts = [(_row(one), msgspec.json.encode(one)) for one in due]
        await self._records.write([(_MINUTE, str(minute).encode()), *puts])

    async def owed(self) -> Sequence[Due]:
        """Return the occurrences that have not ended."""
        pairs = await self._records.scan(_OWED, _OWED_END, _MOST)
        return [msgspec.json.decode(raw, type=Due) for _, raw in pairs]

    async def retried(self, due: Due, retries: int) -> None:
        """Note how often an occurrence was retried."""
        noted = msgspec.structs.replace(due, retries=retries)
        await self._records.write([(_row(due), msgspec.json.encode(noted))])

    async def strike(self, due: Due) -> None:
        """Note that an occurrence has ended."""
        await self._records.write(deletes=[_row(due)])


def _row(due: Due) -> bytes:
    return _OWED + f"{due.time}/{due.script}/{due.cron}".encode()
