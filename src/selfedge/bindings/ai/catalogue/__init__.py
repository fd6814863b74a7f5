"""The public model ids, and what serves each of them here."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, TypeAlias

import msgspec

from selfedge.bindings.ai.weights.table import ALL, STAND_INS, Weights

Pooling: TypeAlias = Literal["mean", "cls", "last"]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    context: int | None = None
    dimensions: int | None = None
    pooling: Pooling | None = None
    weights: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One id of the catalogue."""

    id: str
    task: str
    context: int | None  # tokens
    dimensions: int | None  # of its vectors
    pooling: Pooling | None
    weights: Weights | None  # None: they cannot be installed yet

    @property
    def author(self) -> str:
        """Return "meta" of "@cf/meta/llama-2-7b-chat-int8"."""
        return self.id.split("/")[1]

    @property
    def stand_in(self) -> Weights | None:
        """Return what can answer in its place, where that is honest."""
        found = STAND_INS.get(self.task)
        if not found or found.task != self.task or not found.dimensions:
            return found
        if found.dimensions > (self.dimensions or 0):
            return None  # cutting a vector short would change every distance
        return found


class Catalogue:
    """All models by id."""

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = {model.id: model for model in models}

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def get(self, model_id: str) -> Model | None:
        """Return the model `model_id`, or None."""
        return self._models.get(model_id)

    def nearest(self, model_id: str) -> str | None:
        """Return the id that `model_id` may be a slip of."""
        found = difflib.get_close_matches(model_id, self._models, n=1, cutoff=0.8)
        return found[0] if found else None


def load() -> Catalogue:
    """Return the catalogue that comes with selfedge."""
    text = files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")
    tables = msgspec.convert(tomllib.loads(text), dict[str, dict[str, _Entry]])
    known = {weights.name: weights for weights in ALL}
    return Catalogue(
        [
            _model(model_id, task, entry, known)
            for task, entries in tables.items()
            for model_id, entry in entries.items()
        ]
    )


def _model(
    model_id: str, task: str, entry: _Entry, known: Mapping[str, Weights]
) -> Model:
    return Model(
        id=model_id,
        task=task,
        context=entry.context,
        dimensions=entry.dimensions,
        pooling=entry.pooling,
        weights=known[entry.weights] if entry.weights else None,
    )
