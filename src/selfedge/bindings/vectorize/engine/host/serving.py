"""The child's side: one shard, and a thread for each of the parent's sockets."""

import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from selfedge.bindings.vectorize.engine.contract import EngineFailure, Shard
from selfedge.bindings.vectorize.engine.host import frames
from selfedge.bindings.vectorize.engine.host.frames import (
    AddField,
    Ask,
    Delete,
    Done,
    DropField,
    Failed,
    Find,
    Get,
    GetPage,
    Insert,
    Open,
    Reply,
    Simple,
    Upsert,
    Vectors,
    hits,
    packed,
    search,
    written,
)
from selfedge.bindings.vectorize.engine.qdrant import QdrantEngine

_SWITCH_S = 0.0005  # a query waits no longer for a write that is being decoded


def serve(sockets: Sequence[socket.socket]) -> None:
    """Answer on all sockets until each is closed."""
    sys.setswitchinterval(_SWITCH_S)
    served = _Served()
    threads = [Thread(target=served.converse, args=(sock,)) for sock in sockets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class _Served:
    """The shard of this process."""

    def __init__(self) -> None:
        self._shard: Shard | None = None
        self._answers: dict[type, Callable[[Shard, Any], Reply | None]] = {
            Insert: lambda shard, ask: shard.insert(list(map(written, ask.vectors))),
            Upsert: lambda shard, ask: shard.upsert(list(map(written, ask.vectors))),
            Delete: lambda shard, ask: shard.delete(ask.ids),
            Get: lambda shard, ask: Vectors(list(map(packed, shard.get(ask.ids)))),
            Find: lambda shard, ask: hits(
                shard.search(list(map(search, ask.searches)))
            ),
            GetPage: _page,
            AddField: lambda shard, ask: shard.add_field(ask.field, ask.kind),
            DropField: lambda shard, ask: shard.drop_field(ask.field),
            Simple: lambda shard, ask: Done(getattr(shard, ask.call)() or 0),
        }

    def converse(self, sock: socket.socket) -> None:
        """Answer one call after another."""
        with sock:
            try:
                while True:
                    ask = frames.ASK.decode(frames.receive(sock))
                    frames.send(sock, self._answer(ask))
            except OSError:
                return  # the parent has closed it

    def _answer(self, ask: Ask) -> Reply:
        try:
            if isinstance(ask, Open):
                self._open(ask)
                return Done()
            if self._shard is None:
                return Failed("the shard is not open")
            return self._answers[type(ask)](self._shard, ask) or Done()
        except EngineFailure as failure:
            return Failed(str(failure), failure.passing)
        except MemoryError:
            return Failed("its process has no memory left", passing=True)
        except Exception as defect:  # noqa: BLE001 - it must not end in silence
            return Failed(f"{type(defect).__name__}: {defect}")

    def _open(self, ask: Open) -> None:
        make = QdrantEngine().create if ask.make else QdrantEngine().load
        self._shard = make(
            Path(ask.folder), dimensions=ask.dimensions, metric=ask.metric
        )


def _page(shard: Shard, ask: GetPage) -> Reply:
    page = shard.page(ask.start, ask.limit, whole=ask.whole)
    return Vectors(list(map(packed, page.vectors)), page.following)
