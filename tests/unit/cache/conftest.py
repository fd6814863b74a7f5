"""A cache server, and Workers of the real engine in front of it."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cache_engine import WORKERS, Caches, ServerThread, config
from cache_node import Time

from selfedge.settings import cache_dir
from selfedge.workerd.config import encode
from selfedge.workerd.install import engine


@pytest.fixture(scope="module")
def clock() -> Time:
    return Time()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, state: Path, clock: Time
) -> Iterator[Path]:
    """Return the socket of a running cache server."""
    path = tmp_path_factory.mktemp("run") / "services.sock"
    with ServerThread(path, state, clock):
        yield path


@pytest.fixture(scope="module")
def caches(
    services: Path, clock: Time, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Caches]:
    installed = engine(cache_dir(), os.environ)
    file = tmp_path_factory.mktemp("engine") / "config.bin"
    file.write_bytes(encode(config(services), installed.schema))
    listening = {name: socket.create_server(("127.0.0.1", 0)) for name in WORKERS}
    command = [str(installed.workerd), "serve", "-b", str(file)]
    command += [f"--socket-fd={name}={s.fileno()}" for name, s in listening.items()]
    process = subprocess.Popen(
        command, pass_fds=[listener.fileno() for listener in listening.values()]
    )
    try:
        ports = {name: s.getsockname()[1] for name, s in listening.items()}
        yield Caches(ports, clock)
    finally:
        process.kill()
        process.wait()
        for listener in listening.values():
            listener.close()
