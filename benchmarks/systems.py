"""The systems that are compared: how each is installed, started and stopped."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from probe import HOST, Answer, Failed, good, until
from tree import swept

from selfedge.packages import cache, npm
from selfedge.workerd.install import Engine

WRANGLER = "4.164.0"
NODE_MAJOR = 24  # wrangler needs Node 22.12
READY_S = 60.0
_STOP_S = 10.0
_LOG_TAIL = 1500
_PR_SET_PDEATHSIG = 1


class System(Protocol):
    """Something that runs a Worker's folder."""

    @property
    def name(self) -> str:
        """What results call it."""

    def command(self, project: Path, port: int) -> "Command":
        """Return what runs `project` on `port`."""


@dataclass(frozen=True, slots=True)
class Command:
    """What starts a server."""

    argv: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)  # beside the caller's


@dataclass(frozen=True, slots=True)
class Selfedge:
    """`selfedge dev` of this environment."""

    name: str = "selfedge"

    def command(self, project: Path, port: int) -> Command:
        """Return what runs `project` on `port`."""
        executable = str(Path(sys.executable).with_name("selfedge"))
        return Command([executable, "dev", str(project), f"--port={port}"])


@dataclass(frozen=True, slots=True)
class Workerd:
    """The engine alone, which reads wrangler.jsonc by itself: the limit."""

    engine: Engine
    name: str = "workerd"

    def command(self, project: Path, port: int) -> Command:
        """Return what runs `project` on `port`."""
        serve = [str(self.engine.workerd), "serve", "--experimental", "--watch"]
        paths = [str(self.engine.esbuild.parent), os.environ.get("PATH", "")]
        return Command(
            [
                *serve,
                str(project / "wrangler.jsonc"),
                f"--socket-addr=http={HOST}:{port}",
            ],
            {"PATH": os.pathsep.join(paths)},
        )


@dataclass(frozen=True, slots=True)
class Wrangler:
    """`wrangler dev` from npm, told not to use the network."""

    folder: Path
    name: str = "wrangler"

    @classmethod
    def installed(cls, scratch: Path) -> "Wrangler":
        """Return it, installed into `scratch` if it is not there yet.

        Raises:
            InstallError: npm could not fetch it.
        """
        folder = scratch / f"wrangler-{WRANGLER}"
        cache.ensure(folder, lambda at: npm.npm_install(at, [f"wrangler@{WRANGLER}"]))
        return cls(folder)

    def command(self, project: Path, port: int) -> Command:
        """Return what runs `project` on `port`."""
        script = self.folder / "node_modules" / "wrangler" / "bin" / "wrangler.js"
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return Command(
            [
                *npm.node(NODE_MAJOR),
                str(script),
                "dev",
                f"--config={project / 'wrangler.jsonc'}",
                f"--ip={HOST}",
                f"--port={port}",
                f"--inspector-port={free_port()}",
            ],
            {
                "CLOUDFLARE_CF_FETCH_ENABLED": "false",
                "HOME": str(home),
                "WRANGLER_HIDE_BANNER": "true",  # it looks for updates
                "WRANGLER_LOG_PATH": str(home / "logs"),
                "WRANGLER_REGISTRY_PATH": str(home / "registry"),
                "WRANGLER_SEND_ERROR_REPORTS": "false",
                "WRANGLER_SEND_METRICS": "false",
                "XDG_CONFIG_HOME": str(home / "config"),
            },
        )


@dataclass(frozen=True, slots=True)
class Server:
    """A system that runs a project."""

    project: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def answers(self, path: str = "/", within_s: float = READY_S) -> Answer:
        """Return its first good answer on `path`.

        Raises:
            Failed: none came in time; the end of its log is in the message.
        """
        try:
            return until(
                self.port, path, good, within_s=within_s, alive=lambda: self.alive
            )
        except Failed as error:
            raise Failed(f"{error}\n{self.log_tail()}") from error

    def log_tail(self) -> str:
        """Return the end of what it printed."""
        return self.log.read_text(errors="replace")[-_LOG_TAIL:].strip()


@contextmanager
def running(system: System, project: Path) -> Iterator[Server]:
    """Start `system` on `project`; it and its children end with the context."""
    port = free_port()
    command = system.command(project, port)
    log = _log_of(project)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.argv,
            cwd=project,
            env={**_environ(), **command.environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_us,  # noqa: PLW1509 - we have no threads
            start_new_session=True,
        )
    try:
        yield Server(project, port, process, log)
    finally:
        _stop(process)


@contextmanager
def copied(worker: Path, scratch: Path) -> Iterator[Path]:
    """Return a copy of the folder `worker` that may be written to."""
    scratch.mkdir(parents=True, exist_ok=True)
    project = scratch / f"{worker.name}-{os.getpid()}"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(worker, project)
    try:
        yield project
    finally:
        shutil.rmtree(project, ignore_errors=True)
        _log_of(project).unlink(missing_ok=True)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def package_version(package: Path) -> str:
    """Return the version of the npm package in the folder `package`."""
    return str(json.loads((package / "package.json").read_text())["version"])


def _end_with_us() -> None:
    """Ask for SIGTERM when the benchmark dies: nothing stays behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _log_of(project: Path) -> Path:
    """Return where to log: beside the project, where no watcher looks."""
    return project.with_suffix(".log")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with swept(process.pid):
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_S)
    process.wait()


def _environ() -> dict[str, str]:
    """Return our environment without what would make wrangler use an account."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("CLOUDFLARE_", "CF_", "WRANGLER_"))
    }
