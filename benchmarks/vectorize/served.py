"""Our service, asked over its unix socket as the engine's client asks."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, UnixConnector, web

from selfedge.bindings.vectorize.engine.contract import Metric
from selfedge.bindings.vectorize.engine.host.engine import HostedEngine
from selfedge.bindings.vectorize.index.model import Config
from selfedge.bindings.vectorize.server import VectorizeServer
from selfedge.bindings.vectorize.service import VectorizeService

BATCH = 1000
INDEX = "bench"
SECONDS = 3.0


class Served:
    """A service on a folder, and a client of it."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._dimensions = dimensions
        self._stack = contextlib.AsyncExitStack()
        self.longest = 0.0  # seconds of the slowest query while it was optimised

    async def __aenter__(self) -> Self:
        self._service = self._started()
        config = Config(dimensions=self._dimensions, metric=Metric.COSINE)
        await self._service.create(INDEX, config)
        await self._service.add_metadata_index(INDEX, "n", "number")
        runner = web.ServerRunner(web.Server(self._answer))
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        path = str(self._folder / "socket")
        await web.UnixSite(runner, path).start()
        session = ClientSession(connector=UnixConnector(path))
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self._service.close()

    async def fill(self, vectors: Any, categories: Any) -> float:
        """Insert all, two calls at a time; return seconds, without making bodies."""
        rows, kinds = vectors.tolist(), categories.tolist()
        bodies = [
            "\n".join(
                json.dumps(
                    {"id": str(n), "values": rows[n], "metadata": {"n": kinds[n]}}
                )
                for n in range(first, min(first + BATCH, len(rows)))
            ).encode()
            for first in range(0, len(rows), BATCH)
        ]
        del rows
        remaining = iter(bodies)

        async def client() -> None:
            for body in remaining:
                await self._post("/insert", body)

        start = time.perf_counter()
        await asyncio.gather(client(), client())
        return time.perf_counter() - start

    async def optimise(self) -> float:
        """Return seconds; queries go on meanwhile."""
        start = time.perf_counter()
        task = asyncio.create_task(self._service.compact(INDEX))
        body = _query([1.0] * self._dimensions, 10, None)
        while not task.done():
            before = time.perf_counter()
            await self._post("/query", body)
            self.longest = max(self.longest, time.perf_counter() - before)
            await asyncio.wait({task}, timeout=0.02)
        await task
        return time.perf_counter() - start

    async def queries(
        self, queries: Any, top_k: int, category: int | None
    ) -> tuple[Sequence[Sequence[int]], Sequence[float]]:
        """Return what was found, and seconds of each."""
        found, times = [], []
        for query in queries.tolist():
            body = _query(query, top_k, category)
            start = time.perf_counter()
            answer = await self._post("/query", body)
            times.append(time.perf_counter() - start)
            found.append([int(match["id"]) for match in json.loads(answer)["matches"]])
        return found, times

    async def throughput(self, queries: Any, top_k: int, clients: int) -> float:
        """Return queries a second."""
        bodies = [_query(query, top_k, None) for query in queries.tolist()]
        end = time.perf_counter() + SECONDS

        async def client(number: int) -> int:
            count = 0
            while time.perf_counter() < end:
                await self._post("/query", bodies[(number + count) % len(bodies)])
                count += 1
            return count

        counts = await asyncio.gather(*map(client, range(clients)))
        return sum(counts) / SECONDS

    def rss(self) -> int:
        """Return the bytes of memory of the index's process."""
        shard = self._service._slots[INDEX].index.shard  # noqa: SLF001
        status = Path(f"/proc/{getattr(shard, 'pid', 0)}/status").read_text()
        line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    async def reopen(self) -> float:
        """Restart the service; return seconds to the first answer."""
        await self._service.close()
        self._service = self._started()
        start = time.perf_counter()
        await self._post("/query", _query([1.0] * self._dimensions, 10, None))
        return time.perf_counter() - start

    def _started(self) -> VectorizeService:
        return VectorizeService(
            self._folder / "state",
            engine=HostedEngine(),
            clock=time.time,
            notice=print,
            new_id=lambda: str(uuid.uuid4()),
            free_bytes=lambda: 2**40,
        )

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return await VectorizeServer(self._service).handle(INDEX, request)

    async def _post(self, path: str, body: bytes) -> bytes:
        async with self._session.post(f"http://vector{path}", data=body) as response:
            answer = await response.read()
            assert response.status == 200, answer
            return answer


def _query(values: Sequence[float], top_k: int, category: int | None) -> bytes:
    body: dict[str, object] = {"vector": values, "topK": top_k}
    if category is not None:
        body["filter"] = {"n": category}
    return json.dumps(body).encode()
