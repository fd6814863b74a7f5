"""The same static files under `selfedge dev` and under `wrangler dev`."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.client import Answer, fetch
from harness.project import write
from harness.wrangler_dev import wrangler_dev

WORKER = """
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/asset/")) {
      return env.ASSETS.fetch(new URL(pathname.slice(6), request.url));
    }
    return new Response(`worker ${request.method} ${pathname}`);
  },
};
"""
HEADERS = """
/*
  X-Mode: {mode}
/blog/*
  X-Blog: :splat
  X-Two: a
/about
  X-Two: b
  ! X-Mode
/users/:id
  X-User: :id
https://other.example/*
  X-Other: no
"""
REDIRECTS = """
# comment
/old /about
/moved /about 301
/kept /about?a=1#part 307
/gone https://example.com/x 308
/p/:year/:name /blog/:name-:year 302
/s/* /deep/:splat
/rewritten /about 200
/about.html /never
/query /about
"""
FILES: Mapping[str, str | bytes] = {
    "index.html": "home",
    "about.html": "about",
    "blog/index.html": "blog",
    "both.html": "both",
    "both/index.html": "both index",
    "404.html": "not here",
    "blog/404.html": "not in the blog",
    "style.css": "a{}",
    "app.js": "1",
    "mod.mjs": "2",
    "data.json": "{}",
    "image.svg": "<svg/>",
    "font.woff2": b"\0font",
    "code.wasm": b"\0asm",
    "noext": "no extension",
    "file.unknown": "?",
    "notes.txt": "text",
    "page.xml": "<a/>",
    "feed.webmanifest": "{}",
    "deep/sp ace.txt": "space",
    "ümlaut.txt": "umlaut",
    "a+b.txt": "plus",
    "100%.txt": "percent",
    "users/7": "seven",
    "ignored.txt": "x",
    ".assetsignore": "ignored.txt\n",
    "_redirects": REDIRECTS,
}
MODES: Mapping[str, Mapping[str, Any]] = {
    "auto": {"html_handling": "auto-trailing-slash"},
    "force": {"html_handling": "force-trailing-slash"},
    "drop": {"html_handling": "drop-trailing-slash"},
    "plain": {"html_handling": "none", "not_found_handling": "404-page"},
    "page": {"not_found_handling": "404-page"},
    "app": {"not_found_handling": "single-page-application"},
    "first": {"run_worker_first": ["/about*", "/nope", "!/about/x"]},
}
WITH_CODE = {"first", "app"}
SHOWN = ("location", "content-type", "cache-control", "x-blog", "x-two", "x-user")
NAVIGATION = {"sec-fetch-mode": "navigate", "accept": "text/html"}
PLAIN = (
    "/",
    "/index",
    "/index.html",
    "/about",
    "/about.html",
    "/about/",
    "/about/index",
    "/about/index.html",
    "/about/x",
    "/about?q=1",
    "/about.html?q=1",
    "/blog",
    "/blog/",
    "/blog.html",
    "/blog/index",
    "/blog/index.html",
    "/blog/nope",
    "/both",
    "/both/",
    "/both.html",
    "/both/index.html",
    "/404",
    "/nope",
    "/nope/",
    "/nope.html",
    "//about",
    "/blog//",
    "/ABOUT",
    "/deep",
    "/deep/",
)
FILE_PATHS = (
    "/style.css",
    "/app.js",
    "/mod.mjs",
    "/data.json",
    "/image.svg",
    "/font.woff2",
    "/code.wasm",
    "/noext",
    "/file.unknown",
    "/notes.txt",
    "/page.xml",
    "/feed.webmanifest",
    "/deep/sp%20ace.txt",
    "/%C3%BCmlaut.txt",
    "/a+b.txt",
    "/a%2Bb.txt",
    "/100%25.txt",
    "/users/7",
    "/ignored.txt",
    "/_headers",
    "/_redirects",
    "/.assetsignore",
    "/old",
    "/moved",
    "/kept",
    "/gone",
    "/p/2026/hello",
    "/s/notes.txt",
    "/s/a/b",
    "/rewritten",
    "/query?x=1",
    "/asset/about",
)
_POLL_S = 0.03
_WAIT_S = 40.0


def paths(mode: str) -> tuple[str, ...]:
    """Return what is asked for in a mode."""
    return PLAIN + (FILE_PATHS if mode in {"auto", "first"} else ())


def wrangler_file(mode: str) -> str:
    assets = {"directory": "public", **MODES[mode]}
    config: dict[str, Any] = {"name": "assets", "compatibility_date": "2026-01-01"}
    if mode in WITH_CODE:
        config["main"] = "index.js"
        assets["binding"] = "ASSETS"
    return json.dumps({**config, "assets": assets})


def project(mode: str) -> dict[str, str | bytes]:
    public = {f"public/{name}": data for name, data in FILES.items()}
    return {
        **public,
        "public/_headers": HEADERS.format(mode=mode),
        "index.js": WORKER,
        "wrangler.jsonc": wrangler_file(mode),
    }


@dataclass
class Arm:
    """A system that serves the files, in one mode after the other."""

    url: str
    folder: Path
    mode: str
    seen: dict[str, Any] = field(default_factory=dict)

    def use(self, mode: str) -> None:
        if mode == self.mode:
            return
        files = project(mode)
        write(self.folder, {"public/_headers": files["public/_headers"]})
        write(self.folder, {"wrangler.jsonc": files["wrangler.jsonc"]})
        self.mode = mode
        deadline = time.monotonic() + _WAIT_S
        while fetch(f"{self.url}/noext").headers.get("x-mode") != mode:
            assert time.monotonic() < deadline, mode
            time.sleep(_POLL_S)

    def shown(self, mode: str, path: str, **options: Any) -> list[Any]:
        """What a client sees: status, some headers, the body's beginning."""
        self.use(mode)
        return shown(fetch(self.url + path, **options), self.url)


def shown(answer: Answer, url: str) -> list[Any]:
    headers = {}
    for name in SHOWN:
        if (value := answer.headers.get(name)) is not None:
            headers[name] = value.replace(url, "").replace(urlsplit(url).netloc, "HOST")
    return [answer.status, headers, answer.body[:60].decode(errors="replace")]


@contextmanager
def under_wrangler_dev(folder: Path, mode: str) -> Iterator[Arm]:
    """Serve the files by `wrangler dev`."""
    write(folder, project(mode))
    with wrangler_dev(folder, "/noext") as url:
        yield Arm(url, folder, mode)
