"""Routes of bindings come when they are asked for, with the one service there is."""

import asyncio
import sys
from types import ModuleType

import pytest

from selfedge.binding import Binding, Route
from selfedge.control.table import Room, Table, Tables

MODULE = "routes_of_this_test"


class Running:
    """Starts services, slowly, and remembers which."""

    def __init__(self):
        self.started = []

    async def __call__(self, kind):
        self.started.append(kind)
        await asyncio.sleep(0)
        return f"service of {kind}"


def routes_of(service, context):
    kind = service.removeprefix("service of ")

    async def answer(call):
        return service, context

    return [Route(method="GET", path=f"/accounts/{{a}}/{kind}/list", answer=answer)]


def broken(service, context):
    raise RuntimeError("these routes cannot be made")


def unused(*given):
    raise AssertionError("routes need neither parsing nor compiling")


def binding(kind, routes="routes_of"):
    return Binding(
        kind=kind,
        table=kind,
        parse=unused,
        compile=unused,
        routes=routes and f"{MODULE}:{routes}",
    )


@pytest.fixture
def running(monkeypatch):
    module = ModuleType(MODULE)
    module.routes_of = routes_of
    module.broken = broken
    monkeypatch.setitem(sys.modules, MODULE, module)
    return Running()


async def built_in(call):
    return None


def table(running, *bindings):
    return Table(bindings, Room("the context", running))


def test_a_built_in_route_starts_nothing(running):
    routes = [Route(method="GET", path="/user", answer=built_in)]
    found = Tables(routes, [binding("ai")], unused).built_in("/user")
    assert found["GET"].route.answer is built_in
    assert running.started == []


def test_what_is_known_starts_nothing_and_comes_with_what_was_started(running):
    async def room(account):
        return Room("the context", running)

    async def before_and_after():
        tables = Tables([], [binding("ai")], room)
        path = "/accounts/x/ai/list"
        before = tables.known("x", path)
        started = list(running.started)
        await tables.of_bindings("x", path)
        return before, started, tables.known("x", path), tables.known("y", path)

    before, started, after, elsewhere = asyncio.run(before_and_after())
    assert (before, started, elsewhere) == ({}, [], {})
    assert "GET" in after


def test_each_account_has_services_of_its_own(running):
    async def room(account):
        return Room(f"context of {account}", running)

    async def both():
        tables = Tables([], [binding("ai")], room)
        found = [
            await tables.of_bindings(account, f"/accounts/{account}/ai/list")
            for account in ("x", "y", "x")
        ]
        return [(await one["GET"].route.answer(None))[1] for one in found]

    assert asyncio.run(both()) == ["context of x", "context of y", "context of x"]
    assert running.started == ["ai", "ai"]


def test_a_path_starts_the_service_that_it_names_and_no_other(running):
    one = table(running, binding("kv"), binding("vars", None), binding("ai"))
    found = asyncio.run(one.find("/accounts/x/ai/list"))
    assert asyncio.run(found["GET"].route.answer(None)) == (
        "service of ai",
        "the context",
    )
    assert running.started == ["ai"]


def test_a_path_that_is_unknown_is_so_after_all_were_asked_once(running):
    async def twice():
        one = table(running, binding("kv"), binding("ai"))
        return [await one.find("/nothing"), await one.find("/nothing")]

    assert asyncio.run(twice()) == [{}, {}]
    assert sorted(running.started) == ["ai", "kv"]


def test_many_calls_at_once_start_a_service_once(running):
    async def many():
        one = table(running, binding("ai"))
        path = "/accounts/x/ai/list"
        return await asyncio.gather(*(one.find(path) for _ in range(50)))

    assert all("GET" in found for found in asyncio.run(many()))
    assert running.started == ["ai"]


def test_routes_that_cannot_be_made_leave_the_others(running):
    async def after_failure():
        one = table(running, binding("ai", "broken"), binding("kv"))
        with pytest.raises(RuntimeError):
            await one.find("/accounts/x/ai/list")
        return await one.find("/accounts/x/kv/list")

    assert "GET" in asyncio.run(after_failure())
