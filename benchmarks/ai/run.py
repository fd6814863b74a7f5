"""Workers AI beside the libraries that compute: `python benchmarks/ai/run.py`.

Both run side by side and take turns, so that a busy machine slows both. Figures are
medians of the rounds, and only their ratios mean something.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from aiohttp import ClientSession, ClientTimeout  # noqa: E402 - after the path is set
from served import Served  # noqa: E402 - after the path is set
from systems import Selfedge, copied, running  # noqa: E402 - after the path is set

from selfedge.bindings.ai.weights.install import install  # noqa: E402 - after the path is set
from selfedge.settings import Settings, cache_dir  # noqa: E402 - after the path is set

SENTENCE = "The quick brown fox jumps over the lazy dog near the old river bank."
CHAT = [
    {"role": "system", "content": "You are a helpful assistant"},
    {"role": "user", "content": "Tell me a long story about a fox."},
]
Figures = dict[str, dict[str, list[float]]]


class Raw:
    """The process of `raw.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    async def __call__(self, name: str, *arguments: object) -> dict[str, float]:
        """Have it do one thing."""
        return await asyncio.to_thread(self._ask, json.dumps([name, arguments]))

    def _ask(self, line: str) -> dict[str, float]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def raw(models: Path) -> Any:
    """Run `raw.py`."""
    command = [sys.executable, str(HERE / "raw.py"), str(models)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environ = {"OMP_WAIT_POLICY": "passive", **os.environ}
    with subprocess.Popen(command, text=True, env=environ, **pipes) as process:
        yield Raw(process)
        process.stdin.close()


async def measured(raw: Raw, served: Served, rounds: int, tokens: int) -> Figures:
    """Return the figures of all rounds, by row and side."""
    body = {"messages": CHAT, "max_tokens": tokens, "temperature": 0.6}
    figures: Figures = defaultdict(lambda: defaultdict(list))

    async def row(
        name: str, sides: dict[str, Callable[[], Awaitable[dict[str, float]]]]
    ) -> None:
        for side, work in sides.items():
            for key, value in (await work()).items():
                figures[f"{name} · {key}"][side].append(value)

    for number in range(rounds + 1):
        if number == 1:
            figures.clear()  # the first round warms up
        for count in (1, 4):
            sides = {
                "selfedge": lambda n=count: served.generate(body, n),
                "raw": lambda n=count: raw("generate", body, n),
            }
            await row(f"text, {count} at once", sides)
        for batch, calls in ((1, 60), (32, 4)):
            sides = {
                "selfedge": lambda b=batch, c=calls: served.embed(b, c, SENTENCE),
                "raw": lambda b=batch, c=calls: raw("embed", b, c),
            }
            await row(f"vectors, batch of {batch}", sides)
        await row(
            "vectors, 16 clients, runner alone",
            {
                "selfedge": lambda: raw("singles", 32, 16, 6),
                "raw": lambda: raw("singles", 1, 16, 6),
            },
        )
        await row(
            "vectors, 16 clients, through env.AI",
            {
                "selfedge": lambda: served.singles(16, 6, SENTENCE),
                "raw": lambda: raw("singles", 1, 16, 6),
            },
        )
    return figures


def table(figures: Figures) -> str:
    """Return the medians and their ratios."""
    lines = [
        "| what | selfedge | raw | selfedge / raw |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, sides in figures.items():
        ours, theirs = median(sides["selfedge"]), median(sides["raw"])
        unit = "ms" if name.endswith("first") else "/s"
        scale = 1000 if unit == "ms" else 1
        lines.append(
            f"| {name} | {ours * scale:.1f} {unit} | {theirs * scale:.1f} {unit} "
            f"| {ours / theirs:.2f} |"
        )
    return "\n".join(lines)


async def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--tokens", type=int, default=96)
    chosen = options.parse_args()
    install(Settings(cache_dir=cache_dir()), print)
    with (
        tempfile.TemporaryDirectory() as scratch,
        copied(HERE / "worker", Path(scratch)) as project,
        running(Selfedge(), project) as server,
        raw(cache_dir() / "models") as libraries,
    ):
        await asyncio.to_thread(server.answers)
        url = f"http://127.0.0.1:{server.port}/"
        async with ClientSession(timeout=ClientTimeout(total=None)) as session:
            served = Served(session, url)
            figures = await measured(libraries, served, chosen.rounds, chosen.tokens)
    print(table(figures))


if __name__ == "__main__":
    asyncio.run(main())
