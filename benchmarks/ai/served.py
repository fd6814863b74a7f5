"""The same work through `env.AI` of a Worker under `selfedge dev`."""

import asyncio
import json
import time
from typing import Any

from aiohttp import ClientSession

LLAMA = "@local/smollm2-135m-instruct"
MINILM = "@local/all-minilm-l6-v2"


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

    async def embed(self, batch: int, calls: int, text: str) -> dict[str, float]:
        """Embed `calls` batches, one after the other."""
        began = time.perf_counter()
        for _ in range(calls):
            await self._vectors([text] * batch)
        return {"rate": batch * calls / (time.perf_counter() - began)}

    async def singles(self, clients: int, calls: int, text: str) -> dict[str, float]:
        """Have clients ask for one text each."""

        async def client() -> None:
            for _ in range(calls):
                await self._vectors(text)

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return {"rate": clients * calls / (time.perf_counter() - began)}

    async def _vectors(self, text: str | list[str]) -> None:
        body = {"model": MINILM, "inputs": {"text": text}}
        async with self._session.post(self._url, json=body) as answer:
            found = await answer.json()
            assert found["data"], found
