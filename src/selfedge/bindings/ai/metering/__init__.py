"""What models do, as figures: calls under way, tokens, and the time to the first."""

import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from selfedge.binding import Figure
from selfedge.bindings.ai.jobs import Part
from selfedge.bindings.ai.jobs.text_generation import Text, Usage
from selfedge.telemetry.histogram import MODEL_BOUNDS_MS, Recorder


class Meter:
    """Counts by model; what is under way waits, or is computed."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()
        self._prompt: Counter[str] = Counter()
        self._completion: Counter[str] = Counter()
        self._first: defaultdict[str, Recorder] = defaultdict(
            lambda: Recorder(MODEL_BOUNDS_MS)
        )

    async def watched(
        self, model: str, parts: AsyncGenerator[Part, None]
    ) -> AsyncGenerator[Part, None]:
        """Yield `parts`, and count them."""
        began, waiting = time.perf_counter(), True
        self._under_way[model] += 1
        try:
            async with aclosing(parts):
                async for part in parts:
                    if waiting and isinstance(part, Text):
                        took_ms = (time.perf_counter() - began) * 1000
                        self._first[model].add(took_ms)
                    waiting = False
                    if isinstance(part, Usage):
                        self._prompt[model] += part.prompt_tokens
                        self._completion[model] += part.completion_tokens
                    yield part
        finally:
            self._under_way[model] -= 1

    def figures(self) -> Iterable[Figure]:
        """Yield the figures of all models that were asked."""
        for model, calls in self._under_way.items():
            yield Figure("ai_under_way", model, calls)
        for model, tokens in self._prompt.items():
            yield Figure("ai_prompt_tokens", model, tokens)
        for model, tokens in self._completion.items():
            yield Figure("ai_completion_tokens", model, tokens)
        for model, recorder in self._first.items():
            yield Figure("ai_first_token_seconds", model, recorder.histogram())
