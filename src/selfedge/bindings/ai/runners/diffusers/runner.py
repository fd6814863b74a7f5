"""The runner: one picture after another, given up when nobody waits for it."""

import asyncio
import io
import secrets
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import onnxruntime
from PIL import Image

from selfedge.bindings.ai.errors import AiError, InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.pictures import Drawn, DrawPicture
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.diffusers.folder import Parts, read_folder
from selfedge.bindings.ai.runners.diffusers.pipeline import draw

JPEG_QUALITY = 90


def load(source: Source, threads: int) -> Runner:
    """Read the networks in a folder.

    Raises:
        ValueError: a part is missing or damaged, or it is another architecture.
    """
    return DiffusersRunner(read_folder(source.path, threads))


class DiffusersRunner:
    """One pipeline."""

    def __init__(self, parts: Parts) -> None:
        self._parts: Parts | None = parts
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="diffusers")

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the picture."""
        options = onnxruntime.RunOptions()
        loop = asyncio.get_running_loop()
        try:
            yield await loop.run_in_executor(self._thread, self._draw, job, options)
        finally:
            options.terminate = True  # within one node of the network that runs

    async def close(self) -> None:
        """Free the networks."""
        self._thread.shutdown(wait=False)
        self._parts = None

    def _draw(self, job: Job, options: Any) -> Part:
        if not isinstance(job, DrawPicture) or not self._parts:
            raise InferenceFailed(
                f"a model that draws does not run {type(job).__name__}"
            )
        seed = secrets.randbits(32) if job.seed is None else job.seed
        try:
            pixels = draw(self._parts, job, seed, options)
        except AiError:
            raise
        except Exception as error:
            raise InferenceFailed(f"onnxruntime: {error}") from error
        file = io.BytesIO()
        picture = Image.fromarray(pixels)
        picture.save(file, job.format.upper(), quality=JPEG_QUALITY)
        return Drawn(file.getvalue())
