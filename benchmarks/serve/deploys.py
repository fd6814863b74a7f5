"""From the command to the new version: `selfedge deploy` beside `wrangler deploy`.

    .venv/bin/python benchmarks/serve/deploys.py --rounds 7

Both deploy the same Hono Worker to the same node of `selfedge serve`, in turns; a
client asks every 5 ms until it gets the new version. Printed are the medians in
seconds: until it is served, and until the command has ended. Run it on a quiet machine.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from selfedge.packages import cache, npm

HERE = Path(__file__).resolve().parent
SCRATCH = HERE.parent / ".scratch"
COMMAND = Path(sys.executable).with_name("selfedge")
WRANGLER = "4.164.0"
HONO = "4.13.19"
NODE_MAJOR = 24
POLL_S = 0.005
TIMEOUT_S = 60.0
CODE = """
import { Hono } from "hono";
const app = new Hono();
app.get("/", (c) => c.text("VERSION"));
export default app;
"""


class Node:
    """A node of `selfedge serve` and what it takes to reach it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Control API on"):
                break
        self.port = int(re.search(r"^Ready on \S+:(\d+)", said, re.MULTILINE)[1])
        names = ("API_BASE_URL", "API_TOKEN", "ACCOUNT_ID")
        self.environ = {
            f"CLOUDFLARE_{name}": found[1]  # the first start prints them
            for name in names
            if (found := re.search(rf"CLOUDFLARE_{name}=(\S+)", said))
        }

    def answer(self) -> str:
        """Return what the Worker says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": "hono.localhost"})
            return connection.getresponse().read().decode()
        finally:
            connection.close()


@contextmanager
def node(folder: Path, *options: str) -> Iterator[Node]:
    """Run a node until the context ends."""
    arguments = ["--data-dir", str(folder / "data"), "--api-rate", "0"]
    arguments += ["--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"]
    process = subprocess.Popen(
        [COMMAND, "serve", *arguments, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Node(process)
    finally:
        process.terminate()
        process.wait(30)


def project(folder: Path) -> Path:
    """Write the Worker, with Hono beside it; return its code."""
    modules = SCRATCH / f"hono-{HONO}"
    cache.ensure(modules, lambda at: npm.npm_install(at, [f"hono@{HONO}"]))
    (folder / "node_modules").symlink_to(modules / "node_modules")
    told = {"name": "hono", "main": "index.ts", "compatibility_date": "2026-01-01"}
    (folder / "wrangler.json").write_text(json.dumps(told))
    return folder / "index.ts"


def deployed(
    command: Sequence[str], environ: Mapping[str, str], code: Path, at: Node, mark: str
) -> tuple[float, float]:
    """Deploy; return the seconds until it was served, and until the command ended."""
    code.write_text(CODE.replace("VERSION", mark))
    began = time.monotonic()
    running = subprocess.Popen(
        command,
        cwd=code.parent,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while at.answer() != mark:
        assert time.monotonic() - began < TIMEOUT_S, f"{command} did not deploy"
        time.sleep(POLL_S)
    served = time.monotonic() - began
    assert running.wait(TIMEOUT_S) == 0, f"{command} failed"
    return served, time.monotonic() - began


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args(arguments).rounds
    wrangler = SCRATCH / f"wrangler-{WRANGLER}"
    cache.ensure(wrangler, lambda at: npm.npm_install(at, [f"wrangler@{WRANGLER}"]))
    script = wrangler / "node_modules" / "wrangler" / "bin" / "wrangler.js"
    commands = {
        "selfedge deploy": [str(COMMAND), "deploy"],
        "wrangler deploy": [*npm.node(NODE_MAJOR), str(script), "deploy"],
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as raw, node(Path(raw)) as running:
        folder = Path(raw) / "project"
        folder.mkdir()
        code = project(folder)
        quiet = {
            "CI": "1",
            "WRANGLER_SEND_METRICS": "false",
            "WRANGLER_HIDE_BANNER": "true",
        }
        environ = {**os.environ, **quiet, "HOME": raw, **running.environ}
        environ.setdefault("SELFEDGE_CACHE_DIR", str(Path.home() / ".cache/selfedge"))
        for number in range(rounds + 1):  # the first of each does not count
            for name, command in commands.items():
                mark = f"{name} {number}"
                took = deployed(command, environ, code, running, mark)
                if number:
                    found[name].append(took)
    print(f"{'':16} {'served':>7} {'ended':>7}")
    for name, times in found.items():
        served, ended = (
            statistics.median(column) for column in zip(*times, strict=True)
        )
        print(f"{name:16} {served:7.2f} {ended:7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
