"""What is said when npm cannot do its work."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from selfedge.errors import InstallError
from selfedge.packages.npm import npm_ci

LOCK = {
    "name": "app",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "dependencies": {"left": "1.0.0"}},
        "node_modules/left": {"version": "1.0.0", "integrity": "sha512-AAAA"},
    },
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose registry is a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    folder = tmp_path / "app"
    folder.mkdir()
    package = {"name": "app", "dependencies": {"left": "1.0.0"}}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "package-lock.json").write_text(json.dumps(LOCK))
    return folder


@pytest.mark.slow
def test_an_unreachable_registry_is_named_as_the_cause(project: Path) -> None:
    with pytest.raises(InstallError) as raised:
        npm_ci(project)
    text = str(raised.value)
    assert "ECONNREFUSED" in text.splitlines()[1]
    assert "Is the npm registry reachable?" in text
    assert "node:events" not in text


@pytest.mark.slow
def test_as_a_command_it_fails_without_a_traceback(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "selfedge.packages.npm", str(project)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: npm ci failed")
    assert "Traceback" not in done.stderr
