"""Tokens and their times → words and their times."""

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Decode: TypeAlias = Callable[[Sequence[int]], str]

UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages that put no blanks between words."""

_BROKEN = "\ufffd"
_TRAILING = frozenset(string.punctuation + "。、，！？：；”’）」")  # noqa: RUF001 - they are these


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens that make whole characters; a word when it stands for itself."""

    text: str
    tokens: Sequence[int]


def pieces(tokens: Sequence[int], decode: Decode, *, spaced: bool) -> Sequence[Piece]:
    """Return the words of `tokens`, each with the blank before and the marks after."""
    found: list[Piece] = []
    for piece in _characters(tokens, decode):
        joins = found and (
            piece.text.strip() in _TRAILING
            or (spaced and not piece.text.startswith(" "))
        )
        if joins:
            last = found.pop()
            piece = Piece(last.text + piece.text, [*last.tokens, *piece.tokens])  # noqa: PLW2901 - the piece grows
        found.append(piece)
    return found


def _characters(tokens: Sequence[int], decode: Decode) -> Sequence[Piece]:
    """Split where a character ends: some take several tokens."""
    found, waiting = [], list[int]()
    for token in tokens:
        waiting.append(token)
        text = decode(waiting)
        if _BROKEN not in text:
            found.append(Piece(text, tuple(waiting)))
            waiting.clear()
    if waiting:
        found.append(Piece(decode(waiting), tuple(waiting)))
    return found
