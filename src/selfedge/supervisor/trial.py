"""Starts a process that nobody reaches, to see whether it starts."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfedge.catalog.model import Seen
from selfedge.compiler.graph import Part
from selfedge.errors import EngineError
from selfedge.supervisor.group import Encode
from selfedge.supervisor.launch import Launch
from selfedge.supervisor.remapper import Remapper
from selfedge.supervisor.slot import Release, Slot
from selfedge.supervisor.sockets import listen_unix
from selfedge.supervisor.startup import ran_out_of_memory

HEAP_MAX_MB = 256  # of each isolate, while it starts


async def start_aside(
    release: Release,
    parts: Sequence[Part],
    folder: Path,
    launch: Launch,
    encode: Encode,
) -> Seen:
    """Start `release` with sockets in the empty `folder`, and stop it.

    Returns what was seen of the first of its parts.

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
        flags = [f"--max-heap-size={HEAP_MAX_MB}"]
        config = {**release.config, "v8Flags": flags}
        await slot.start(launch, encode(config), _unheard)
        took_ms = round((time.perf_counter() - started) * 1000)
        return Seen(startup_ms=took_ms, handlers=await _handlers(slot))
    except EngineError as error:
        raise EngineError(_told(str(error), parts)) from error
    finally:
        await slot.kill()
        slot.close()
        for one in clients.values():
            one.close()


async def _handlers(slot: Slot) -> Mapping[str, tuple[str, ...]]:
    """Return what is handled, or nothing where the code is too busy to say."""
    with contextlib.suppress(OSError, TimeoutError):
        return await slot.control.handlers()
    return {}


def _told(words: str, parts: Sequence[Part]) -> str:
    """Return what the engine said in words that help who wrote the code."""
    if ran_out_of_memory(words):
        return (
            f"Script startup exceeded the memory limit of {HEAP_MAX_MB} MB. What is "
            "outside of handlers and classes runs at the start: let it keep less."
        )
    remapper = Remapper()
    remapper.use(parts)
    return remapper(words)


def _unheard(line: str) -> None:
    """Let what it prints go: it is not a Worker that anybody runs yet."""
