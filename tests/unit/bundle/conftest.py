"""The real bundler and the real engine, for every test of the bundle."""

import http.client
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from bundle_project import DATE, Project, Run

from selfedge.bundle import Bundle
from selfedge.settings import cache_dir
from selfedge.workerd.config import encode
from selfedge.workerd.install import Engine, engine


@pytest.fixture(scope="session")
def installed() -> Engine:
    return engine(cache_dir(), os.environ)


@pytest.fixture(scope="session")
def esbuild(installed: Engine) -> Path:
    return installed.esbuild


@pytest.fixture
def project(tmp_path: Path, esbuild: Path) -> Project:
    return Project(root=tmp_path.resolve(), esbuild=esbuild)


@pytest.fixture
def run(installed: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Start the engine with a bundle, and return its answer to `GET /`."""
    started: list[subprocess.Popen[bytes]] = []

    def start(made: Bundle, *, date: str = DATE, flags: Sequence[str] = ()) -> str:
        folder = tmp_path_factory.mktemp("engine")
        modules = [{"name": m.name, m.type: _content(m)} for m in made.modules]
        worker = {
            "modules": modules,
            "compatibilityDate": date,
            "compatibilityFlags": list(flags),
        }
        config = {
            "services": [{"name": "main", "worker": worker}],
            "sockets": [{"name": "http", "http": {}, "service": {"name": "main"}}],
        }
        (folder / "config.bin").write_bytes(encode(config, installed.schema))
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [
                installed.workerd,
                "serve",
                "-b",
                f"--socket-fd=http={listener.fileno()}",
                folder / "config.bin",
            ],
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
        )
        started.append(process)
        listener.close()
        return _get(port, process)

    yield start
    for process in started:
        with process:
            process.kill()


def _content(module: Any) -> Any:
    binary = module.type in ("data", "wasm")
    return module.content if binary else module.content.decode()


def _get(port: int, process: subprocess.Popen[bytes]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except OSError:
        process.kill()
        said = process.stderr.read() if process.stderr else b""
        raise AssertionError(said.decode()) from None
    finally:
        connection.close()
