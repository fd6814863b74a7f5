"""A room of its own for an engine process, by bubblewrap: it sees what it needs."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfedge.errors import UsageError
from selfedge.types import Struct

_TRIAL_S = 10.0
_ISOLATION = (
    "--unshare-user-try",
    "--unshare-pid",
    "--as-pid-1",  # so that signals from outside reach the engine itself
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--clearenv",
    "--dev",
    "/dev",
)
_NETWORK_FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/ssl/certs",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/pki",
)
"""What names and certificates of the internet need: Workers fetch from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of the disk a process has besides the engine."""

    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """How to start the engine in a room of its own."""

    bwrap: Path
    engine: Sequence[Path]  # its binary and the libraries that it loads

    def enter(self, view: View, info_fd: int) -> list[str]:
        """Return the words before a command; bwrap tells its pid on `info_fd`."""
        words = [str(self.bwrap), "--info-fd", str(info_fd), *_ISOLATION]
        words += ["--symlink", str(self.engine[0]), "/proc/self/exe"]  # it looks there
        for path in self.engine:
            words += ["--ro-bind", str(path), str(path)]
        for name in _NETWORK_FILES:
            words += ["--ro-bind-try", name, name]
        for path in view.readable:
            words += ["--ro-bind", str(path), str(path)]
        for path in view.writable:
            words += ["--bind", str(path), str(path)]
        return [*words, "--chdir", "/", "--"]


def sandbox_for(workerd: Path, mode: str) -> tuple[Sandbox | None, str]:
    """Return the sandbox, if there is to be one, and a sentence about it.

    Raises:
        UsageError: it is required, and cannot be made.
    """
    if mode == "off":
        return None, "Workers run without a sandbox: --sandbox off."
    found = _try(workerd)
    if isinstance(found, Sandbox):
        return found, f"Workers run in a sandbox: {found.bwrap}."
    if mode == "require":
        raise UsageError(
            f"--sandbox require: {found}. Mend that, or choose --sandbox auto."
        )
    return None, f"Workers run without a sandbox: {found}."


def view_of(config: Struct, folders: Sequence[Path]) -> View:
    """Return what a process with `config` needs, whose sockets lie in `folders`."""
    services: Sequence[Struct] = config["services"]
    writable = [one["disk"] for one in services if one.get("disk", {}).get("writable")]
    read = [one["assets"] for one in services if "assets" in one]
    read += [one["disk"] for one in services if "disk" in one]
    return View(
        readable=[*folders, *(Path(one["path"]) for one in read)],
        writable=[Path(one["path"]) for one in writable],
    )


async def read_pid(info_fd: int) -> int:
    """Return the pid of the process inside, as it is outside.

    Raises:
        EOFError: there is none: bwrap failed.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(info_fd, "rb")
    )
    try:
        text = await reader.readuntil(b"}")
    finally:
        transport.close()
    return int(json.loads(text)["child-pid"])


def _try(workerd: Path) -> Sandbox | str:
    """Return a sandbox in which the engine starts, or why there is none."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return "bubblewrap is not installed"
    try:
        sandbox = Sandbox(bwrap=Path(bwrap), engine=_engine(workerd))
        command = [*sandbox.enter(View(), 1), str(workerd), "--version"]
        done = _run(command)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be used: {error}"
    if done.returncode:
        words = done.stderr.strip() or f"exit code {done.returncode}"
        return f"bubblewrap cannot be used here: {words}"
    return sandbox


def _engine(workerd: Path) -> list[Path]:
    """Return the engine's binary and what the loader maps for it."""
    listed = _run([str(workerd)], {"LD_TRACE_LOADED_OBJECTS": "1"}).stdout.split()
    return [workerd, *(Path(word) for word in listed if word.startswith("/"))]


def _run(
    command: Sequence[str], more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TRIAL_S,
        check=False,
    )
