"""What was measured where: the facts without which a figure means nothing."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import load
from systems import NODE_MAJOR, Wrangler, package_version

from selfedge.packages import npm
from selfedge.workerd.install import Engine

_TIMEOUT_S = 20.0


def machine() -> dict[str, Any]:
    """Return processor, cores, memory and kernel."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu_model(Path("/proc/cpuinfo").read_text()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 1e9, 1),
        "kernel": platform.release(),
        "system": platform.platform(),
    }


def versions(engine: Engine, wrangler: Wrangler) -> dict[str, str]:
    """Return the version of everything that took part."""
    modules = wrangler.folder / "node_modules"
    return {
        "selfedge": version("selfedge"),
        "python": platform.python_version(),
        "workerd": package_version(engine.schema.parent),
        "wrangler": package_version(modules / "wrangler"),
        "wrangler's workerd": package_version(modules / "workerd"),
        "node": _output([*npm.node(NODE_MAJOR), "--version"]),
        "wrk": load.version(),
    }


def commit(repository: Path) -> dict[str, Any]:
    """Return the commit that was measured, and whether files differ from it."""
    git = ["git", "-C", str(repository)]
    changes = _output([*git, "status", "--porcelain", "--", "src"])
    return {"id": _output([*git, "rev-parse", "HEAD"]), "changed": bool(changes)}


def cpu_model(cpuinfo: str) -> str:
    """Return the processor's name in the text of /proc/cpuinfo."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def slug(cpu: str, cores: int) -> str:
    """Return a file name's part for a machine."""
    words = re.sub(r"\((R|TM)\)|\bCPU\b|@.*", " ", cpu)
    return "-".join([*re.findall(r"[a-z0-9.]+", words.lower()), f"{cores}cores"])


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()
