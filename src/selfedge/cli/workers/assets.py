"""Static files of a project → a node, which takes only those that it lacks."""

import base64
import mimetypes
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from blake3 import blake3

from selfedge.cli.workers import script_path
from selfedge.cli.workers.ignored import ignores
from selfedge.client.api import Api
from selfedge.errors import UsageError

FILES_MAX = 20_000  # Cloudflare's
FILE_MAX_BYTES = 25 * 1024 * 1024
_UPLOADS = "/accounts/{account}/workers/assets/upload"
_TOGETHER = 3  # uploads at a time, as wrangler
_NO_TYPE = "application/null"
_TEXTS = ("_headers", "_redirects")
_CONFIG = ("html_handling", "not_found_handling", "run_worker_first", "base_path")


@dataclass(frozen=True, slots=True)
class File:
    """A static file, as an upload names it."""

    place: Path
    hash: str
    size: int


def uploaded(
    node: Api, script: str, root: Path, table: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Upload what the node lacks; return `assets` for the metadata.

    Raises:
        UsageError: the folder cannot be read, or holds too much.
        ApiError: the node refuses the files.
    """
    folder = root / str(table["directory"])
    files = dict(_files(folder))
    manifest = {
        path: {"hash": one.hash, "size": one.size} for path, one in files.items()
    }
    path = script_path(script, "/assets-upload-session")
    session = node.call("POST", path, json={"manifest": manifest})
    token = session["jwt"]
    buckets = session["buckets"]
    if buckets:
        by_hash = {one.hash: one.place for one in files.values()}
        token = _sent(node, token, buckets, by_hash)
    return {"jwt": token, "config": config(folder, table)}


def config(folder: Path, table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the configuration of static files, with the texts of the folder."""
    found = {name: table[name] for name in _CONFIG if name in table}
    texts = {name: _text(folder / name) for name in _TEXTS}
    return {**found, **{name: text for name, text in texts.items() if text}}


def asset_hash(content: bytes, name: str) -> str:
    """Return what wrangler calls a file: by its content and its extension."""
    extension = Path(name).suffix.removeprefix(".")
    return blake3(base64.b64encode(content) + extension.encode()).hexdigest()[:32]


def content_type(name: str) -> str:
    """Return the type of a file by its name."""
    kind, encoding = mimetypes.guess_type(name)
    if kind is None or encoding is not None:
        return _NO_TYPE
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _files(folder: Path) -> Iterator[tuple[str, File]]:
    if not folder.is_dir():
        raise UsageError(f"`assets.directory` is no folder: {folder}")
    left_out = ignores(_text(folder / ".assetsignore"))
    count = 0
    for place in sorted(folder.rglob("*")):
        below = place.relative_to(folder).as_posix()
        if not place.is_file() or left_out(below):
            continue
        count += 1
        if count > FILES_MAX:
            raise UsageError(
                f"{folder} has over {FILES_MAX} files; .assetsignore helps"
            )
        yield f"/{below}", _file(place)


def _file(place: Path) -> File:
    try:
        content = place.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {place}: {error.strerror}") from error
    if len(content) > FILE_MAX_BYTES:
        raise UsageError(
            f"{place} has {len(content)} bytes, a static file at most "
            f"{FILE_MAX_BYTES}: keep it in R2, or name it in .assetsignore"
        )
    return File(place, asset_hash(content, place.name), len(content))


def _sent(
    node: Api,
    token: str,
    buckets: Sequence[Sequence[str]],
    places: Mapping[str, Path],
) -> str:
    """Upload all buckets, some at a time; return the token that ends the session."""

    def send(bucket: Sequence[str]) -> str:
        body, kind = _form(bucket, places)
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
        query = {"base64": "true"}
        answer = node.call("POST", _UPLOADS, body=body, headers=headers, query=query)
        return str((answer or {}).get("jwt") or "")

    count = sum(map(len, buckets))
    hidden = not sys.stderr.isatty()
    with (
        ThreadPoolExecutor(_TOGETHER) as pool,
        click.progressbar(
            length=count, label="files", file=sys.stderr, hidden=hidden
        ) as bar,
    ):
        done = ""
        for bucket, answer in zip(buckets, pool.map(send, buckets), strict=True):
            bar.update(len(bucket))
            done = answer or done
    return done or token


def _form(bucket: Sequence[str], places: Mapping[str, Path]) -> tuple[bytes, str]:
    boundary = f"selfedge-{uuid.uuid4().hex}"
    parts = []
    for name in bucket:
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="{name}"; filename="{name}"\r\n'
            f"Content-Type: {content_type(places[name].name)}\r\n\r\n"
        )
        content = base64.b64encode(places[name].read_bytes())
        parts += [head.encode(), content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
