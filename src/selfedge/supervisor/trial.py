"""Starts a process that nobody reaches, to see whether it starts."""

import time
from collections.abc import Sequence
from pathlib import Path

from selfedge.compiler.graph import Part
from selfedge.errors import EngineError
from selfedge.supervisor.group import Encode
from selfedge.supervisor.remapper import Remapper
from selfedge.supervisor.slot import Release, Slot
from selfedge.supervisor.sockets import listen_unix


async def start_aside(
    release: Release, parts: Sequence[Part], folder: Path, workerd: Path, encode: Encode
) -> int:
    """Start `release` with sockets in the empty `folder`, stop it, return milliseconds.

    Raises:
        EngineError: it does not start; the engine's words, with the positions of the
            source that was written.
    """
    clients = {
        name: listen_unix(folder / f"client{index}")
        for index, name in enumerate(release.clients)
    }
    slot = Slot(release, clients, folder / "trial")
    started = time.perf_counter()
    try:
        await slot.start(workerd, encode(release.config), _unheard)
        return round((time.perf_counter() - started) * 1000)
    except EngineError as error:
        remapper = Remapper()
        remapper.use(parts)
        raise EngineError(remapper(str(error))) from error
    finally:
        await slot.kill()
        slot.close()
        for one in clients.values():
            one.close()


def _unheard(line: str) -> None:
    """Let what it prints go: it is not a Worker that anybody runs yet."""
