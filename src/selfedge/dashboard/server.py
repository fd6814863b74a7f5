"""Serves the pages: a fixed set of files, nothing of the node in them."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from aiohttp import web

ROOT = Path(__file__).parent / "site"
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class _File:
    """A file of the site; it is read when somebody first wants it."""

    path: Path

    @cached_property
    def body(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.body, mtime=0)

    @cached_property
    def etag(self) -> str:
        return f'"{sha256(self.body).hexdigest()[:32]}"'


class Dashboard:
    """Answers `GET` of the files below `site/`; `/` is its index."""

    def __init__(self) -> None:
        self._files: Mapping[str, _File] = {
            _url(path): _File(path) for path in ROOT.rglob("*") if path.suffix in _TYPES
        }

    def has(self, path: str) -> bool:
        """Return whether a path is one of its files."""
        return path in self._files

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request of a path that it has."""
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        file = self._files[request.path]
        headers = {
            "ETag": file.etag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": POLICY,
        }
        if file.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        body = file.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = file.packed
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=body,
            content_type=_TYPES[file.path.suffix],
            charset="utf-8",
            headers=headers,
        )


def _url(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    return "/" if name == "index.html" else f"/{name}"
