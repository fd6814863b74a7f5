"""Durable Objects as they lie on the disk: classes, objects, bytes. Read only."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfedge.api.codes import NO_ROUTE
from selfedge.api.paging import numbered
from selfedge.binding import Call, Page, Route
from selfedge.catalog.store import Catalog
from selfedge.errors import ApiError

_STORED = "/accounts/{account}/workers/durable_objects/stored"
_SUFFIX = ".sqlite"
_ID_CHARS = 64  # of an object; the engine keeps files of its own beside them
_PARTS = (_SUFFIX, f"{_SUFFIX}-wal", f"{_SUFFIX}-shm")


@dataclass(frozen=True, slots=True)
class Objects:
    """Answers what is stored; `root` has a folder for each account and Worker."""

    catalog: Catalog
    root: Path

    def routes(self) -> Sequence[Route]:
        """Return its routes; Cloudflare has none like them."""
        one = f"{_STORED}/{{namespace}}"
        return [
            Route(method="GET", path=_STORED, answer=self._namespaces),
            Route(method="GET", path=one, answer=self._objects),
        ]

    async def _namespaces(self, call: Call) -> Page:
        folders = await asyncio.to_thread(lambda: list(self._folders(call.account)))
        found = [await asyncio.to_thread(_namespace, *one) for one in folders]
        return numbered(found, call.query)

    async def _objects(self, call: Call) -> Page:
        folders = await asyncio.to_thread(lambda: list(self._folders(call.account)))
        for _, folder in folders:
            if folder.name == call.path["namespace"]:
                return numbered(await asyncio.to_thread(_objects, folder), call.query)
        raise ApiError(
            f"There is no Durable Object namespace {call.path['namespace'][:80]}.",
            status=404,
            number=NO_ROUTE,
        )

    def _folders(self, account: str) -> Iterator[tuple[str, Path]]:
        """Yield each Worker that there is, with each of its namespaces' folders."""
        for script in sorted(self.catalog.state.accounts[account].scripts):
            home = self.root / account / script
            if home.is_dir():
                yield from ((script, one) for one in sorted(home.iterdir()))


def _namespace(script: str, folder: Path) -> Mapping[str, Any]:
    found, name = _objects(folder), folder.name.rpartition(".")[2]
    return {
        "id": folder.name,
        "name": f"{script}_{name}",
        "script": script,
        "class": name,
        "objects": len(found),
        "bytes": sum(one["bytes"] for one in found),
    }


def _objects(folder: Path) -> Sequence[Mapping[str, Any]]:
    """Return the objects of a namespace that have stored something."""
    sizes: dict[str, int] = {}
    for file in sorted(folder.iterdir()):
        for suffix in _PARTS:
            name = file.name.removesuffix(suffix)
            if name != file.name and len(name) == _ID_CHARS:
                sizes[name] = sizes.get(name, 0) + _size(file)
    return [{"id": name, "bytes": size} for name, size in sizes.items()]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # it was removed while we looked
        return 0
