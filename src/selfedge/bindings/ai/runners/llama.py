"""Text generation by llama.cpp, through xllamacpp."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, TypeAlias

from selfedge.bindings.ai.errors import AiError, ContextExceeded, InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.text_generation import GenerateText, Text, Usage
from selfedge.bindings.ai.runners.contract import Runner, Source

SLOTS = 4
"""Chats that are computed at once; further ones wait for a free slot."""

CONTEXT_TOKENS = 8192
"""What the slots share; one chat alone may use all of it."""

MODEL_FILE = "model.gguf"

Chunk: TypeAlias = Mapping[str, Any]
Body: TypeAlias = dict[str, object]


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
    params.n_ctx = CONTEXT_TOKENS
    params.kv_unified = True
    params.verbosity = -1
    params.warmup = False
    params.cache_ram_mib = 0  # by default 8 GiB of old chats are kept
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # The library opens a loopback port that cannot be switched off.
    params.api_keys = [secrets.token_hex(32)]
    return LlamaRunner(xllamacpp.Server(params))


class LlamaRunner:
    """A llama.cpp server inside this process."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="llama")
        self._slots = asyncio.Semaphore(SLOTS)

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield text as tokens come, then the usage."""
        if not isinstance(job, GenerateText):
            raise InferenceFailed(f"llama.cpp does not run {type(job).__name__}")
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

        call = loop.run_in_executor(self._threads, self._call, job, on_chunk)
        call.add_done_callback(on_end)
        try:
            while (chunk := await chunks.get()) is not None:
                for part in parts(chunk):
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
        except (ValueError, RuntimeError) as error:
            raise InferenceFailed(f"llama.cpp: {error}") from error


def body(job: GenerateText) -> Body:
    """Return the request that llama.cpp takes for `job`."""
    options: Body = {
        "max_tokens": min(job.max_tokens, CONTEXT_TOKENS),
        "temperature": job.temperature,
        "top_p": job.top_p,
        "top_k": job.top_k,
        "seed": None if job.seed is None else job.seed % (2**32 - 1),  # 2**32-1: random
        "repeat_penalty": job.repetition_penalty or None,  # 0 is "none"
        "frequency_penalty": job.frequency_penalty,
        "presence_penalty": job.presence_penalty,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    given = {name: value for name, value in options.items() if value is not None}
    if job.prompt is not None:
        return {**given, "prompt": job.prompt}
    messages = [{"role": turn.role, "content": turn.content} for turn in job.messages]
    return {**given, "messages": messages}


def parts(chunk: Chunk) -> list[Part]:
    """Return what one chunk of llama.cpp means.

    Raises:
        AiError: it is an error; the library reports errors as chunks.
    """
    if error := chunk.get("error"):
        raise failure(error)
    texts = (
        choice.get("text") or choice.get("delta", {}).get("content")
        for choice in chunk["choices"]
    )
    found: list[Part] = [Text(text) for text in texts if text]
    if usage := chunk.get("usage"):
        found.append(
            Usage(
                prompt_tokens=usage["prompt_tokens"],
                completion_tokens=usage["completion_tokens"],
            )
        )
    return found


def failure(error: Mapping[str, Any]) -> AiError:
    """Return the error of ours for one of llama.cpp's."""
    if error.get("type") == "exceed_context_size_error":
        return ContextExceeded(
            "The estimated number of input and maximum output tokens "
            f"({error['n_prompt_tokens']}) exceeded this model context window limit "
            f"({error['n_ctx']})"
        )
    return InferenceFailed(f"llama.cpp: {error.get('message', 'unknown error')}")
