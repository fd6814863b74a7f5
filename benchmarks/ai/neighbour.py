"""What a Worker that says hello notices of a generation on the same node."""

import asyncio
import sys
import time
from statistics import median, quantiles

from aiohttp import ClientSession

PERIOD_S = 0.005

_GENERATE = """
import json, sys, urllib.request
url, body = sys.argv[1:]
print("ready", flush=True)
while True:
    asking = urllib.request.Request(url, body.encode())
    with urllib.request.urlopen(asking) as answer:
        while answer.readline():
            pass
"""


async def latencies(session: ClientSession, url: str, count: int) -> list[float]:
    """Return how long `count` requests took, one each 5 ms, in ms."""

    async def one() -> float:
        began = time.perf_counter()
        async with session.get(url) as answer:
            assert await answer.read() == b"ready"
        return (time.perf_counter() - began) * 1000

    began, tasks = time.perf_counter(), []
    for number in range(count):
        await asyncio.sleep(began + number * PERIOD_S - time.perf_counter())
        tasks.append(asyncio.create_task(one()))
    return await asyncio.gather(*tasks)


async def beside(session: ClientSession, url: str, body: str, count: int) -> list:
    """Return the same, while another process has texts generated without a pause."""
    generating = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _GENERATE, url, body), stdout=asyncio.subprocess.PIPE
    )
    assert generating.stdout
    try:
        await generating.stdout.readline()
        await latencies(session, url, 100)  # until it generates
        return await latencies(session, url, count)
    finally:
        generating.kill()
        await generating.wait()


def summary(found: list[float]) -> dict[str, float]:
    """Return median and 99th percentile."""
    return {"p50": median(found), "p99": quantiles(found, n=100)[98]}
