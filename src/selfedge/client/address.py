"""Where a node's control API is, and how commands on the same machine find it."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from selfedge.errors import StorageError, UsageError
from selfedge.types import Environ

FILE = "api.json"
STATE_DIRECTORY = ".selfedge"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A control API and what it takes to call it."""

    url: str  # with its path, without a slash at the end
    token: str
    account: str

    def exports(self) -> tuple[str, str]:
        """Return two shell lines that point wrangler and commands at it."""
        secret = f"CLOUDFLARE_API_TOKEN={self.token}"
        return (
            f"export CLOUDFLARE_API_BASE_URL={self.url}",
            f"export {secret} CLOUDFLARE_ACCOUNT_ID={self.account}",
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


def locate(start: Path, environ: Environ, state: Path | None = None) -> Address:
    """Return the address of the node that a command means.

    A state directory that was named wins, then the environment's
    CLOUDFLARE_API_BASE_URL, then the nearest `.selfedge` from `start` upwards.

    Raises:
        UsageError: there is none.
    """
    if state is not None:
        if address := read(state):
            return address
        raise UsageError(
            f"no node runs on {state}. Start one: selfedge dev --state-dir {state}"
        )
    if url := environ.get("CLOUDFLARE_API_BASE_URL"):
        return _from_environment(url, environ)
    for folder in (start, *start.parents):
        if address := read(folder / STATE_DIRECTORY):
            return address
    raise UsageError(
        f"no node runs in {start} or above it. Start one there with selfedge dev, "
        "or set CLOUDFLARE_API_BASE_URL and CLOUDFLARE_API_TOKEN."
    )


def read(state: Path) -> Address | None:
    """Return the address that a node keeps in `state`; None when there is none.

    Raises:
        UsageError: the file is damaged, or another user's.
    """
    file = state / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Address)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {file}: {error}. Restart selfedge dev there."
        ) from error


def _from_environment(url: str, environ: Environ) -> Address:
    token = environ.get("CLOUDFLARE_API_TOKEN", "")
    if not token:
        raise UsageError("CLOUDFLARE_API_BASE_URL is set, CLOUDFLARE_API_TOKEN is not.")
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            "CLOUDFLARE_API_BASE_URL must be a URL like "
            f"http://127.0.0.1:8788/client/v4, not {url!r}."
        )
    account = environ.get("CLOUDFLARE_ACCOUNT_ID") or "local"
    return Address(url=url.rstrip("/"), token=token, account=account)


def _write(file: Path, content: bytes) -> None:
    """Replace `file` as a whole; nobody else could read it at any time."""
    fresh = file.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):  # of a run that was killed
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    fresh.replace(file)
