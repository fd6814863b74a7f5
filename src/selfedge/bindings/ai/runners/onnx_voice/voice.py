"""What stands beside a voice's `.onnx`: its phonemes, its rate, how it speaks."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

_START, _BETWEEN, _END = "^", "_", "$"


class _Audio(msgspec.Struct, frozen=True):
    sample_rate: int


class _Inference(msgspec.Struct, frozen=True):
    noise_scale: float = 0.667
    length_scale: float = 1.0
    noise_w: float = 0.8


class _Espeak(msgspec.Struct, frozen=True):
    voice: str = "en-us"


class Voice(msgspec.Struct, frozen=True):
    """The description of one voice."""

    audio: _Audio
    phoneme_id_map: dict[str, list[int]]
    phoneme_type: Literal["espeak", "text"] = "espeak"
    inference: _Inference = _Inference()
    espeak: _Espeak = _Espeak()
    num_speakers: int = 1

    @property
    def language(self) -> str:
        """Return "en" of "en-us"."""
        return self.espeak.voice.partition("-")[0].lower()

    def ids(self, phonemes: str) -> Sequence[int]:
        """Return what the network reads; phonemes unknown to it are left out."""
        table = self.phoneme_id_map
        between = table.get(_BETWEEN, [])
        found = [*table.get(_START, []), *between]
        for phoneme in unicodedata.normalize("NFD", phonemes):
            if phoneme in table:
                found += [*table[phoneme], *between]
        return [*found, *table.get(_END, [])]


def read(folder: Path) -> tuple[Path, Voice]:
    """Return the network's file and the description beside it.

    Raises:
        ValueError: there is no such pair, or more than one.
    """
    pairs = [
        (path, path.with_name(f"{path.name}.json"))
        for path in sorted(folder.glob("*.onnx"))
        if path.with_name(f"{path.name}.json").is_file()
    ]
    if len(pairs) != 1:
        raise ValueError(
            f"{len(pairs)} voices found; expected one NAME.onnx with NAME.onnx.json"
        )
    model, description = pairs[0]
    return model, msgspec.json.decode(description.read_bytes(), type=Voice)
