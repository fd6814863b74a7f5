"""What selfedge brings: its engine, its models, and a node that may run."""

import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from selfedge.bindings.ai.weights.install import is_installed as has_weights
from selfedge.bindings.ai.weights.install import missing_libraries
from selfedge.bindings.ai.weights.table import ALL
from selfedge.client.address import locate
from selfedge.errors import SelfedgeError
from selfedge.node.diagnosis.finding import Finding
from selfedge.settings import Settings
from selfedge.supervisor.sandbox import sandbox_for
from selfedge.workerd.install import engine, is_installed

_START_S = 10.0
_ANSWER_S = 3.0
_SETUP = "selfedge setup fetches it now; else the first start does."


def engine_starts(cache: Path) -> Finding:
    """Check that the engine is there, and starts."""
    if not is_installed(cache):
        return Finding("engine", "warn", f"is not in {cache} yet", _SETUP)
    try:
        workerd = engine(cache, os.environ).workerd
        done = subprocess.run(
            [workerd, "--version"],
            capture_output=True,
            text=True,
            timeout=_START_S,
            check=True,
        )
    except (SelfedgeError, OSError, subprocess.SubprocessError) as error:
        return Finding(
            "engine",
            "bad",
            f"does not start: {error}",
            f"Remove {cache} and run selfedge setup.",
        )
    return Finding("engine", "ok", f"{done.stdout.strip()} starts")


def sandboxed(cache: Path) -> Finding:
    """Check that Workers can run in bubblewrap."""
    name = "sandbox"
    if not is_installed(cache):
        return Finding(name, "warn", "cannot be tried without the engine", _SETUP)
    try:
        found, words = sandbox_for(engine(cache, os.environ).workerd, "auto")
    except SelfedgeError as error:
        return Finding(name, "warn", str(error))
    if found is not None:
        return Finding(name, "ok", words)
    return Finding(name, "warn", words, "Install bubblewrap: apt install bubblewrap.")


def models(cache: Path) -> Finding:
    """Check that AI models, and what runs them, are there."""
    lacking = sorted({name for one in ALL for name in missing_libraries(one.runner)})
    if lacking:
        return Finding(
            "models",
            "warn",
            f"cannot run without {', '.join(lacking)}",
            "pip install 'selfedge[models]', if your Workers use AI.",
        )
    settings = Settings(cache_dir=cache)
    absent = [one.name for one in ALL if not has_weights(one, settings)]
    found = f"{len(ALL) - len(absent)} of {len(ALL)} weights are installed"
    if not absent:
        return Finding("models", "ok", found)
    return Finding(
        "models",
        "warn",
        found,
        "selfedge setup fetches the rest now; else the first use of each does.",
    )


def node(data: Path | None) -> Finding:
    """Check that the node that commands mean answers, and is ready."""
    try:
        url = locate(Path.cwd(), os.environ, data).url
    except SelfedgeError as error:
        return Finding(
            "node", "ok", "none runs here", "" if data is None else str(error)
        )
    base = urlsplit(url)
    asked = f"{base.scheme}://{base.netloc}/readyz"
    try:
        with urllib.request.urlopen(asked, timeout=_ANSWER_S) as answer:  # noqa: S310 - of a node
            answer.read()
    except urllib.error.HTTPError as error:
        return _not_ready(url, error)
    except OSError as error:
        return Finding(
            "node",
            "bad",
            f"{url} does not answer: {error}",
            "Start it, or forget it: selfedge logout.",
        )
    return Finding("node", "ok", f"{url} is ready")


def _not_ready(url: str, error: urllib.error.HTTPError) -> Finding:
    if error.code != 503:  # a node of dev has no /readyz
        return Finding("node", "ok", f"{url} answers")
    told = error.read().decode(errors="replace")[:1000]
    return Finding("node", "bad", f"{url} is not ready: {told}", "Mend what it names.")
