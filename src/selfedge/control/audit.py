"""Who changed what, and when: one line of JSON for each call that may change."""

import contextlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from selfedge.types import Clock, Notice

FILE = "audit.jsonl"
FILE_MAX_BYTES = 10 * 1024 * 1024
FILES_MAX = 5  # the current one included
_FIELD_MAX_CHARS = 2048


class AuditLog:
    """Appends to `audit.jsonl` in `folder`; a full file becomes `audit.jsonl.1`.

    It never fails a call: what cannot be written is told to the operator.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        notice: Notice,
        *,
        most_bytes: int = FILE_MAX_BYTES,
        most_files: int = FILES_MAX,
    ) -> None:
        self._file = folder / FILE
        self._clock = clock
        self._notice = notice
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._failing = False

    def write(self, entry: Mapping[str, object]) -> None:
        """Add one line: the time, and `entry`, which holds no secret."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        line = msgspec.json.encode(
            {
                "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                **{name: _clean(value) for name, value in entry.items()},
            }
        )
        try:
            self._append(line + b"\n")
        except OSError as error:
            self._failed(error)
        else:
            self._failing = False

    def _append(self, line: bytes) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self._file, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        if size + len(line) >= self._most_bytes:
            self._rotate()

    def _rotate(self) -> None:
        for number in range(self._most_files - 1, 0, -1):
            older = self._numbered(number)
            newer = self._numbered(number - 1) if number > 1 else self._file
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)

    def _numbered(self, number: int) -> Path:
        return self._file.with_name(f"{FILE}.{number}")

    def _failed(self, error: OSError) -> None:
        if not self._failing:  # once for each time that it begins
            self._notice(
                f"the audit log {self._file} cannot be written: {error.strerror}. "
                "Changes go on without it; make room, or mend the folder."
            )
        self._failing = True


def _clean(value: object) -> object:
    """Return a text that is valid and not too long; others as they are."""
    if not isinstance(value, str):
        return value
    return value.encode(errors="backslashreplace").decode()[:_FIELD_MAX_CHARS]
