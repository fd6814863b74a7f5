"""Whether there is what bindings name: each kind's own service knows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import TypeAlias

from selfedge.binding import AnyBinding, Check, Service
from selfedge.control.workers.bindings import Entry

Services: TypeAlias = Callable[[str, str], Awaitable[Service]]
"""(account, kind of binding) → the running service, the one that Workers use."""


async def check_resources(
    services: Services,
    bindings: Sequence[AnyBinding],
    account: str,
    entries: Sequence[Entry],
) -> None:
    """Check that the namespaces, databases, buckets, … of `entries` are there.

    Raises:
        ApiError: one is not.
    """
    for binding in bindings:
        upload = binding.upload
        if upload is None or upload.check is None:
            continue
        named = [one for one in entries if one["type"] in upload.types]
        if named:
            check = await asyncio.to_thread(_loaded, upload.check)
            service = await services(account, binding.kind)
            for entry in named:
                await check(service, entry)


def _loaded(place: str) -> Check:
    module, _, name = place.partition(":")
    check: Check = getattr(import_module(module), name)
    return check
