"""Beam search: which tokens make the most probable text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Tokens: TypeAlias = tuple[int, ...]
Step: TypeAlias = Callable[[Sequence[Tokens], Sequence[int]], Any]
"""(texts so far, which text of the last step each grew from) → a row of logits each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a text must be like."""

    start: int
    end: int
    max_tokens: int
    beams: int = 1
    first: int | None = None  # the language of a translation
    min_tokens: int = 0
    no_repeat: int = 0  # no run of that many tokens stands twice
    length_penalty: float = 1.0


@dataclass(frozen=True, slots=True)
class _Beam:
    tokens: Tokens
    score: float

    def rank(self, penalty: float) -> float:
        length = float(max(len(self.tokens) - 1, 1))
        return self.score / float(length**penalty)


def search(step: Step, rules: Rules, stopped: Callable[[], bool]) -> Tokens:
    """Return the best text's tokens, without its start and its end.

    Once `stopped`, what there is so far.
    """
    live, parents = [_Beam((rules.start,), 0.0)], [0]
    ended: list[_Beam] = []
    for _ in range(rules.max_tokens):
        scores = _log_softmax(step([beam.tokens for beam in live], parents))
        for row, beam in zip(scores, live, strict=True):
            _forbid(row, beam.tokens, rules)
        live, parents, complete = _grow(live, scores, rules)
        ended += complete
        if stopped() or not live or len(ended) >= rules.beams:
            break
    best = max(ended or live, key=lambda beam: beam.rank(rules.length_penalty))
    return tuple(token for token in best.tokens[1:] if token != rules.end)


def _grow(
    live: Sequence[_Beam], scores: Any, rules: Rules
) -> tuple[list[_Beam], list[int], list[_Beam]]:
    """Return the best longer texts, whence they come, and those that came to an end."""
    totals = scores + np.array([beam.score for beam in live])[:, None]
    width = totals.shape[1]
    count = min(2 * rules.beams, totals.size)
    best = np.argpartition(-totals.ravel(), count - 1)[:count]
    growing: list[_Beam] = []
    parents: list[int] = []
    complete: list[_Beam] = []
    for place in sorted(best.tolist(), key=lambda at: (-totals.flat[at], at)):
        parent, token = divmod(place, width)
        beam = _Beam((*live[parent].tokens, token), float(totals[parent, token]))
        if not np.isfinite(beam.score):
            continue
        if token == rules.end:
            if len(growing) < rules.beams:
                complete.append(beam)
        elif len(growing) < rules.beams:
            growing.append(beam)
            parents.append(parent)
    return growing, parents, complete


def _forbid(row: Any, tokens: Tokens, rules: Rules) -> None:
    """Make what the rules do not allow impossible."""
    if len(tokens) == 1 and rules.first is not None:
        row[:] = -np.inf
        row[rules.first] = 0.0
        return
    if len(tokens) < rules.min_tokens:
        row[rules.end] = -np.inf
    size = rules.no_repeat
    if size and len(tokens) >= size:
        last = tokens[len(tokens) - size + 1 :]
        for place in range(len(tokens) - size + 1):
            if tokens[place : place + size - 1] == last:
                row[tokens[place + size - 1]] = -np.inf


def _log_softmax(logits: Any) -> Any:
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
