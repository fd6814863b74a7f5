"""`wrangler dev` on a folder: what a user would run instead."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.client import fetch
from harness.wrangler import NODE_MAJOR, Wrangler
from selfedge.client.address import Address
from selfedge.packages import npm

_NOWHERE = Address(url="http://127.0.0.1:9", token="x", account="x")
_POLL_S = 0.05
_STOP_S = 20


@contextmanager
def wrangler_dev(folder: Path, path: str = "/") -> Iterator[str]:
    """Run the project in `folder`; return its URL once `path` answers 200."""
    wrangler = Wrangler.installed(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"--port={port}", "--ip=127.0.0.1", "--inspector-port=0", "--local"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*npm.node(NODE_MAJOR), str(wrangler.script), "dev", *options],
            cwd=folder,
            env={
                **wrangler.environment(_NOWHERE),
                "CLOUDFLARE_CF_FETCH_ENABLED": "false",
                "WRANGLER_REGISTRY_PATH": str(folder / "registry"),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _ready(f"http://127.0.0.1:{port}", path, process, folder / "log")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_STOP_S)


def _ready(url: str, path: str, process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        try:
            if fetch(url + path).status == 200:
                return url
        except OSError:
            time.sleep(_POLL_S)
    raise AssertionError(log.read_text(errors="replace"))
