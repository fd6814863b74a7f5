"""What has to be well for a node to serve."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from selfedge.control.health import Check

FRONT_S = 1.0
FREE_LEAST_BYTES = 256 * 1024 * 1024


def checks(
    data: Path, front: Callable[[float], Awaitable[None]], services: Path
) -> Mapping[str, Check]:
    """Return the checks of a node.

    `front` returns if the front answers within some seconds; `services` is the
    socket at which the front finds our services.
    """

    async def front_answers() -> str | None:
        try:
            await front(FRONT_S)
        except (OSError, TimeoutError):
            return f"it does not answer within {FRONT_S:g} s"
        return None

    async def catalog_writable() -> str | None:
        return await asyncio.to_thread(_writable, data)

    async def services_answer() -> str | None:
        try:
            async with asyncio.timeout(FRONT_S):
                _, writer = await asyncio.open_unix_connection(services)
        except (OSError, TimeoutError):
            return "nothing listens on their socket"
        writer.close()
        return None

    async def disk_free() -> str | None:
        return await asyncio.to_thread(_free, data)

    return {
        "front": front_answers,
        "catalog": catalog_writable,
        "services": services_answer,
        "disk": disk_free,
    }


def _writable(data: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=data) as probe:
            probe.write(b"selfedge")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return f"the data directory cannot be written: {error.strerror}"
    return None


def _free(data: Path) -> str | None:
    try:
        free = shutil.disk_usage(data).free
    except OSError as error:
        return f"the data directory cannot be looked at: {error.strerror}"
    if free >= FREE_LEAST_BYTES:
        return None
    mib = 1024 * 1024
    return (
        f"the data directory's disk has {free // mib} MiB left, under "
        f"{FREE_LEAST_BYTES // mib} MiB: make room"
    )
