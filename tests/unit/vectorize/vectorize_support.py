"""A Vectorize service on a folder, with a real engine, for the tests beside."""

import asyncio
import io
import itertools
import json
import math
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, UnixConnector, web
from aiohttp.web import BaseRequest, StreamResponse

from selfedge.binding import IDENTITY_HEADER, Context
from selfedge.bindings.vectorize.engine.contract import FieldType
from selfedge.bindings.vectorize.engine.qdrant import QdrantEngine
from selfedge.bindings.vectorize.server import VectorizeServer, serve
from selfedge.bindings.vectorize.service import VectorizeService
from selfedge.settings import Settings
from selfedge.storage.contract import Blobs, Records

T = TypeVar("T")


@dataclass
class Folders:
    """The part of a node's storage that Vectorize asks for."""

    root: Path

    def directory(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def records(self, name: str) -> Records:
        raise NotImplementedError

    def blobs(self, name: str) -> Blobs:
        raise NotImplementedError


@dataclass
class Node:
    """The service over HTTP on a unix socket, as a node runs it."""

    session: ClientSession
    socket: Path
    service: VectorizeService
    notices: list[str] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        index: str = "docs",
        content_type: str = "application/json",
    ) -> tuple[int, Any]:
        """Return status and decoded answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {IDENTITY_HEADER: index, "Content-Type": content_type}
        async with self.session.request(
            method,
            f"http://vector-search{path}",
            data=None if body is None else io.BytesIO(data),
            headers=headers,
        ) as response:
            return response.status, await response.json()

    async def write(
        self, path: str, *vectors: Mapping[str, object], index: str = "docs"
    ) -> tuple[int, Any]:
        """Send vectors as the engine's client does: one object per line."""
        lines = "\n".join(json.dumps(vector) for vector in vectors).encode()
        return await self.call(
            "POST", path, lines, index=index, content_type="application/x-ndjson"
        )

    async def fields(self, index: str = "docs", **kinds: FieldType) -> None:
        """Make metadata indexes; double underscores are dots."""
        for name, kind in kinds.items():
            path = name.replace("__", ".")
            await self.service.add_metadata_index(index, path, kind)

    async def query(
        self, values: Sequence[float], *, index: str = "docs", **options: object
    ) -> Any:
        """Return the matches."""
        body = {"vector": list(values), **options}
        status, answer = await self.call("POST", "/query", body, index=index)
        assert status == 200, answer
        assert answer["count"] == len(answer["matches"])
        return answer["matches"]


@asynccontextmanager
async def node(root: Path, *, hosted: bool = False) -> AsyncIterator[Node]:
    """Serve what is under `root`; `hosted`: with the engine in child processes."""
    notices: list[str] = []
    context = Context(
        storage=Folders(root / "state"),
        settings=Settings(cache_dir=root),
        clock=lambda: 1_700_000_000.0,
        notice=notices.append,
    )
    socket = root / "services.sock"
    async with serve(context) if hosted else in_process(context) as service:

        async def handle(request: BaseRequest) -> StreamResponse:
            return await service.handle(request.headers[IDENTITY_HEADER], request)

        server = web.Server(handle, keepalive_timeout=75)
        runner = web.ServerRunner(server)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        try:
            async with ClientSession(connector=UnixConnector(str(socket))) as session:
                yield Node(session, socket, service.vectorize, notices)
        finally:
            await runner.cleanup()
            socket.unlink(missing_ok=True)


@asynccontextmanager
async def in_process(context: Context) -> AsyncIterator[VectorizeServer]:
    """Serve with the engine in this process: a child takes long to start."""
    vectorize = VectorizeService(
        context.storage.directory("vectorize"),
        engine=QdrantEngine(),
        clock=context.clock,
        notice=context.notice,
        new_id=lambda: str(uuid.uuid4()),
        free_bytes=lambda: 2**40,
    )
    try:
        yield VectorizeServer(vectorize)
    finally:
        await vectorize.close()


def on_node(
    root: Path, test: Callable[[Node], Awaitable[T]], *, hosted: bool = False
) -> T:
    """Run `test` against a node on `root`, started for it alone."""

    async def run() -> T:
        async with node(root, hosted=hosted) as started:
            return await test(started)

    return asyncio.run(run())


@asynccontextmanager
async def service(
    home: Path, free_bytes: Callable[[], int] = lambda: 2**40
) -> AsyncIterator[VectorizeService]:
    """Run the service without HTTP; mutation ids count up."""
    numbers = itertools.count(1)
    made = VectorizeService(
        home,
        engine=QdrantEngine(),
        clock=lambda: 0.0,
        notice=lambda _: None,
        new_id=lambda: f"m{next(numbers)}",
        free_bytes=free_bytes,
    )
    try:
        yield made
    finally:
        await made.close()


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the similarity by the definition."""
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / (math.hypot(*left) * math.hypot(*right))


def gaussian(count: int, dimensions: int, seed: int) -> list[list[float]]:
    """Return vectors that are the same at each run."""
    source = random.Random(seed)  # noqa: S311 - no secret
    return [[source.gauss(0, 1) for _ in range(dimensions)] for _ in range(count)]
