"""A node says which of its parts is not well, and is not worn out by being asked."""

import asyncio
import json
import shutil
import socket
import tempfile
from pathlib import Path

from selfedge.control.health import Health
from selfedge.node.checks import checks


def ready(health):
    answer = asyncio.run(health.ready(None))
    return answer.status, json.loads(answer.body)


async def well():
    return None


async def ill():
    return "it is full"


async def broken():
    raise RuntimeError("of what holds a secret")


def test_all_is_well():
    assert ready(Health({"disk": well})) == (
        200,
        {"ready": True, "parts": {"disk": {"ok": True}}},
    )


def test_the_part_that_is_not_well_is_named_without_its_secrets():
    status, told = ready(Health({"disk": ill, "front": broken, "catalog": well}))
    assert status == 503
    assert told["parts"] == {
        "disk": {"ok": False, "why": "it is full"},
        "front": {"ok": False, "why": "it cannot be asked: RuntimeError"},
        "catalog": {"ok": True},
    }


def test_many_who_ask_at_once_are_one_question():
    asked = []

    async def counted():
        asked.append(1)

    async def run():
        health = Health({"disk": counted})
        await asyncio.gather(*(health.ready(None) for _ in range(20)))

    asyncio.run(run())
    assert len(asked) == 1


def found(data, front, services):
    async def run():
        return {
            name: await one() for name, one in checks(data, front, services).items()
        }

    return asyncio.run(run())


async def silent(within_s):
    raise TimeoutError


async def answers(within_s):
    pass


def test_parts_that_are_not_there_are_told(tmp_path):
    told = found(tmp_path / "gone", silent, tmp_path / "no.sock")
    assert "does not answer" in told["front"]
    assert "nothing listens" in told["services"]
    assert "cannot be written" in told["catalog"]


def test_a_whole_node_has_nothing_to_tell(monkeypatch):
    with tempfile.TemporaryDirectory() as raw:
        services = Path(raw) / "s"
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(services))
            one.listen()
            told = found(Path(raw), answers, services)
            full = shutil.disk_usage(raw)._replace(free=0)
            monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
            short = found(Path(raw), answers, services)
    assert set(told.values()) == {None}
    assert "make room" in short["disk"]
