"""The same Worker under `selfedge dev` and under `wrangler dev`."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import fetch
from harness.wrangler import NODE_MAJOR, VERSION, Wrangler
from selfedge.client.address import Address
from selfedge.packages import npm

BEHAVIOUR = Path(__file__).with_name("behaviour.js").read_text()
PROJECT = {
    "wrangler.jsonc": json.dumps(
        {
            "name": "r2",
            "main": "index.js",
            "compatibility_date": "2026-01-01",
            "r2_buckets": [{"binding": "R2", "bucket_name": "behaviour"}],
        }
    ),
    "index.js": BEHAVIOUR,
}
_BENCHMARKS = Path(__file__).parents[3] / "benchmarks" / ".scratch"
_POLL_S = 0.05
_NOWHERE = Address(url="http://127.0.0.1:9", token="x", account="x")


@dataclass(frozen=True)
class Arm:
    """A Worker that runs the cases of behaviour.js."""

    url: str

    def run(self, case: str) -> Any:
        answer = fetch(f"{self.url}/{case}")
        assert answer.status == 200, answer.text
        return answer.json()


def has_wrangler() -> bool:
    """Whether wrangler has been fetched: tests of it alone fetch it."""
    return (_BENCHMARKS / f"wrangler-{VERSION}").is_dir()


@contextmanager
def wrangler_dev(folder: Path) -> Iterator[Arm]:
    """Run the Worker under `wrangler dev`."""
    for name, text in PROJECT.items():
        (folder / name).write_text(text)
    wrangler = Wrangler.installed(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"--port={port}", "--ip=127.0.0.1", "--inspector-port=0", "--local"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*npm.node(NODE_MAJOR), str(wrangler.script), "dev", *options],
            cwd=folder,
            env={
                **wrangler._environment(_NOWHERE),
                "CLOUDFLARE_CF_FETCH_ENABLED": "false",
                "WRANGLER_REGISTRY_PATH": str(folder / "registry"),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Arm(_ready(port, process, folder / "log"))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _ready(port: int, process: subprocess.Popen[bytes], log: Path) -> str:
    url = f"http://127.0.0.1:{port}"
    while process.poll() is None:
        try:
            if fetch(url).status == 200:
                return url
        except OSError:
            time.sleep(_POLL_S)
    raise AssertionError(log.read_text(errors="replace"))
