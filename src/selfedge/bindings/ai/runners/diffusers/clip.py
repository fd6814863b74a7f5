"""CLIP's tokenizer: lower-cased words, byte pairs, a fixed length."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
LENGTH = 77
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


class ClipTokenizer:
    """Text → exactly as many numbers as the text encoder takes."""

    def __init__(self, folder: Path) -> None:
        """Read vocab.json and merges.txt.

        Raises:
            ValueError: one is missing or damaged.
        """
        try:
            self._tokenizer = _tokenizer(folder)
        except Exception as error:
            raise ValueError(f"{folder.name}: {error}") from error
        settings = _settings(folder)
        self.length = min(int(settings.get("model_max_length", LENGTH)), 4 * LENGTH)
        self._start = self._id(settings.get("bos_token", START))
        self._end = self._id(settings.get("eos_token", END))
        self._pad = self._id(settings.get("pad_token", END))

    def __call__(self, text: str) -> Sequence[int]:
        """Return the numbers; what is too long is cut, what is short is padded."""
        found = self._tokenizer.encode(text, add_special_tokens=False).ids
        ids = [self._start, *found[: self.length - 2], self._end]
        return ids + [self._pad] * (self.length - len(ids))

    def _id(self, token: Any) -> int:
        text = token.get("content", END) if isinstance(token, dict) else str(token)
        found = self._tokenizer.token_to_id(text)
        if found is None:
            raise ValueError(f"the vocabulary does not have the token {text}")
        return int(found)


def _tokenizer(folder: Path) -> Any:
    tokenizer = Tokenizer(
        models.BPE.from_file(
            str(folder / "vocab.json"),
            str(folder / "merges.txt"),
            unk_token=END,
            end_of_word_suffix=WORD_END,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Lowercase(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def _settings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            given = json.loads((folder / name).read_text(encoding="utf-8"))
            found |= {key: value for key, value in given.items() if value is not None}
    return found
