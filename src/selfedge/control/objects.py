"""Durable Objects as they lie on the disk: classes, objects, tables. Read only."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

from selfedge.api.codes import NO_ROUTE, NOT_READ
from selfedge.api.paging import numbered, whole
from selfedge.binding import Call, Page, Route
from selfedge.catalog.store import Catalog
from selfedge.control import object_tables
from selfedge.control.object_tables import ROWS_MAX, NoTable, NotRead, Part
from selfedge.errors import ApiError

P = ParamSpec("P")
T = TypeVar("T")
Scripts: TypeAlias = Callable[[str], Iterable[str]]
"""account → the names of its Workers."""


def named(catalog: Catalog) -> Scripts:
    """Return what a catalog knows of."""
    return lambda account: catalog.state.accounts[account].scripts


_STORED = "/accounts/{account}/workers/durable_objects/stored"
_SUFFIX = ".sqlite"
_ID_CHARS = 64  # of an object; the engine keeps files of its own beside them
_HEX = frozenset("0123456789abcdef")
_PAGE_MAX = 1_000_000
_PARTS = (_SUFFIX, f"{_SUFFIX}-wal", f"{_SUFFIX}-shm")


@dataclass(frozen=True, slots=True)
class Objects:
    """Answers what is stored; `root` has a folder for each account and Worker."""

    scripts: Scripts
    root: Path

    def routes(self) -> Sequence[Route]:
        """Return its routes; Cloudflare has none like them."""
        many = f"{_STORED}/{{namespace}}"
        one = f"{many}/{{object}}"
        answers = {
            _STORED: self._namespaces,
            many: self._objects,
            one: self._tables,
            f"{one}/tables/{{table}}": self._rows,
            f"{one}/pairs": self._pairs,
        }
        return [
            Route(method="GET", path=path, answer=answer)
            for path, answer in answers.items()
        ]

    async def _namespaces(self, call: Call) -> Page:
        folders = await asyncio.to_thread(lambda: list(self._folders(call.account)))
        found = [await asyncio.to_thread(_namespace, *one) for one in folders]
        return numbered(found, call.query)

    async def _objects(self, call: Call) -> Page:
        folder = await self._folder(call)
        return numbered(await asyncio.to_thread(_objects, folder), call.query)

    async def _tables(self, call: Call) -> Mapping[str, Any]:
        file = await self._file(call)
        found = await _read(object_tables.tables, file)
        return {"id": call.path["object"], **found}

    async def _rows(self, call: Call) -> Mapping[str, Any]:
        file, part = await self._file(call), _part(call.query)
        try:
            return await _read(object_tables.rows, file, call.path["table"], part)
        except NoTable:
            raise _missing("table of this object", call.path["table"]) from None

    async def _pairs(self, call: Call) -> Mapping[str, Any]:
        file, part = await self._file(call), _part(call.query)
        return await _read(object_tables.pairs, file, part)

    async def _file(self, call: Call) -> Path:
        folder, name = await self._folder(call), call.path["object"]
        file = folder / f"{name}{_SUFFIX}"
        if not _is_id(name) or not await asyncio.to_thread(file.is_file):
            raise _missing("object with storage", name)
        return file

    async def _folder(self, call: Call) -> Path:
        wanted = call.path["namespace"]
        folders = await asyncio.to_thread(lambda: list(self._folders(call.account)))
        for _, folder in folders:
            if folder.name == wanted:
                return folder
        raise _missing("Durable Object namespace", wanted)

    def _folders(self, account: str) -> Iterator[tuple[str, Path]]:
        """Yield each Worker that there is, with each of its namespaces' folders."""
        for script in sorted(self.scripts(account)):
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
            if name != file.name and _is_id(name):
                sizes[name] = sizes.get(name, 0) + _size(file)
    return [{"id": name, "bytes": size} for name, size in sizes.items()]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # it was removed while we looked
        return 0


def _is_id(name: str) -> bool:
    return len(name) == _ID_CHARS and set(name) <= _HEX


def _part(query: Mapping[str, str]) -> Part:
    size = whole(query, "per_page", default=50, most=ROWS_MAX)
    number = whole(query, "page", default=1, most=_PAGE_MAX)
    return Part(skip=(number - 1) * size, size=size)


async def _read(read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(read, *args, **kwargs)
    except NotRead as error:
        raise ApiError(
            f"The object's storage could not be read ({error}). Try again; a view "
            f"that takes over {object_tables.TIME_MAX_S:.0f} s is not shown.",
            status=409,
            number=NOT_READ,
        ) from error


def _missing(kind: str, name: str) -> ApiError:
    return ApiError(f"There is no {kind} {name[:80]}.", status=404, number=NO_ROUTE)
