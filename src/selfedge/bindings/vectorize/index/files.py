"""The small files beside a shard, each replaced as a whole."""

import os
from array import array
from pathlib import Path
from typing import Any

import msgspec

from selfedge.bindings.vectorize.engine.contract import Metric, Vector, floats
from selfedge.bindings.vectorize.index.model import (
    MetadataIndex,
    Mutation,
    Operation,
)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What `index.json` holds."""

    name: str
    dimensions: int
    metric: Metric
    created: str
    mutation: str | None = None  # the newest that was applied
    processed: str | None = None  # when
    description: str = ""
    modified: str = ""  # when it, or its metadata indexes, were made or changed
    indexes: tuple[MetadataIndex, ...] = ()
    fields: int = 0  # how many were ever made: their names are not used again
    shard: str = "shard"  # the folder
    damage: str = ""  # why the shard was moved aside


class _Packed(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    operation: Operation
    vectors: list[tuple[str, bytes, str | None, bytes | None]]
    ids: list[str]


def read_state(path: Path) -> State | None:
    """Return what stands at `path`, or None when it is absent.

    Raises:
        OSError, msgspec.MsgspecError: it cannot be read.
    """
    content = _read(path)
    return None if content is None else msgspec.json.decode(content, type=State)


def write_state(path: Path, state: State) -> None:
    """Replace what stands at `path`."""
    _replace(path, msgspec.json.format(msgspec.json.encode(state)))


def read_pending(path: Path) -> Mutation | None:
    """Return the write that a crash cut short, or None."""
    content = _read(path)
    if content is None:
        return None
    packed = msgspec.msgpack.decode(content, type=_Packed)
    vectors = [
        Vector(vector_id, array("f", values).tolist(), namespace, metadata)
        for vector_id, values, namespace, metadata in packed.vectors
    ]
    return Mutation(
        id=packed.id, operation=packed.operation, vectors=vectors, ids=packed.ids
    )


def write_pending(path: Path, mutation: Mutation) -> None:
    """Keep `mutation` so that it can be applied again."""
    vectors: list[Any] = [
        (vector.id, floats(vector.values).tobytes(), vector.namespace, metadata)
        for vector in mutation.vectors
        for metadata in (vector.metadata,)
    ]
    packed = _Packed(
        id=mutation.id,
        operation=mutation.operation,
        vectors=vectors,
        ids=list(mutation.ids),
    )
    _replace(path, msgspec.msgpack.encode(packed))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    os.replace(fresh, path)  # noqa: PTH105 - atomic, and says so
