"""Workers AI beside the libraries that compute: `python benchmarks/ai/run.py`.

Both run side by side and take turns, so that a busy machine slows both. Figures are
medians of the rounds, and only their ratios mean something. README.md says more.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from aiohttp import ClientSession, ClientTimeout, TCPConnector  # noqa: E402
from neighbour import beside, latencies, summary  # noqa: E402
from served import LLAMA, MINILM, UNBATCHED, Served, unbatched  # noqa: E402
from systems import Selfedge, Server, copied, running  # noqa: E402
from texts import PARAGRAPH, QUESTIONS, SENTENCE, chat  # noqa: E402
from tree import tree  # noqa: E402

from selfedge.bindings.ai.weights.install import install  # noqa: E402
from selfedge.settings import Settings, cache_dir  # noqa: E402

HELLOS = 1000
Work: TypeAlias = Callable[[], Awaitable[Mapping[str, float]]]
Figures: TypeAlias = dict[str, dict[str, list[float]]]


class Raw:
    """The process of `raw.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

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
def raw_libraries(models: Path) -> Iterator[Raw]:
    """Run `raw.py`."""
    command = [sys.executable, str(HERE / "raw.py"), str(models)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environ = {"OMP_WAIT_POLICY": "passive", **os.environ}
    with subprocess.Popen(command, text=True, env=environ, **pipes) as process:
        yield Raw(process)
        process.stdin.close()


class Benchmark:
    """All rows."""

    def __init__(self, raw: Raw, session: ClientSession, server: Server) -> None:
        self._raw = raw
        self._session = session
        self._url = f"http://127.0.0.1:{server.port}/"
        self._node = server.process.pid
        self._served = Served(session, self._url)
        self._figures: Figures = defaultdict(lambda: defaultdict(list))

    async def run(self, rounds: int, tokens: int) -> Figures:
        """Return the figures of all rounds, by row and side."""
        await self._memory(chat(tokens))
        for number in range(rounds + 1):
            if number == 1:  # the first round warms up
                rss = self._figures["memory of the process · MiB"]
                self._figures.clear()
                self._figures["memory of the process · MiB"] = rss
            await self._texts(chat(tokens))
            await self._vectors()
            await self._batching()
            await self._neighbour()
        return self._figures

    async def _row(self, name: str, sides: Mapping[str, Work]) -> None:
        for side, work in sides.items():
            for key, value in (await work()).items():
                self._figures[f"{name} · {key}"][side].append(value)

    async def _memory(self, body: Mapping[str, Any]) -> None:
        """Compare the model host with a process that has done the same work."""
        served, raw, texts = self._served, self._raw, [SENTENCE] * 32
        for _ in range(2):
            await served.generate(dict(body), 4)
            await raw("generate", body, 4)
            await served.embed(texts, 2)
            await raw("embed", texts, 2)
        (host,) = (pid for pid in tree(self._node) if _is_host(pid))
        found = self._figures["memory of the process · MiB"]
        found["selfedge"].append(_resident_mib(host))
        found["raw"].append(_resident_mib(raw.pid))

    async def _texts(self, body: Mapping[str, Any]) -> None:
        served, raw = self._served, self._raw
        for count in (1, 4):
            sides: dict[str, Work] = {
                "selfedge": lambda n=count: served.generate(dict(body), n),
                "raw": lambda n=count: raw("generate", body, n),
            }
            await self._row(f"text, {count} at once", sides)

    async def _vectors(self) -> None:
        served, raw = self._served, self._raw
        rows = (
            ("sentence of 17 tokens", [SENTENCE], 60),
            ("paragraph of 122 tokens", [PARAGRAPH], 10),
            ("32 sentences of 17 tokens", [SENTENCE] * 32, 4),
        )
        for name, texts, calls in rows:
            sides: dict[str, Work] = {
                "selfedge": lambda t=texts, c=calls: served.embed(t, c),
                "raw": lambda t=texts, c=calls: raw("embed", t, c),
            }
            await self._row(f"vectors, {name}", sides)

    async def _batching(self) -> None:
        """Micro-batching on and off, on the same path."""
        served = self._served
        for name, texts in (("questions", QUESTIONS), ("sentences", [SENTENCE] * 16)):
            sides: dict[str, Work] = {
                "selfedge": lambda t=texts: served.singles(MINILM, t, 12),
                "raw": lambda t=texts: served.singles(UNBATCHED, t, 12),
            }
            await self._row(f"16 clients' {name}, batched / not", sides)

    async def _neighbour(self) -> None:
        inputs = {**chat(256), "stream": True}
        body = json.dumps({"model": LLAMA, "inputs": inputs})
        session, url = self._session, self._url

        async def generating() -> Mapping[str, float]:
            return summary(await beside(session, url, body, HELLOS))

        async def idle() -> Mapping[str, float]:
            return summary(await latencies(session, url, HELLOS))

        sides: dict[str, Work] = {"selfedge": generating, "raw": idle}
        await self._row("hello beside a generation / alone", sides)


def _is_host(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return b"selfedge.bindings.ai.host" in command


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def table(figures: Figures) -> str:
    """Return the medians and their ratios."""
    lines = [
        "| what | selfedge | compared with | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, sides in figures.items():
        ours, theirs = median(sides["selfedge"]), median(sides["raw"])
        scale = 1000 if name.endswith("first") else 1
        lines.append(
            f"| {name} | {ours * scale:.1f} | {theirs * scale:.1f} "
            f"| {median(_ratios(sides)):.2f} |"
        )
    return "\n".join(lines)


def _ratios(sides: Mapping[str, list[float]]) -> list[float]:
    """Of each round: its two sides were measured within seconds."""
    return [a / b for a, b in zip(sides["selfedge"], sides["raw"], strict=True)]


async def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--tokens", type=int, default=96)
    chosen = options.parse_args()
    install(Settings(cache_dir=cache_dir()), print)
    models = cache_dir() / "models"
    with (
        tempfile.TemporaryDirectory() as scratch,
        copied(HERE / "worker", Path(scratch)) as project,
    ):
        (project / "selfedge.toml").write_text(unbatched(models))
        with running(Selfedge(), project) as server, raw_libraries(models) as libraries:
            await asyncio.to_thread(server.answers)
            async with ClientSession(
                timeout=ClientTimeout(total=None), connector=TCPConnector(limit=0)
            ) as session:
                benchmark = Benchmark(libraries, session, server)
                try:
                    figures = await benchmark.run(chosen.rounds, chosen.tokens)
                except Exception:
                    print(server.log_tail())
                    raise
    print(table(figures))
    print("Load average: {:.1f}, {:.1f}, {:.1f}".format(*os.getloadavg()))


if __name__ == "__main__":
    asyncio.run(main())
