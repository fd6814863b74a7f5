"""Reads the tensors of a PyTorch file without PyTorch, and without trusting it.

Such a file is a pickle, which may name any function of any module to be called.
This reader knows three names, all of which only describe tensors; any other ends it.
The old layout only: four pickles (a magic number, a version, facts about the machine,
the tensors' shapes), a list of storages, and the storages' bytes.
"""

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
_TYPES: Mapping[str, type[Any]] = {"FloatStorage": np.float32, "LongStorage": np.int64}


@dataclass(frozen=True, slots=True)
class _Storage:
    kind: type[Any]
    key: str


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: Sequence[int]
    strides: Sequence[int]


def _tensor(
    storage: _Storage, offset: int, shape: Any, strides: Any, *_rest: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


class _Reader(pickle.Unpickler):
    """An unpickler that can make tensors' descriptions and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        known: Mapping[tuple[str, str], Callable[..., object] | str] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            **{("torch", kind): kind for kind in _TYPES},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in weights")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_rest = pid
        return _Storage(_TYPES[kind], key)


def read_tensors(path: Path) -> Mapping[str, Any]:
    """Return the file's tensors as numpy arrays.

    Raises:
        ValueError: it is not such a file, or holds more than tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (
        pickle.UnpicklingError,
        EOFError,
        KeyError,
        TypeError,
        struct.error,
    ) as error:
        raise ValueError(f"{path.name} is no plain file of tensors: {error}") from error


def _read(file: BinaryIO) -> Mapping[str, Any]:
    if _Reader(file).load() != MAGIC:
        raise ValueError("the magic number of PyTorch's old file layout is missing")
    for _ in ("version", "machine"):
        _Reader(file).load()
    described: Mapping[str, _Tensor] = _Reader(file).load()
    kinds = {t.storage.key: t.storage.kind for t in described.values()}
    data = {key: _storage(file, kinds[key]) for key in _Reader(file).load()}
    return {
        name: _array(data[tensor.storage.key], tensor)
        for name, tensor in described.items()
    }


def _storage(file: BinaryIO, kind: type[Any]) -> Any:
    (count,) = struct.unpack("<q", file.read(8))
    size = np.dtype(kind).itemsize
    return np.frombuffer(file.read(count * size), kind)


def _array(data: Any, tensor: _Tensor) -> Any:
    """Copy the tensor out of its storage; bounds and strides are checked by numpy."""
    size = data.itemsize
    return np.ndarray(
        tuple(tensor.shape),
        data.dtype,
        buffer=data,
        offset=tensor.offset * size,
        strides=tuple(step * size for step in tensor.strides),
    ).copy()
