"""Text scores: texts or pairs of texts in, one number for each label out."""

from collections.abc import Sequence

import msgspec


class Pair(msgspec.Struct, frozen=True):
    """A text, and what it is to be compared with."""

    text: str
    other: str | None = None


class ScoreTexts(msgspec.Struct, frozen=True, tag="score-texts"):
    """Score each pair."""

    pairs: Sequence[Pair]


class Scores(msgspec.Struct, frozen=True, kw_only=True, tag="scores"):
    """The only part: a row for each pair, raw numbers of the model."""

    labels: Sequence[str]  # of a row's numbers
    rows: Sequence[Sequence[float]]
