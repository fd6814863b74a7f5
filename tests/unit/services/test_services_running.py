"""Workers and the control API get one and the same service of a kind."""

import asyncio
import sys
from contextlib import asynccontextmanager
from types import ModuleType

import pytest

from selfedge.binding import Binding
from selfedge.services.server import Services

MODULE = "services_of_this_test"


def unused(*given):
    raise AssertionError("a service needs neither parsing nor compiling")


def binding(kind, serve):
    return Binding(kind=kind, table=kind, parse=unused, compile=unused, serve=serve)


@pytest.fixture
def log(monkeypatch):
    """What happened to services, in order."""
    events = []

    @asynccontextmanager
    async def serve(context):
        await asyncio.sleep(0)
        events.append("started")
        yield object()
        events.append("ended")

    @asynccontextmanager
    async def fail(context):
        events.append("failed")
        raise RuntimeError("the disk is gone")
        yield

    module = ModuleType(MODULE)
    module.serve, module.fail = serve, fail
    monkeypatch.setitem(sys.modules, MODULE, module)
    return events


def services():
    kinds = {"kv": f"{MODULE}:serve", "ai": f"{MODULE}:fail", "vars": None}
    return Services([binding(*each) for each in kinds.items()], None, {})


def test_many_that_ask_at_once_get_the_same_service(log):
    async def ask():
        async with services() as running:
            await running.gate().allow({"kv:one"})
            return await asyncio.gather(*(running.running("kv") for _ in range(20)))

    assert len(set(asyncio.run(ask()))) == 1
    assert log == ["started", "ended"]


def test_one_that_cannot_start_is_tried_again_and_leaves_the_others(log):
    async def ask():
        async with services() as running:
            for _ in range(2):
                with pytest.raises(RuntimeError, match="disk"):
                    await running.running("ai")
            await running.running("kv")

    asyncio.run(ask())
    assert log == ["failed", "failed", "started", "ended"]


@pytest.mark.parametrize("kind", ["vars", "unknown"])
def test_a_kind_without_a_service_is_said(log, kind):
    async def ask():
        async with services() as running:
            await running.running(kind)

    with pytest.raises(KeyError):
        asyncio.run(ask())
