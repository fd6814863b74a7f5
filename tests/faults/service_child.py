"""A process with nothing but storage and one service in it, made to be killed."""

import asyncio
import multiprocessing
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from aiohttp import web

from selfedge.binding import Context, Serve
from selfedge.settings import Settings
from selfedge.storage.embedded import EmbeddedStorage

_STARTER = multiprocessing.get_context("forkserver")
_STARTER.set_forkserver_preload(  # so that a child starts in milliseconds
    [
        "aiohttp.web",
        "selfedge.bindings.kv.server",
        "selfedge.bindings.r2.server",
        "selfedge.storage.embedded",
    ]
)


@contextmanager
def child(
    kind: str, state: Path, path: Path, *, file_max: int | None = None
) -> Iterator[BaseProcess]:
    """Run the service of `kind` on the unix socket `path`.

    Files may grow to `file_max` bytes.
    """
    path.unlink(missing_ok=True)
    here, there = _STARTER.Pipe(duplex=False)
    process = _STARTER.Process(target=_main, args=(kind, state, path, file_max, there))
    process.start()
    there.close()
    try:
        with here:
            assert here.poll(20), "the child did not start"
            here.recv()
        yield process
    finally:
        process.kill()
        process.join()
        process.close()


def _main(
    kind: str, state: Path, path: Path, file_max: int | None, ready: Connection
) -> None:
    if file_max is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_max, resource.RLIM_INFINITY))
    asyncio.run(_serve(kind, state, path, ready))


async def _serve(kind: str, state: Path, path: Path, ready: Connection) -> None:
    serve: Serve = import_module(f"selfedge.bindings.{kind}.server").serve
    async with EmbeddedStorage(state) as storage:
        context = Context(
            storage=storage,
            settings=Settings(cache_dir=state),
            clock=time.time,
            notice=lambda _: None,
        )
        async with serve(context) as service:
            server = web.Server(lambda request: service.handle("ns", request))
            runner = web.ServerRunner(server, keepalive_timeout=75)
            await runner.setup()
            await web.UnixSite(runner, str(path), backlog=1024).start()
            ready.send(None)
            ready.close()
            await asyncio.Event().wait()
