"""Shows answers: text on the terminal, pictures and sounds in files."""

import base64
import binascii
import re
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import click
import msgspec

from selfedge.bindings.ai.tasks.contract import File
from selfedge.bindings.ai.terminal.asking import Events, Whole
from selfedge.errors import UsageError

Say: TypeAlias = Callable[[str], None]

_TEXTS = ("response", "text", "translated_text", "summary", "description")
"""Where an answer's main text stands, by task."""

_NUMBERS = re.compile(r"\[\n([-+.\deE,\s]+)\]")
"""An array of numbers, one on each line: a vector has hundreds of them."""

_KINDS: Mapping[str, str] = {"image": "image/png", "audio": "audio/mpeg"}
_SUFFIXES: Mapping[bytes, str] = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"RIFF": ".wav",
    b"OggS": ".ogg",
    b"fLaC": ".flac",
    b"ID3": ".mp3",
    b"\xff\xfb": ".mp3",
    b"\xff\xf3": ".mp3",
}


def show(
    answer: Whole | Events, model: str, *, output: Path | None, as_json: bool
) -> None:
    """Write the answer out.

    Raises:
        UsageError: the file cannot be written.
    """
    if not isinstance(answer, Whole):
        text = "".join(spoken(answer, _write))
        _write("" if text.endswith("\n") else "\n")
        return
    file = _file(answer.value)
    if file and not as_json:
        _save(file, model, output)
        return
    if isinstance(answer.value, File):
        raise UsageError("--json: this model answers with a file; leave --json out")
    click.echo(_shown(answer.value, as_json=as_json))


def spoken(events: Events, say: Say) -> Generator[str, None, None]:
    """Say each piece of a streamed answer, and yield it."""
    with closing(events):
        for event in events:
            if text := _text(event.get("response")):
                say(text)
                yield text
            if calls := event.get("tool_calls"):
                shown = _text(calls) + "\n"
                say(shown)
                yield shown


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode() if value else ""


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _shown(value: Any, *, as_json: bool) -> str:
    if not as_json and isinstance(value, Mapping):
        for name in _TEXTS:
            if isinstance(value.get(name), str):
                text: str = value[name]
                return text
    laid_out = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", laid_out)


def _file(value: Any) -> File | None:
    """Return the file that an answer is, or (in base64) holds."""
    if isinstance(value, File):
        return value
    for name, kind in _KINDS.items():
        found = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(found, str):
            try:
                return File(base64.b64decode(found, validate=True), kind)
            except binascii.Error:
                return None
    return None


def _save(file: File, model: str, output: Path | None) -> None:
    if output == Path("-"):
        sys.stdout.buffer.write(file.content)
        return
    path = output or _free(model.rpartition("/")[2], _suffix(file))
    try:
        path.write_bytes(file.content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    click.echo(f"{path} ({file.content_type}, {len(file.content):,} bytes)")


def _suffix(file: File) -> str:
    for start, suffix in _SUFFIXES.items():
        if file.content.startswith(start):
            return suffix
    return ".bin"


def _free(stem: str, suffix: str) -> Path:
    """Return a name in this folder that no file has."""
    names = (Path(f"{stem}-{n}{suffix}") for n in count(1))
    return next(path for path in names if not path.exists())
