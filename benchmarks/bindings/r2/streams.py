"""How fast a large object passes, beside the same bytes in a file of the same disk."""

import http.client
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from probe import HOST
from systems import Server
from tree import private_bytes, tree

MB = 1_000_000
_CHUNK = 256 * 1024
_SAMPLE_S = 0.05
_TIMEOUT_S = 600


def streamed(server: Server, megabytes: int, rounds: int) -> dict[str, Any]:
    """Return the speeds of `rounds` writes and reads, and how memory grew."""
    server.answers("/seed")
    size = megabytes * MB
    beside = server.project / "disk"
    result: dict[str, Any] = {"MB": megabytes, "growth MB": []}
    for _ in range(rounds):
        _timed(result, "disk write", size, lambda: _write(beside, size))
        _forget(beside)
        _timed(result, "disk read", size, lambda: _read(beside))
        beside.unlink()
        with _watched(server.process.pid, result["growth MB"]):
            _timed(result, "served write", size, lambda: _put(server.port, size))
            for blob in (server.project / ".selfedge" / "r2" / "blobs").iterdir():
                _forget(blob)
            _timed(result, "served read", size, lambda: _get(server.port, size))
    return result


def _timed(
    result: dict[str, Any], row: str, size: int, action: Callable[[], None]
) -> None:
    started = time.perf_counter()
    action()
    speed = size / MB / (time.perf_counter() - started)
    result.setdefault(f"{row} MB/s", []).append(round(speed, 1))


def _write(path: Path, size: int) -> None:
    """Write as an object is: brought to the disk before it counts."""
    with path.open("wb", buffering=0) as file:
        for chunk in _chunks(size):
            file.write(chunk)
        os.fsync(file.fileno())


def _read(path: Path) -> None:
    buffer = bytearray(_CHUNK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _forget(path: Path) -> None:
    """Have the system drop what it holds of a file in memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _put(port: int, size: int) -> None:
    headers = {"Content-Length": str(size)}
    with closing(http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_S)) as client:
        client.request("PUT", "/large", _chunks(size), headers)
        answer = client.getresponse().read()
    assert answer == str(size).encode(), answer


def _get(port: int, size: int) -> None:
    buffer, seen = bytearray(_CHUNK), 0
    with closing(http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_S)) as client:
        client.request("GET", "/large")
        answer = client.getresponse()
        while count := answer.readinto(buffer):
            seen += count
    assert seen == size, seen


def _chunks(size: int) -> Iterator[bytes]:
    chunk = os.urandom(_CHUNK)
    while size:
        part = chunk[: min(size, _CHUNK)]
        size -= len(part)
        yield part


@contextmanager
def _watched(pid: int, growth: list[float]) -> Iterator[None]:
    """Note by how many MB the private memory of a process's tree grew at most."""
    before = _memory(pid)
    most, stop = [before], Event()

    def watch() -> None:
        while not stop.wait(_SAMPLE_S):
            most[0] = max(most[0], _memory(pid))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
        growth.append(round((most[0] - before) / MB, 1))


def _memory(pid: int) -> int:
    return sum(private_bytes(one) for one in tree(pid))
