"""The namespaces of an account: which there are, and what they are called.

One exists when it was created by the control API, when a Worker is bound to it, or
while it has keys. Only one that was created or renamed has a title of its own.
"""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfedge.bindings.kv import errors, limits, rows
from selfedge.bindings.kv.service import KVService
from selfedge.storage.contract import Records

_SCAN_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace as the control API shows it."""

    id: str
    title: str


class Namespaces:
    """Keeps the titles in `records`, beside the entries of `service`."""

    def __init__(self, records: Records, service: KVService) -> None:
        self._records = records
        self._service = service
        self._bound: set[str] = set()
        self._changing = asyncio.Lock()

    def bound(self, namespaces: Iterable[str]) -> None:
        """Let namespaces exist because Workers use them."""
        self._bound.update(namespaces)

    async def every(self) -> Sequence[Namespace]:
        """Return all, in no order.

        Raises:
            StorageError: the disk is failing.
        """
        titles = await self._titles()
        names = {*titles, *self._bound, *await self._service.filled()}
        return [Namespace(name, titles.get(name, name)) for name in names]

    async def get(self, namespace: str) -> Namespace:
        """Return one.

        Raises:
            NamespaceNotFound: it does not exist.
            StorageError: the disk is failing.
        """
        title = await self._records.get(rows.title_row(namespace))
        if title is not None:
            return Namespace(namespace, title.decode())
        if namespace in self._bound or await self._has_keys(namespace):
            return Namespace(namespace, namespace)
        raise errors.NamespaceNotFound(namespace)

    async def create(self, title: str) -> Namespace:
        """Make one, with an id that nobody has.

        Raises:
            KVError: the title is none, or is taken; or there are too many.
            StorageError: the disk is failing.
        """
        namespace = Namespace(uuid.uuid4().hex, title)
        async with self._changing:
            others = await self._free(namespace)
            if len(others) >= limits.NAMESPACES_MAX:
                raise errors.TooManyNamespaces
            await self._title(namespace)
        return namespace

    async def rename(self, namespace: str, title: str) -> Namespace:
        """Give one another title.

        Raises:
            KVError: it does not exist, the title is none, or is taken.
            StorageError: the disk is failing.
        """
        await self.get(namespace)
        renamed = Namespace(namespace, title)
        async with self._changing:
            await self._free(renamed)
            await self._title(renamed)
        return renamed

    async def delete(self, namespace: str) -> None:
        """Remove one with all its keys; a bound one stays, without keys and title.

        Raises:
            NamespaceNotFound: it does not exist.
            StorageError: the disk is failing; it exists still.
        """
        await self.get(namespace)
        await self._service.clear(namespace)
        await self._records.write(deletes=[rows.title_row(namespace)])

    async def _free(self, wanted: Namespace) -> Sequence[Namespace]:
        """Return the others, none of which has the title."""
        title = wanted.title
        usable = title.strip() and title.isprintable()
        if not usable or len(title) > limits.TITLE_MAX_CHARS:
            raise errors.InvalidTitle
        others = [one for one in await self.every() if one.id != wanted.id]
        if any(one.title == title for one in others):
            raise errors.NamespaceExists(title)
        return others

    async def _title(self, namespace: Namespace) -> None:
        row = rows.title_row(namespace.id)
        await self._records.write([(row, namespace.title.encode())])

    async def _titles(self) -> dict[str, str]:
        found: dict[str, str] = {}
        start, end = rows.TITLES
        while pairs := await self._records.scan(start, end, _SCAN_ROWS):
            found |= {rows.titled(row): title.decode() for row, title in pairs}
            start = pairs[-1][0] + b"\0"
        return found

    async def _has_keys(self, namespace: str) -> bool:
        return bool((await self._service.list(namespace, limit=1)).keys)
