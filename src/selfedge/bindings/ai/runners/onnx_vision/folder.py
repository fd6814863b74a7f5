"""What lies beside a vision model: its labels and its preprocessing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from selfedge.bindings.ai.runners.onnx_vision.preprocessing import Preprocessing

MODELS = ("model.onnx", "onnx/model.onnx")
PREPROCESSING_FILE = "preprocessor_config.json"


@dataclass(frozen=True, slots=True)
class Folder:
    """A model to be loaded, and how to use it."""

    model: Path
    labels: Mapping[int, str]
    preprocessing: Preprocessing


def read_folder(path: Path) -> Folder:
    """Return what is in the folder `path`.

    Raises:
        ValueError: a file is missing, or is not what its name says.
    """
    model = next((path / name for name in MODELS if (path / name).is_file()), None)
    if model is None:
        raise ValueError(f"there is no {MODELS[0]} in the folder")
    return Folder(model, _labels(path), _preprocessing(path / PREPROCESSING_FILE))


def _labels(path: Path) -> Mapping[int, str]:
    if (path / "labels.json").is_file():
        found = _json(path / "labels.json", list[str] | dict[int, str])
        return dict(enumerate(found)) if isinstance(found, list) else found
    if (path / "config.json").is_file():
        config = _json(path / "config.json", dict[str, Any])
        return _convert(path / "config.json", config.get("id2label") or {})
    return {}


def _preprocessing(path: Path) -> Preprocessing:
    return _json(path, Preprocessing) if path.is_file() else Preprocessing()


def _convert(path: Path, value: object) -> Mapping[int, str]:
    try:
        return msgspec.convert(value, dict[int, str], strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{path.name}: id2label: {error}") from error


def _json(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind, strict=False)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path.name}: {error}") from error
