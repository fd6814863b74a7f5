"""`selfedge ai add`: runs the weights once, then writes them into selfedge.toml."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from selfedge.bindings.ai import catalogue
from selfedge.bindings.ai.catalogue import overlay
from selfedge.bindings.ai.catalogue.overlay import Entry
from selfedge.bindings.ai.terminal.asking import Models, Whole
from selfedge.bindings.ai.terminal.samples import sample
from selfedge.errors import UsageError

DRAFT = "@local/draft"
"""A name that the catalogue does not have: nothing of another model is lent to it."""

_HEADER = re.compile(r"^\s*\[")


def check(name: str, entry: Entry, folder: Path) -> str:
    """Return the task of a new entry, before anything is loaded.

    Raises:
        UsageError: the entry is wrong.
    """
    return overlay.own_model(name, entry, catalogue.load().get(name), folder).task


@contextmanager
def draft(folder: Path, task: str, entry: Entry) -> Iterator[Path]:
    """Yield a file with this entry alone, as `DRAFT`, with paths that hold anywhere."""
    places = {
        key: str(folder / Path(getattr(entry, key)).expanduser())
        for key in overlay.PLACES
        if getattr(entry, key) and key != "openai"
    }
    with TemporaryDirectory() as place:
        file = Path(place) / overlay.FILE
        whole = msgspec.structs.replace(entry, task=task, dimensions=None, **places)
        file.write_text(table(DRAFT, whole), encoding="utf-8")
        yield file


def tried(models: Models, name: str, task: str, entry: Entry) -> Entry:
    """Run the model of `draft` once; return the entry with what that told.

    Raises:
        SelfedgeError: the weights do not run.
    """
    answer = models.ask(DRAFT, sample(task))
    if not isinstance(answer, Whole) or task != "text-embeddings":
        return entry
    width = len(answer.value["data"][0])
    known = catalogue.load().get(name)
    wanted = entry.dimensions or (known.dimensions if known else None) or width
    if wanted != width:
        raise UsageError(
            f"{name} has {wanted} dimensions, these weights give {width}; "
            "add them under another name, like @local/mine"
        )
    return msgspec.structs.replace(entry, dimensions=width)


def write(file: Path, name: str, entry: Entry) -> None:
    """Put the entry into `file`, in place of an older one; the rest stays as it is.

    Raises:
        UsageError: the file cannot be written, or has the entry in another form.
    """
    overlay.read(file)
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    new = _without(old, name)
    if new and not new.endswith("\n\n"):
        new += "\n" if new.endswith("\n") else "\n\n"
    new += table(name, entry)
    try:
        found = tomllib.loads(new)["ai"]["models"][name]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise UsageError(
            f"{file}: {name} stands there in another form than "
            f"{header(name)}; remove it first ({error})"
        ) from error
    if msgspec.convert(found, Entry) != entry:
        raise UsageError(f"{file}: {name} stands there twice; remove it first")
    _replace(file, new)


def header(name: str) -> str:
    """Return the first line of a model's table."""
    return f'[ai.models."{name}"]'


def table(name: str, entry: Entry) -> str:
    """Return an entry as TOML; JSON's strings and numbers are TOML's too."""
    given: Mapping[str, Any] = msgspec.to_builtins(entry)
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in given.items()
        if value is not None
    ]
    return "\n".join([header(name), *lines]) + "\n"


def _without(text: str, name: str) -> str:
    """Leave out the table of `name`: from its header to the next one."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if _HEADER.match(line):
            inside = line.strip() == header(name)
        if not inside:
            kept.append(line)
    return "".join(kept)


def _replace(file: Path, text: str) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
