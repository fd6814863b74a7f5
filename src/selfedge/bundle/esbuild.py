"""One run of the bundler esbuild, as a process that is asked over its pipes.

It ends with its standard input, so no orphan outlives us, and writes no files: what
it makes comes back over the pipe.
"""

import asyncio
import struct
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from selfedge.bundle.packets import Fields, Packet, decode, encode
from selfedge.errors import BuildError, EngineError, InstallError

VERSION: Final = "0.28.2"
"""The pipes' language belongs to the version; another binary is refused."""

LIMIT_S: Final = 120

_CHUNK_BYTES: Final = 1 << 20
_ENVIRON: Final = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}  # it lives for one build
_WORDS_BYTES: Final = 4096
_KEY: Final = 0

Answer: TypeAlias = Callable[[Fields], Awaitable[Fields]]
"""Answers what esbuild asks during a build: how to resolve or load a file."""


async def build(binary: Path, request: Callable[[], Fields], answer: Answer) -> Fields:
    """Start esbuild, then send it the build that `request` describes.

    Raises:
        BuildError: it took longer than `LIMIT_S`.
        EngineError: esbuild died.
        InstallError: `binary` does not run, or is of another version.
    """
    process = await _start(binary)
    try:
        async with asyncio.timeout(LIMIT_S):
            return await _converse(process, binary, request, answer)
    except TimeoutError as error:
        raise BuildError(f"bundling took longer than {LIMIT_S} s") from error
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # to the end of its pipes, so that they close


async def _start(binary: Path) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            binary,
            f"--service={VERSION}",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_CHUNK_BYTES,
            env=_ENVIRON,
            start_new_session=True,  # Ctrl-C is ours to handle
        )
    except OSError as error:
        raise InstallError(f"cannot run esbuild at {binary}: {error}") from error


async def _converse(
    process: Process, binary: Path, request: Callable[[], Fields], answer: Answer
) -> Fields:
    pipes = _Pipes(process)
    try:
        pipes.send(Packet(0, is_request=True, value={**request(), "key": _KEY}))
        version = (await pipes.receive()).decode(errors="replace")
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        words = await _last_words(process)
        raise InstallError(f"{binary} is not esbuild {VERSION}: {words}") from error
    if version != VERSION:
        raise InstallError(f"{binary} is esbuild {version}, not {VERSION}")
    try:
        return await _answered(pipes, answer)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
        raise EngineError(f"esbuild died: {await _last_words(process)}") from error


async def _answered(pipes: "_Pipes", answer: Answer) -> Fields:
    while (packet := decode(await pipes.receive())).is_request:
        value = await answer(packet.value)
        pipes.send(Packet(packet.id, is_request=False, value=value))
        await pipes.flush()
    return packet.value


async def _last_words(process: Process) -> str:
    with suppress(ProcessLookupError):
        process.kill()
    words = (await process.communicate())[1]
    return words[:_WORDS_BYTES].decode(errors="replace").strip() or "it said nothing"


class _Pipes:
    """Standard input and output of one esbuild, in packets."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("esbuild was started without pipes")
        self._to = process.stdin
        self._from = process.stdout

    def send(self, packet: Packet) -> None:
        self._to.write(encode(packet))

    async def flush(self) -> None:
        await self._to.drain()

    async def receive(self) -> bytes:
        size = struct.unpack("<I", await self._from.readexactly(4))[0]
        return await self._from.readexactly(size)
