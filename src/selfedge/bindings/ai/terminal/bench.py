"""`selfedge ai bench`: how fast a model answers here."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from selfedge.bindings.ai.terminal.asking import Models, Whole
from selfedge.errors import UsageError

ROUNDS = 3
TOKENS = 64
BATCHES = (1, 32)
_PROMPT = "Write a long story about a small boat on a wide river."
_SENTENCE = "A small boat goes down a wide river in the evening, and nobody is in it."

Row: TypeAlias = tuple[str, str]
Watch: TypeAlias = Callable[[], float]


def bench(models: Models, model: str, watch: Watch = time.perf_counter) -> list[Row]:
    """Return rows of a table: what was measured, and the figure.

    Raises:
        UsageError: the model's task is not measured.
    """
    match models.task(model):
        case "text-generation":
            return _text(models, model, watch)
        case "text-embeddings":
            return _embeddings(models, model, watch)
        case task:
            raise UsageError(
                f"{model} does {task}; bench measures text-generation and "
                "text-embeddings"
            )


@dataclass(frozen=True, slots=True)
class _Round:
    first_s: float
    tokens_per_s: float


def _text(models: Models, model: str, watch: Watch) -> list[Row]:
    _generate(models, model, watch)  # loads the model
    rounds = [_generate(models, model, watch) for _ in range(ROUNDS)]
    speed = _middle([one.tokens_per_s for one in rounds])
    first = _middle([one.first_s for one in rounds])
    return [
        ("tokens a second", f"{speed:.1f}"),
        ("time to first token", f"{first * 1000:.0f} ms"),
    ]


def _generate(models: Models, model: str, watch: Watch) -> _Round:
    inputs = {"prompt": _PROMPT, "max_tokens": TOKENS, "seed": 1, "stream": True}
    started = watch()
    answer = models.ask(model, inputs)
    if isinstance(answer, Whole):
        raise UsageError(f"{model} does not stream")
    first = end = None
    tokens = 0
    for event in answer:
        if event.get("response"):
            end = watch()
            first = first or end
        tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
    if first is None or end is None or tokens < 2 or end <= first:
        raise UsageError(f"{model} said too little to be measured")
    return _Round(first - started, (tokens - 1) / (end - first))


def _embeddings(models: Models, model: str, watch: Watch) -> list[Row]:
    models.ask(model, {"text": _SENTENCE})  # loads the model
    rows: list[Row] = []
    for size in BATCHES:
        taken = _middle([_embed(models, model, size, watch) for _ in range(ROUNDS)])
        rows.append((f"texts a second, {size} a call", f"{size / taken:.1f}"))
        rows.append((f"one call of {size}", f"{taken * 1000:.1f} ms"))
    return rows


def _embed(models: Models, model: str, size: int, watch: Watch) -> float:
    texts = [f"{n}. {_SENTENCE}" for n in range(size)]
    started = watch()
    models.ask(model, {"text": texts})
    return watch() - started


def _middle(values: Sequence[float]) -> float:
    return median(values)
