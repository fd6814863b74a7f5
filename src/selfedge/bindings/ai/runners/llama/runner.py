"""The runner: a llama.cpp server inside this process."""

import asyncio
import json
import os
import secrets
import urllib.request
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, TypeAlias

from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.text_generation import GenerateText
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.llama import tools
from selfedge.bindings.ai.runners.llama.reply import Reader
from selfedge.bindings.ai.runners.llama.request import body

SLOTS = 4
"""Chats that are computed at once; further ones wait for a free slot."""

CONTEXT_TOKENS = 8192
"""What the slots share, unless the model's entry has a context of its own; one chat
alone may use all of it."""

BATCH_TOKENS = 32
"""Of a prompt, read between two looks at whether anybody still waits for the answer.

Larger batches are no faster without a GPU.
"""

MODEL_FILE = "model.gguf"
PROPS_S = 30.0

Chunk: TypeAlias = Mapping[str, Any]


def load(source: Source, threads: int) -> Runner:
    """Read a GGUF file, or the one in a folder."""
    # Spinning OpenMP threads collapse as soon as anything else wants the processor;
    # the library reads this once, when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp  # noqa: PLC0415

    params = xllamacpp.CommonParams()
    path = source.path / MODEL_FILE if source.path.is_dir() else source.path
    params.model.path = str(path)
    params.n_parallel = SLOTS
    params.n_ctx = int(source.options.get("context", CONTEXT_TOKENS))
    params.n_batch = BATCH_TOKENS
    params.kv_unified = True
    params.verbosity = -1
    params.warmup = False
    params.cache_ram_mib = 0  # by default 8 GiB of old chats are kept
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # The library opens a loopback port that cannot be switched off.
    key = secrets.token_hex(32)
    params.api_keys = [key]
    server = xllamacpp.Server(params)
    return LlamaRunner(server, native_tools=_native_tools(server, key))


def _native_tools(server: Any, key: str) -> bool:
    """Ask the library, over its own port, what the model's chat template can do."""
    request = urllib.request.Request(  # noqa: S310 - http, to this process
        f"{server.listening_address}/props", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PROPS_S) as answer:  # noqa: S310
            found = json.loads(answer.read())
    except (OSError, ValueError):
        return False
    return bool(found.get("chat_template_caps", {}).get("supports_tools"))


class LlamaRunner:
    """One model; four chats at once."""

    def __init__(self, server: Any, *, native_tools: bool) -> None:
        self._server = server
        self._native_tools = native_tools
        self._threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="llama")
        self._slots = asyncio.Semaphore(SLOTS)

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield text as tokens come, then the usage."""
        if not isinstance(job, GenerateText):
            raise InferenceFailed(f"llama.cpp does not run {type(job).__name__}")
        guided = job if self._native_tools else tools.guided(job)
        reader = Reader(guided=guided.schema is not job.schema)
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[Chunk | None] = asyncio.Queue()
        cancelled = Event()

        def on_chunk(chunk: Chunk) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return cancelled.is_set()

        def on_end(call: asyncio.Future[None]) -> None:
            self._slots.release()
            call.exception()  # nobody else looks, when the reader has gone
            chunks.put_nowait(None)

        call = loop.run_in_executor(self._threads, self._call, guided, on_chunk)
        call.add_done_callback(on_end)
        try:
            while (chunk := await chunks.get()) is not None:
                for part in reader.parts(chunk):
                    yield part
            await call
        finally:
            cancelled.set()

    async def close(self) -> None:
        """Free the model."""
        self._threads.shutdown(wait=False)
        self._server = None

    def _call(self, job: GenerateText, on_chunk: Callable[[Chunk], bool]) -> None:
        try:
            if job.prompt is None:
                self._server.handle_chat_completions(body(job), on_chunk)
            else:
                self._server.handle_completions(body(job), on_chunk)
        except ValueError as error:  # what it cannot make a grammar or a prompt of
            raise BadInput(_cause(error)) from error
        except RuntimeError as error:
            raise InferenceFailed(f"llama.cpp: {error}") from error


def _cause(error: ValueError) -> str:
    """Return the end of the library's sentence, which names the place."""
    text = str(error)
    text = text[max(0, text.find("JSON schema error")) :]
    return f"response_format.json_schema or tools: {text}"
