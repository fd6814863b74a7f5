"""The runner: a process for each document, so that none can harm the model host."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import suppress

import msgspec

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.documents import (
    ConvertDocuments,
    Converted,
    Document,
    DocumentOptions,
)
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.documents.convert import TIME_S, Order

AT_ONCE = 2
"""Processes at a time."""

_WALL_S = 2 * TIME_S


def load(_source: Source, _threads: int) -> Runner:
    """There is nothing to read: the libraries are loaded where they work."""
    return DocumentRunner()


class DocumentRunner:
    """Converts one document after another."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield each document's Markdown, or what is wrong with it."""
        if not isinstance(job, ConvertDocuments):
            raise InferenceFailed(f"documents cannot be used for {type(job).__name__}")
        for document in job.documents:
            async with self._free:
                yield await _convert(document, job.options)

    async def close(self) -> None:
        """There is nothing to free."""


async def _convert(document: Document, options: DocumentOptions) -> Converted:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "selfedge.bindings.ai.runners.documents.convert"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    order = msgspec.msgpack.encode(Order(document=document, options=options))
    try:
        async with asyncio.timeout(_WALL_S):
            answer, _ = await process.communicate(order)
    except TimeoutError:
        return Converted(error=f"reading it took over {_WALL_S} seconds")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    try:
        return msgspec.msgpack.decode(answer, type=Converted)
    except msgspec.MsgspecError:
        return Converted(error="reading it took too much time or memory")
