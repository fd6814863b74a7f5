"""When the Durable Objects of a stopped process want to be woken."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

_FILE = "metadata.sqlite"
_NS_PER_S = 1_000_000_000


def next_alarm(folders: Iterable[Path]) -> float | None:
    """Return the earliest alarm of all objects below `folders`, in seconds since 1970.

    The engine keeps them in the table `_cf_ALARM` of each class's folder.
    """
    found = [
        when
        for folder in folders
        for file in sorted(folder.rglob(_FILE))
        if (when := _earliest(file)) is not None
    ]
    return min(found, default=None)


def _earliest(file: Path) -> float | None:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            row = database.execute(
                "SELECT min(scheduled_time) FROM _cf_ALARM"
            ).fetchone()
    except sqlite3.Error:  # no alarm was ever set, or it is being made
        return None
    return row[0] / _NS_PER_S if row and row[0] is not None else None
