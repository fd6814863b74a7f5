"""The `[build] command` of a wrangler file, run before the code is bundled."""

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from selfedge.errors import BuildError
from selfedge.types import Environ

LIMIT_S: Final = 300
"""How long a build command may take."""

_SHOWN_BYTES: Final = 16 * 1024


async def run_command(
    command: str, folder: Path, environ: Environ, *, limit_s: float = LIMIT_S
) -> None:
    """Run `command` in a shell in `folder`; its children end with it.

    Raises:
        BuildError: it failed, or took longer than `limit_s`.
    """
    with tempfile.TemporaryFile() as output:
        code = await _run(command, folder, environ, output, limit_s)
        if code == 0:
            return
        said = _tail(output)
    fate = f"exit code {code}" if code > 0 else signal.Signals(-code).name
    raise BuildError(f"the build command `{command}` failed with {fate}{said}")


async def _run(
    command: str, folder: Path, environ: Environ, output: BinaryIO, limit_s: float
) -> int:
    try:
        process = await asyncio.create_subprocess_shell(
            command,
            cwd=folder,
            env={**environ, "WRANGLER_COMMAND": "dev"},
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise BuildError(
            f"the build command `{command}` cannot run in {folder}: {error.strerror}"
        ) from error
    async with _ended(process):
        try:
            async with asyncio.timeout(limit_s):
                return await process.wait()
        except TimeoutError as error:
            raise BuildError(
                f"the build command `{command}` took longer than {limit_s:g} s"
                f"{_tail(output)}"
            ) from error


@asynccontextmanager
async def _ended(process: Process) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _tail(output: BinaryIO) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _SHOWN_BYTES))
    text = output.read().decode(errors="replace").strip()
    return f":\n{text}" if text else ""
