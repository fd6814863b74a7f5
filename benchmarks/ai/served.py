"""The same work through `env.AI` of a Worker under `selfedge dev`."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

LLAMA = "@local/smollm2-135m-instruct"
MINILM = "@local/all-minilm-l6-v2"
UNBATCHED = "@local/unbatched"


def unbatched(models: Path) -> str:
    """Return a selfedge.toml with MiniLM again, each call in a run of its own."""
    folder = json.dumps(str(next(models.glob("all-minilm*"))))
    more = 'task = "text-embeddings"\nbatch = 1\n'
    return f'[ai.models."{UNBATCHED}"]\nonnx = {folder}\n{more}'


class Served:
    """A Worker's address."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def generate(self, inputs: dict[str, Any], count: int) -> dict[str, float]:
        """Stream `count` answers at once."""
        began = time.perf_counter()
        done = await asyncio.gather(*(self._one(inputs, n) for n in range(count)))
        took = time.perf_counter() - began
        tokens = sum(tokens for _, tokens in done)
        return {"rate": tokens / took, "first": min(first for first, _ in done)}

    async def _one(self, inputs: dict[str, Any], number: int) -> tuple[float, int]:
        body = {
            "model": LLAMA,
            "inputs": {**inputs, "stream": True, "seed": number + 1},
        }
        began, first, tokens = time.perf_counter(), 0.0, 0
        async with self._session.post(self._url, json=body) as answer:
            async for line in answer.content:
                if not line.startswith(b"data: {"):
                    continue
                first = first or time.perf_counter() - began
                usage = json.loads(line[6:]).get("usage", {})
                tokens = usage.get("completion_tokens", tokens)
        return first, tokens

    async def embed(self, texts: Sequence[str], calls: int) -> dict[str, float]:
        """Have the Worker embed `calls` times, one after the other."""
        began = time.perf_counter()
        await self._vectors(MINILM, texts if len(texts) > 1 else texts[0], calls)
        return {"rate": len(texts) * calls / (time.perf_counter() - began)}

    async def singles(
        self, model: str, texts: Sequence[str], calls: int
    ) -> dict[str, float]:
        """Have a Worker for each text embed it, all at once, again and again."""
        began = time.perf_counter()
        await asyncio.gather(*(self._vectors(model, text, calls) for text in texts))
        return {"rate": len(texts) * calls / (time.perf_counter() - began)}

    async def _vectors(self, model: str, text: str | Sequence[str], calls: int) -> None:
        body = {"model": model, "inputs": {"text": text}, "calls": calls}
        async with self._session.post(self._url, json=body) as answer:
            found = await answer.json()
            assert found["shape"], found
