"""The machine: its platform, its kernel, its ports and its disks."""

import errno
import os
import platform
import shutil
import socket
from pathlib import Path

from selfedge.errors import PlatformError, UsageError
from selfedge.node.diagnosis.finding import Finding
from selfedge.supervisor.ports import owner_of_port
from selfedge.supervisor.sockets import ClientPort
from selfedge.workerd.install import check_platform

FREE_BYTES = 2 * 1024**3  # the engine, the models, and something to store
_MIB = 1024 * 1024


def published() -> Finding:
    """Check that an engine is published for this machine."""
    system, cpu, libc = platform.system(), platform.machine(), platform.libc_ver()
    found = f"{system} {platform.release()}, {cpu}, {' '.join(libc)}".rstrip(", ")
    try:
        check_platform(system, cpu, libc)
    except PlatformError as error:
        return Finding("platform", "bad", found, str(error))
    return Finding("platform", "ok", found)


def proc(root: Path = Path("/proc")) -> Finding:
    """Check that memory and processor time of processes can be read."""
    if (root / "self" / "stat").exists():
        return Finding("/proc", "ok", "tells what processes use")
    return Finding(
        "/proc",
        "warn",
        "is not there",
        "Without it, limits on memory and blocked loops of Workers do not hold: "
        "mount it.",
    )


def steering() -> Finding:
    """Check that new connections can be led to the newest process."""
    name = "kernel: SO_REUSEPORT with a program"
    try:
        port = ClientPort("127.0.0.1", 0)
    except (OSError, UsageError) as error:
        return Finding(name, "bad", str(error), "Allow selfedge to listen on loopback.")
    steers = port.steers
    port.close_all()
    if steers:
        return Finding(name, "ok", "leads new connections to the newest process")
    return Finding(
        name,
        "warn",
        "is not there",
        "Releases work all the same: the old process passes on what it accepts. "
        "Linux 4.6 or newer does without.",
    )


def namespaces(root: Path = Path("/proc")) -> Finding:
    """Check that processes may have a room of their own."""
    name = "kernel: user namespaces"
    settings = ("user/max_user_namespaces", "kernel/unprivileged_userns_clone")
    off = [one for one in settings if _read(root / "sys" / one) == "0"]
    if os.geteuid() == 0:
        return Finding(name, "ok", "not needed by root")
    if off:
        setting = off[0].replace("/", ".")
        return Finding(
            name,
            "warn",
            f"{setting} is 0",
            "Workers run without a sandbox, or set it to a larger number with sysctl.",
        )
    return Finding(name, "ok", "are allowed")


def disk(name: str, folder: Path) -> Finding:
    """Check that there is room."""
    there = next(
        one for one in (folder.absolute(), *folder.absolute().parents) if one.exists()
    )
    if not os.access(there, os.W_OK):
        return Finding(
            name, "bad", f"{there} cannot be written", f"Become its owner: {there}."
        )
    free = shutil.disk_usage(there).free
    found = f"{free // _MIB} MiB free at {there}"
    if free >= FREE_BYTES:
        return Finding(name, "ok", found)
    return Finding(
        name,
        "warn",
        found,
        f"Make room: engine, models and data want {FREE_BYTES // _MIB} MiB.",
    )


def port(number: int) -> Finding:
    """Check that a port can be listened on."""
    name = f"port {number}"
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", number))
        except OSError as error:
            return _taken(name, number, error)
    return Finding(name, "ok", "is free")


def _taken(name: str, number: int, error: OSError) -> Finding:
    if error.errno != errno.EADDRINUSE:
        return Finding(
            name, "bad", f"cannot be had: {error.strerror}", "Choose one above 1023."
        )
    owner = owner_of_port(number) or "another process"
    return Finding(
        name,
        "warn",
        f"is in use by {owner}",
        "Fine if that is your node; else choose another with --listen, --api, --port.",
    )


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
