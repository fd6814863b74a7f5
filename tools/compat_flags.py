# ruff: noqa: INP001 - a script, no part of a package
"""Write the table of compatibility flags from the pinned engine itself.

    python tools/compat_flags.py path/to/workerd

The names are NUL-terminated texts inside the binary. One start of the engine with all
of them tells which are flags, which it calls experimental, which contradict each other
and since which date a flag is the default.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TABLE = Path(__file__).parent.parent / "src/selfedge/manifest/compat_flags.json"
NAME = re.compile(rb"(?<![a-z0-9_])([a-z][a-z0-9_]{2,80})\0")
CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "probe", worker = (
  serviceWorkerScript = "", compatibilityDate = "%s", compatibilityFlags = [%s]))]);
"""
UNKNOWN = re.compile(r"No such compatibility flag: (\w+)")
EXPERIMENTAL = re.compile(r"The compatibility flag (\w+) is experimental")
OPPOSITE = re.compile(r"mutually contradictory: (\w+) vs (\w+)")
DEFAULT = re.compile(r"The compatibility flag (\w+) became the default as of ([\d-]+)")


def probe(workerd: Path, date: str, names: list[str]) -> str:
    """Return what the engine says when it is given all `names` as flags."""
    quoted = ", ".join(f'"{name}"' for name in names)
    with tempfile.NamedTemporaryFile("w", suffix=".capnp") as config:
        config.write(CONFIG % (date, quoted))
        config.flush()
        done = subprocess.run(
            [workerd, "serve", config.name],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    return done.stderr


def table(workerd: Path) -> dict[str, object]:
    """Return what `compat_flags.json` holds for this engine."""
    said = subprocess.run(
        [workerd, "--version"], capture_output=True, text=True, check=True
    ).stdout
    date = said.split()[1]
    binary = workerd.read_bytes()
    names = sorted({match.decode() for match in NAME.findall(binary)})
    told = probe(workerd, date, names)
    unknown = set(UNKNOWN.findall(told))
    return {
        "engine": said.strip(),
        "date": date,
        "flags": [name for name in names if name not in unknown],
        "experimental": sorted(set(EXPERIMENTAL.findall(told))),
        "opposites": sorted(sorted(pair) for pair in OPPOSITE.findall(told)),
        "default_since": dict(sorted(DEFAULT.findall(told))),
    }


if __name__ == "__main__":
    text = json.dumps(table(Path(sys.argv[1])), indent=1)
    TABLE.write_text(text + "\n", encoding="utf-8")
