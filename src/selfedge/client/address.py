"""Where a node's control API is, and how commands on the same machine find it."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from selfedge.errors import StorageError, UsageError
from selfedge.types import Environ

FILE = "api.json"
STATE_DIRECTORY = ".selfedge"
BASE_PATH = "/client/v4"


class Family(NamedTuple):
    """Names of variables that belong together."""

    url: str
    token: str
    account: str


FAMILIES = (
    Family("SELFEDGE_URL", "SELFEDGE_TOKEN", "SELFEDGE_ACCOUNT"),
    Family("CLOUDFLARE_API_BASE_URL", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"),
)
"""In the order in which they are looked at."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A control API and what it takes to call it."""

    url: str  # with its path, without a slash at the end
    token: str
    account: str  # "" where it is not known: the only one that the token has

    @property
    def dashboard(self) -> str:
        """Where its pages are."""
        return f"{self.url.removesuffix(BASE_PATH)}/"

    def exports(self) -> tuple[str, ...]:
        """Return shell lines that point wrangler and commands at it."""
        account = f"CLOUDFLARE_ACCOUNT_ID={quote(self.account)}"
        secret = f"CLOUDFLARE_API_TOKEN={quote(self.token)} " if self.token else ""
        return (
            f"export CLOUDFLARE_API_BASE_URL={quote(self.url)}",
            f"export {secret}{account}",
        )


@contextmanager
def published(state: Path, address: Address) -> Iterator[None]:
    """Keep `address` in a file of `state` that only its user may read.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        _write(state / FILE, msgspec.json.encode(address))
    except OSError as error:
        raise StorageError(
            f"cannot write {state / FILE}: {error.strerror}. Commands on this "
            "machine find the node by that file; --no-api does without."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (state / FILE).unlink()


def locate(
    start: Path, environ: Environ, state: Path | None = None, *, dev: bool = True
) -> Address:
    """Return the address of the node that a command means.

    A state or data directory that was named wins, then the environment's
    SELFEDGE_URL, then its CLOUDFLARE_API_BASE_URL, then the nearest `.selfedge` from
    `start` upwards, then the node of `selfedge login`. Without `dev`, the nodes that
    only run a project are passed over: nothing can be deployed to them.

    Raises:
        UsageError: there is none, or its token is not known.
    """
    if state is not None:
        if address := read(state):
            return _with_token(address, environ)
        raise UsageError(
            f"no node runs on {state}. Start one: selfedge dev --state-dir {state}, or "
            f"selfedge serve --data-dir {state}"
        )
    for family in FAMILIES:
        if url := environ.get(family.url):
            return _from_environment(url, family, environ)
    for folder in (start, *start.parents) if dev else ():
        if address := read(folder / STATE_DIRECTORY):
            return address
    if address := read_login(environ):
        return _with_account(address, environ)
    near = f"no node runs in {start} or above it. Start one there with selfedge dev. "
    raise UsageError(
        (near if dev else "which node of selfedge serve is meant? ")
        + "Name one with selfedge login URL, or set SELFEDGE_URL and SELFEDGE_TOKEN."
    )


def read(state: Path) -> Address | None:
    """Return the address that a node keeps in `state`; None when there is none.

    Raises:
        UsageError: the file is damaged, or another user's.
    """
    return _decoded(state / FILE, "Restart the node there.")


def read_login(environ: Environ) -> Address | None:
    """Return the node of `selfedge login`; None when there is none.

    Raises:
        UsageError: the file is damaged, or another user's.
    """
    file = login_file(environ)
    return _decoded(file, "Run selfedge login again.")


def login_file(environ: Environ) -> Path:
    """Return where `selfedge login` keeps what it knows."""
    configs = (
        environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")) / ".config"
    )
    return Path(configs).expanduser() / "selfedge" / "login.json"


def write_login(address: Address, environ: Environ) -> Path:
    """Remember a node; only this user may read it.

    Raises:
        StorageError: it cannot be written.
    """
    file = login_file(environ)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(file, msgspec.json.encode(address))
    except OSError as error:
        raise StorageError(f"cannot write {file}: {error.strerror}.") from error
    return file


def api_url(text: str) -> str:
    """Return the URL of an API: a path of none becomes Cloudflare's.

    Raises:
        ValueError: it is no http(s) URL.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(text)
    if parts.port == 0 or parts.username or parts.query or parts.fragment:
        raise ValueError(text)
    path = parts.path.rstrip("/") or BASE_PATH
    return f"{parts.scheme}://{parts.netloc}{path}"


def _with_token(address: Address, environ: Environ) -> Address:
    """Return it as it is, or with the token that its user has: serve's shows none."""
    if address.token:
        return address
    for family in FAMILIES:
        if token := environ.get(family.token):
            return _with_account(msgspec.structs.replace(address, token=token), environ)
    login = read_login(environ)
    if login and login.url == address.url:
        return _with_account(login, environ)
    raise UsageError(
        f"the node at {address.url} wants a token: set SELFEDGE_TOKEN, or run "
        f"selfedge login {address.url}"
    )


def _with_account(address: Address, environ: Environ) -> Address:
    for family in FAMILIES:
        if account := environ.get(family.account):
            return msgspec.structs.replace(address, account=account)
    return address


def _from_environment(url: str, family: "Family", environ: Environ) -> Address:
    token = environ.get(family.token, "")
    try:
        chosen = api_url(url)
    except ValueError as error:
        raise UsageError(
            f"{family.url} must be a URL like http://127.0.0.1:8788/client/v4, not "
            f"{url!r}."
        ) from error
    if not token:
        raise UsageError(f"{family.url} is set, {family.token} is not.")
    account = environ.get(family.account, "")
    return Address(url=chosen, token=token, account=account)


def _decoded(file: Path, remedy: str) -> Address | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Address)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}. {remedy}") from error


def _write(file: Path, content: bytes) -> None:
    """Replace `file` as a whole; nobody else could read it at any time."""
    fresh = file.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):  # of a run that was killed
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    fresh.replace(file)
