"""How a model's folder says that it wants to be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from tokenizers import Tokenizer

from selfedge.bindings.ai.errors import BadInput


class Settings(msgspec.Struct, frozen=True):
    """The keys of `config.json` and `generation_config.json` that count here."""

    eos_token_id: int
    decoder_start_token_id: int | None = None
    bos_token_id: int | None = None
    forced_bos_token_id: int | None = None
    max_position_embeddings: int = 1024
    num_beams: int = 1
    length_penalty: float = 1.0
    min_length: int = 0
    max_length: int | None = None
    no_repeat_ngram_size: int = 0

    @property
    def start(self) -> int:
        """The token that the decoder begins with."""
        for token in (self.decoder_start_token_id, self.bos_token_id):
            if token is not None:
                return token
        return self.eos_token_id


@dataclass(frozen=True, slots=True)
class Languages:
    """The language tokens of a translation model, by what is written in them."""

    tokens: Mapping[str, int]

    def token(self, field: str, language: str) -> int:
        """Return the token of `language`: "fr", or as the model itself writes it.

        Raises:
            BadInput: the model does not know it; `field` names it.
        """
        wanted = language.lower()
        for text, token in self.tokens.items():
            name = text.strip("_<>|").lower()
            if name == wanted or name.startswith((f"{wanted}_", f"{wanted}-")):
                return token
        raise BadInput(f"{field}: this model does not know {language}")


def settings(folder: Path) -> Settings:
    """Return what both files say; the second one wins.

    Raises:
        ValueError: a file is missing or wrong.
    """
    found: dict[str, Any] = {}
    for name in ("config.json", "generation_config.json"):
        path = folder / name
        if path.is_file():
            found |= msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    given = {name: value for name, value in found.items() if value is not None}
    return msgspec.convert(given, Settings, strict=False)


def languages(tokenizer: Tokenizer) -> Languages:
    """Return the languages that the tokenizer has special tokens for."""
    added = tokenizer.get_added_tokens_decoder()
    return Languages({token.content: number for number, token in added.items()})
