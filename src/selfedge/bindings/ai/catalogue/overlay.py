"""The user's own models: `[ai.models."@local/mine"]` of `selfedge.toml`."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from selfedge.bindings.ai.catalogue import Catalogue, Model, Pooling
from selfedge.bindings.ai.catalogue.formats import FORMATS, formats_of
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.weights.table import Weights
from selfedge.errors import UsageError

FILE = "selfedge.toml"
PLACES = ("gguf", "onnx", "ct2", "diffusers", "openai")
_NAME = re.compile(r"@[\w.-]+(/[\w.-]+)+")
_TASKS: Mapping[str, str] = {
    "gguf": "text-generation",
    "openai": "text-generation",
    "ct2": "automatic-speech-recognition",
    "diffusers": "text-to-image",
}
"""What such weights do, where neither the catalogue nor the entry tells."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file; exactly one of the first five is given."""

    gguf: str | None = None  # a file; relative to the folder of selfedge.toml
    onnx: str | None = None  # a folder
    ct2: str | None = None  # a folder
    diffusers: str | None = None  # a folder
    openai: str | None = None  # the URL of a server, with its /v1
    model: str | None = None  # what that server calls the model
    key_env: str | None = None  # the variable that holds that server's key
    task: str | None = None
    context: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None  # tokens
    batch: Annotated[int, Meta(ge=1, le=1024)] | None = None  # texts of several calls
    dimensions: int | None = None
    pooling: Pooling | None = None


def read(file: Path) -> Mapping[str, Entry]:
    """Return the entries of `file`; none when it is not there.

    Raises:
        UsageError: it cannot be read, or an entry is wrong.
    """
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}") from error
    models = _table(_table(found, "ai", file), "models", file)
    return {name: _entry(name, entry, file) for name, entry in models.items()}


def _table(parent: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    found = parent.get(name, {})
    if not isinstance(found, dict):
        raise UsageError(f"{file}: {name} must be a table")
    return found


def _entry(name: str, entry: object, file: Path) -> Entry:
    try:
        return msgspec.convert(entry, Entry)
    except msgspec.ValidationError as error:
        raise UsageError(f'{file}: [ai.models."{name}"]: {error}') from error


def overlaid(
    catalogue: Catalogue, entries: Mapping[str, Entry], folder: Path
) -> Catalogue:
    """Return the catalogue with the user's models in it; paths are below `folder`.

    Raises:
        UsageError: an entry names no weights, or no file that is there.
    """
    models = {model.id: model for model in catalogue}
    for name, entry in entries.items():
        models[name] = own_model(name, entry, models.get(name), folder)
    return Catalogue(list(models.values()))


def own_model(name: str, entry: Entry, known: Model | None, folder: Path) -> Model:
    """Return the model of one entry; `known` is the catalogue's, if it has the name.

    Raises:
        UsageError: the entry is wrong; the text says in what.
    """
    where = f'[ai.models."{name}"]'
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: a model's name is like @local/mine")
    key, place = _place(entry, where)
    task = entry.task or (known.task if known else None) or _TASKS.get(key)
    if task is None:
        raise UsageError(f'{where}: say what it does, for example task = "rerank"')
    dimensions = entry.dimensions or (known.dimensions if known else None)
    pooling = entry.pooling or (known.pooling if known else None)
    weights = Weights(
        name=name,
        licence="the user's own",
        task=task,
        runner=_runner(key, task, where),
        source=_source(key, place, entry, folder, where),
        dimensions=dimensions,
        pooling=pooling if pooling != "last" else None,
    )
    return Model(
        id=name,
        task=task,
        context=entry.context or (known.context if known else None),
        dimensions=dimensions,
        pooling=pooling,
        weights=weights,
    )


def _place(entry: Entry, where: str) -> tuple[str, str]:
    given = [(key, getattr(entry, key)) for key in PLACES if getattr(entry, key)]
    if len(given) != 1:
        raise UsageError(f"{where}: give exactly one of {', '.join(PLACES)}")
    if given[0][0] == "openai" and not entry.model:
        raise UsageError(f"{where}: openai needs model, the server's name for it")
    return given[0]


def _runner(key: str, task: str, where: str) -> str:
    runner = FORMATS.get((key, task))
    if runner is None:
        can = ", ".join(formats_of(task)) or "nothing yet"
        raise UsageError(f"{where}: {key} cannot serve {task}; what can: {can}")
    return runner


def _source(key: str, place: str, entry: Entry, folder: Path, where: str) -> Source:
    if key == "openai":
        if not place.startswith(("http://", "https://")):
            raise UsageError(f"{where}: openai is a URL like http://host:8000/v1")
        options = {"model": entry.model or "", "key_env": entry.key_env or ""}
        return Source(location=place.rstrip("/"), options=options)
    path = folder / Path(place).expanduser()
    if not (path.is_file() if key == "gguf" else path.is_dir()):
        kind = "file" if key == "gguf" else "folder"
        raise UsageError(f"{where}: {key}: there is no {kind} {path}")
    numbers = {"context": entry.context, "batch": entry.batch}
    options = {name: str(number) for name, number in numbers.items() if number}
    return Source(location=str(path), options=options)
