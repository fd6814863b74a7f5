"""How engine processes are started: in a sandbox or not, within which bounds."""

import resource
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from selfedge.supervisor.sandbox import Sandbox, View, view_of
from selfedge.types import Struct


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the kernel holds a process to; None: what holds for us."""

    data_bytes: int | None = None
    files: int | None = None  # open at a time
    core: bool = True  # whether it may leave its memory on the disk when it crashes

    def set(self) -> None:
        """Hold this process, and what it starts, to them."""
        for kind, number in self._numbers().items():
            _, most = resource.getrlimit(kind)
            held = number if most == resource.RLIM_INFINITY else min(number, most)
            with suppress(OSError, ValueError):
                resource.setrlimit(kind, (held, held))

    def _numbers(self) -> Mapping[int, int]:
        numbers = {} if self.core else {resource.RLIMIT_CORE: 0}
        if self.data_bytes is not None:
            numbers[resource.RLIMIT_DATA] = self.data_bytes
        if self.files is not None:
            numbers[resource.RLIMIT_NOFILE] = self.files
        return numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the engine is started."""

    workerd: Path
    sandbox: Sandbox | None = None
    shared: Sequence[Path] = ()  # folders of sockets that all in a sandbox reach
    files: int | None = None
    core: bool = True

    def view(self, config: Struct, folder: Path) -> View:
        """Return what a process sees whose own sockets lie in `folder`."""
        return view_of(config, [folder, *self.shared])

    def bounds(self, data_bytes: int | None) -> Bounds:
        """Return the bounds of a process that may have so much data."""
        return Bounds(data_bytes=data_bytes, files=self.files, core=self.core)
