"""Drawing in a real model host, as a service asks for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from ai_support import run

from harness.diffusion import build as build_pipeline
from harness.pictures import clock, encoded
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.server import build
from selfedge.bindings.ai.service import AIService, Answer
from selfedge.bindings.ai.tasks.contract import File
from selfedge.settings import Settings

pytestmark = pytest.mark.slow

T = TypeVar("T")
SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0"
SMALL = {"prompt": "a cat", "num_steps": 1, "width": 256, "height": 256, "seed": 1}
LARGE = {"prompt": "a cat", "num_steps": 20, "width": 2048, "height": 2048}


def with_pipeline(folder: Path, test: Callable[[AIService], Awaitable[T]]) -> T:
    toml = folder / "selfedge.toml"
    toml.write_text(f'[ai.models."{SDXL}"]\ndiffusers = "pipeline"\n')
    settings = Settings(cache_dir=folder / "cache", project_file=toml)

    async def body() -> T:
        service = build(settings, [].append)
        try:
            return await test(service)
        finally:
            await service.close()

    return run(body())


async def draw(service: AIService, inputs: object) -> bytes:
    answer = await service.run(SDXL, inputs, {})
    assert isinstance(answer, Answer)
    assert isinstance(answer.value, File)
    return answer.value.content


def test_a_call_that_is_given_up_frees_the_model_at_once(tmp_path: Path) -> None:
    build_pipeline(tmp_path / "pipeline")

    async def test(service: AIService) -> float:
        await draw(service, SMALL)
        left = asyncio.ensure_future(draw(service, LARGE))
        waiting = asyncio.ensure_future(draw(service, LARGE))
        await asyncio.wait([left], timeout=0.2)  # it would take seconds
        assert not left.done()
        for task in (left, waiting):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        began = time.monotonic()
        await draw(service, SMALL)
        return time.monotonic() - began

    assert with_pipeline(tmp_path, test) < 1


def test_concurrent_drawings_do_not_mix(tmp_path: Path) -> None:
    build_pipeline(tmp_path / "pipeline")

    async def test(service: AIService) -> tuple[list[bytes], list[bytes]]:
        many = [{**SMALL, "seed": seed} for seed in range(6)]
        alone = [await draw(service, one) for one in many]
        return alone, await asyncio.gather(*(draw(service, one) for one in many))

    alone, together = with_pipeline(tmp_path, test)
    assert alone == together
    assert len(set(alone)) == len(alone)


def test_a_damaged_picture_is_the_callers_mistake(tmp_path: Path) -> None:
    """It shows in the host only; the code and the text are those of bad input."""
    build_pipeline(tmp_path / "pipeline", starts_from_pictures=True)

    async def test(service: AIService) -> None:
        inputs = {**SMALL, "image": [*encoded(clock())[:900]]}
        with pytest.raises(BadInput, match="Bad input: image: the picture is damaged"):
            await draw(service, inputs)

    with_pipeline(tmp_path, test)


def test_a_damaged_folder_names_the_part(tmp_path: Path) -> None:
    build_pipeline(tmp_path / "pipeline")
    (tmp_path / "pipeline/unet/model.onnx").write_bytes(b"nonsense")

    async def test(service: AIService) -> None:
        with pytest.raises(InferenceFailed, match=r"unet/model\.onnx") as caught:
            await draw(service, SMALL)
        assert "remove" not in str(caught.value)  # it is the user's own

    with_pipeline(tmp_path, test)
