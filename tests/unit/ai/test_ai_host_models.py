"""Models in memory: when they are loaded, lent and unloaded."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from ai_support import run

from selfedge.bindings.ai.errors import InferenceFailed, NoSuchModel
from selfedge.bindings.ai.host import models as module
from selfedge.bindings.ai.host.models import Models, Room
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.runners import Kind
from selfedge.bindings.ai.runners.contract import Source

EVENTS: list[str] = []
SIZE = 2 * 1024**2


class Quiet:
    """A runner that only tells of its end."""

    def __init__(self, source: Source) -> None:
        self.name = source.path.name

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        raise NotImplementedError(job)
        yield

    async def close(self) -> None:
        EVENTS.append(f"unload {self.name}")


def load(source: Source, _threads: int) -> Quiet:
    """Stand where a runner's module stands."""
    if source.path.name == "broken":
        raise ValueError("not a model")
    EVENTS.append(f"load {source.path.name}")
    return Quiet(source)


@pytest.fixture(autouse=True)
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Source]:
    """Have models of 2 MB each, and a runner that loads them."""
    EVENTS.clear()
    monkeypatch.setattr(module, "RUNNERS", {"quiet": Kind(f"{__name__}:load")})
    monkeypatch.setattr(module, "resident_bytes", lambda: 0)
    found = {name: Source(location=str(tmp_path / name)) for name in "abc"}
    for source in (*found.values(), Source(location=str(tmp_path / "broken"))):
        source.path.write_bytes(b"x" * SIZE)
    return found


def room(models: float = 2.5, idle_s: float = 60) -> Models:
    """Return a host with room for so many models."""
    budget = int(models * SIZE)
    return Models(Room(threads=1, budget_bytes=budget, idle_s=idle_s))


async def use(models: Models, source: Source) -> None:
    async with models.use("quiet", source, EVENTS.append):
        pass


def test_a_model_is_loaded_once(sources: Mapping[str, Source]) -> None:
    async def test() -> None:
        models = room()
        await asyncio.gather(*(use(models, sources["a"]) for _ in range(5)))

    run(test())
    assert EVENTS == ["load a"]


def test_the_one_that_was_not_used_for_longest_makes_room(
    sources: Mapping[str, Source],
) -> None:
    async def test() -> None:
        models = room()
        for name in "abac":
            await use(models, sources[name])

    run(test())
    assert EVENTS == ["load a", "load b", "unload b", "load c"]


def test_a_model_in_use_stays_and_the_new_one_waits(
    sources: Mapping[str, Source],
) -> None:
    async def test() -> None:
        models = room(1.5)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                models.use("quiet", sources["a"], EVENTS.append)
            )
            waiting = asyncio.create_task(use(models, sources["b"]))
            while models._arriving == {}:
                await asyncio.sleep(0)
            EVENTS.append("done with a")
        await waiting

    run(test())
    assert EVENTS == ["load a", "done with a", "unload a", "load b"]


def test_a_model_larger_than_the_budget_is_refused_before_it_is_read(
    sources: Mapping[str, Source],
) -> None:
    with pytest.raises(
        NoSuchModel, match=r"needs 0\.0 GB of memory, and models may take"
    ):
        run(use(room(0.5), sources["a"]))
    assert EVENTS == []


def test_a_model_that_nobody_asks_for_is_unloaded(
    sources: Mapping[str, Source],
) -> None:
    async def test() -> None:
        models = room(idle_s=0.02)
        sweeping = asyncio.create_task(models.sweep())
        await use(models, sources["a"])
        while EVENTS[-1] != "unload a":
            await asyncio.sleep(0.005)
        sweeping.cancel()

    run(test(), timeout_s=5)


def test_files_that_are_no_model_are_told_of_and_leave_room_for_others(
    sources: Mapping[str, Source],
) -> None:
    broken = Source(location=str(sources["a"].path.parent / "broken"))

    async def test() -> None:
        models = room(1.5)
        for _ in range(2):
            with pytest.raises(InferenceFailed, match="broken could not be loaded"):
                await use(models, broken)
        await use(models, sources["a"])

    run(test())
    assert EVENTS == ["load a"]


def test_a_caller_that_leaves_does_not_stop_a_load(
    sources: Mapping[str, Source],
) -> None:
    async def test() -> None:
        models = room()
        first = asyncio.create_task(use(models, sources["a"]))
        while models._arriving == {}:
            await asyncio.sleep(0)
        first.cancel()
        await use(models, sources["a"])

    run(test())
    assert EVENTS == ["load a"]


def test_a_load_that_takes_long_is_told_of(
    sources: Mapping[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_S", 0.0)

    async def test() -> None:
        told = asyncio.Event()
        models = room()

        def read(name: str, source: Source) -> Quiet:
            asyncio.run_coroutine_threadsafe(told.wait(), loop).result(5)
            return load(source, 1)

        def tell(line: str) -> None:
            EVENTS.append(line)
            told.set()

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(models, "_read", read)
        async with models.use("quiet", sources["a"], tell):
            pass

    run(test())
    assert EVENTS[0].endswith("/a (0.0 GB): 0 %")
    assert "done" in EVENTS[-1]


def test_a_load_goes_on_when_nobody_hears_of_it_any_more(
    sources: Mapping[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_S", 0.0)

    async def test() -> None:
        told = asyncio.Event()
        models = room()

        def read(name: str, source: Source) -> Quiet:
            asyncio.run_coroutine_threadsafe(told.wait(), loop).result(5)
            return load(source, 1)

        def tell(line: str) -> None:
            told.set()
            raise RuntimeError("the connection is closed")

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(models, "_read", read)
        async with models.use("quiet", sources["a"], tell):
            pass

    run(test())
    assert EVENTS == ["load a"]
