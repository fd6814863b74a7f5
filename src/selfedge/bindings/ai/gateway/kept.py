"""Gateway logs on disk: a restart of the node still has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from selfedge.storage.contract import Records

_START, _END = b"gateway-log/", b"gateway-log0"  # "0" comes after every "/…"
_PAGE = 100


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A log, of which gateway, and when (seconds since 1970)."""

    gateway: str
    at: float
    log: Mapping[str, Any]


class KeptLogs:
    """The logs in `records`, a row for each."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def write(self, row: Row, dropped: Sequence[str] = ()) -> None:
        """Keep or replace a log; forget those with the ids `dropped`.

        Raises:
            StorageError: the disk is full or failing.
        """
        put = (_key(row.log["id"]), msgspec.json.encode(row))
        await self._records.write([put], [_key(log_id) for log_id in dropped])

    async def load(self) -> Sequence[Row]:
        """Return all logs, the oldest first."""
        found: list[Row] = []
        start = _START
        while rows := await self._records.scan(start, _END, _PAGE):
            found += (msgspec.json.decode(value, type=Row) for _, value in rows)
            start = rows[-1][0] + b"\0"
        return sorted(found, key=lambda row: row.at)


def _key(log_id: str) -> bytes:
    return _START + log_id.encode()
