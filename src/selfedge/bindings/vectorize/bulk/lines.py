"""Lines of JSON: in batches, parsed, joined."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from selfedge.errors import UsageError

BATCH_MAX_BYTES = 64 * 1000 * 1000  # below the limit of an upload


@dataclass(frozen=True, slots=True)
class Batch:
    """Some lines, without their ends; `size` is what they take of the file."""

    lines: Sequence[bytes]
    size: int


def batches(stream: IO[bytes], count: int) -> Iterator[Batch]:
    """Yield all lines that are not blank, at most `count` at a time."""
    lines: list[bytes] = []
    size = held = 0
    for line in stream:
        size += len(line)
        if text := line.strip():
            lines.append(text)
            held += len(text)
        if len(lines) >= count or held >= BATCH_MAX_BYTES:
            yield Batch(lines, size)
            lines, size, held = [], 0, 0
    if lines:
        yield Batch(lines, size)


def parsed(lines: Iterable[bytes], file: Path, before: int) -> list[dict[str, Any]]:
    """Read lines that come after `before` others of `file`.

    Raises:
        UsageError: a line is not a JSON object.
    """
    found = []
    for number, line in enumerate(lines, before + 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{file}: vector {number}: {error}") from error
        if not isinstance(value, dict):
            raise UsageError(f"{file}: vector {number} is not a JSON object")
        found.append(value)
    return found


def joined(vectors: Iterable[Any]) -> bytes:
    """Write one object on each line, without a last line end."""
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in vectors).encode()


def decoded(text: str | None, option: str) -> Any:
    """Read an option's JSON.

    Raises:
        UsageError: it is none.
    """
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise UsageError(f"{option} is not JSON: {error}") from error


def numbers(text: str) -> list[float]:
    """Read numbers separated by commas or spaces, in brackets or not.

    Raises:
        UsageError: one is no number.
    """
    parts = text.strip("[] \n").replace(",", " ").split()
    try:
        return [float(part) for part in parts]
    except ValueError as error:
        raise UsageError(f"--vector takes numbers: {error}") from error
