"""What of a machine matters to selfedge, looked at once; nothing is installed."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from selfedge.node.diagnosis import machine, parts
from selfedge.node.diagnosis.finding import Finding
from selfedge.settings import cache_dir

PORTS = (8787, 8788)


def diagnosed(data: Path | None, ports: Sequence[int]) -> Iterator[Finding]:
    """Yield what is found, one after the other; `data` names a node, if given."""
    cache = cache_dir()
    checks: Sequence[Callable[[], Finding]] = (
        machine.published,
        machine.proc,
        machine.steering,
        machine.namespaces,
        partial(parts.engine_starts, cache),
        partial(parts.sandboxed, cache),
        partial(parts.models, cache),
        partial(machine.disk, "disk of the cache", cache),
        partial(machine.disk, "disk of the data", data or Path.cwd()),
        *(partial(machine.port, number) for number in ports or PORTS),
        partial(parts.node, data),
    )
    for check in checks:
        yield check()
