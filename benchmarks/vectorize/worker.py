"""`env.VECTORIZE` of a Worker in `selfedge dev`, which embeds texts, too."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MODEL = "@local/all-minilm-l6-v2"
LOOP = 20  # queries in one request
BATCH = 1000
TEXTS = 64
_READY = re.compile(r"^Ready on (http://\S+)", re.MULTILINE)
_SCRIPT = """
let kept = [];
const calls = {
  hello: () => 0,
  keep: (env, { vectors }) => { kept = vectors; },
  insert: (env, { vectors }) => env.INDEX.insert(vectors),
  describe: (env) => env.INDEX.describe(),
  embed: async (env, { text }) => (await env.AI.run("MODEL", { text })).data,
  query: async (env, { vector, options }) =>
    (await env.INDEX.query(vector, options)).matches.map((match) => match.id),
  loop: async (env, { first, count, options }) => {
    for (let at = first; at < first + count; at += 1)
      await env.INDEX.query(kept[at % kept.length], options);
  },
};
export default {
  async fetch(request, env) {
    const { call, ...rest } = await request.json();
    return Response.json((await calls[call](env, rest)) ?? null);
  },
};
""".replace("MODEL", MODEL)
_TABLES = """
name = "bench"
main = "index.js"
compatibility_date = "2026-10-01"
[ai]
binding = "AI"
[[vectorize]]
binding = "INDEX"
index_name = "bench"
"""


class Worker:
    """Calls what the Worker offers."""

    def __init__(self, url: str) -> None:
        self._url = url

    def call(self, call: str, **rest: Any) -> Any:
        """Return the answer."""
        body = json.dumps({"call": call, **rest}).encode()
        request = urllib.request.Request(self._url, body)  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
            return json.load(answer)

    def fill(self, rows: Sequence[Sequence[float]]) -> None:
        """Insert all, in `BATCH`es; vector n is called n, and in category n % 10."""
        for first in range(0, len(rows), BATCH):
            some = enumerate(rows[first : first + BATCH], first)
            vectors = [
                {"id": str(n), "values": row, "metadata": {"n": n % 10}}
                for n, row in some
            ]
            self.call("insert", vectors=vectors)

    def nearest(self, vector: Sequence[float], **options: object) -> Sequence[int]:
        """Return what is near."""
        ids = self.call("query", vector=vector, options=options)
        return [int(one) for one in ids]

    def seconds(self, queries: Sequence[Sequence[float]]) -> Sequence[float]:
        """Return what a query takes, in each of some loops, once all is warm."""
        self.call("keep", vectors=queries)
        options = {"topK": 10}
        self.call("loop", first=0, count=len(queries), options=options)
        times = []
        for first in range(0, 2 * len(queries), LOOP):
            start = time.perf_counter()
            self.call("loop", first=first, count=LOOP, options=options)
            times.append((time.perf_counter() - start) / LOOP)
        return times

    def embedded(
        self, texts: Sequence[str], budget_s: float
    ) -> Iterator[Sequence[float]]:
        """Embed texts until the time is over."""
        end = time.perf_counter() + budget_s
        for first in range(0, len(texts), TEXTS):
            if time.perf_counter() > end:
                return
            yield from self.call("embed", text=texts[first : first + TEXTS])


@contextmanager
def running(folder: Path) -> Iterator[Worker]:
    """Run the Worker in `selfedge dev` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.js").write_text(_SCRIPT)
    (folder / "wrangler.toml").write_text(_TABLES)
    program = Path(sys.executable).with_name("selfedge")
    state = f"--state-dir={folder / 'state'}"
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [program, "dev", folder, "--port=0", state], stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield Worker(_ready(folder / "log", process))
        finally:
            process.terminate()


def command(folder: Path, *arguments: str) -> str:
    """Run `selfedge vectorize …` for the node of `folder`."""
    program = str(Path(sys.executable).with_name("selfedge"))
    done = subprocess.run(
        [program, "vectorize", f"--state-dir={folder / 'state'}", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _ready(log: Path, process: subprocess.Popen[bytes]) -> str:
    while process.poll() is None:
        if found := _READY.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise SystemExit(log.read_text())
