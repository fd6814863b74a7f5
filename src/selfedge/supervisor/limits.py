"""What a Worker may use, by profile and by its own numbers: pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from selfedge.errors import UsageError

BLOCKED_MIN_S = 0.5  # a shorter block cannot be told from a busy machine
MIB = 1024 * 1024
BASE_BYTES = 384 * MIB  # the engine's own, with what its allocator keeps under load
ISOLATE_BYTES = 128 * MIB  # Cloudflare's, of each isolate
HEAP_BYTES = 3 * ISOLATE_BYTES  # of one isolate, garbage included
DATA_BASE_BYTES = 640 * MIB  # what the engine maps before anything runs
COLLECT_EARLY = "--initial-old-space-size=4"  # MiB
CPU_MAX_MS = 300_000  # Cloudflare's greatest `limits.cpu_ms`


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the processes of one group may use; None: as much as they like."""

    blocked_s: float | None  # how long the event loop may not answer
    memory_bytes: int | None  # resident, of the whole process


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Numbers that hold where a Worker has none of its own."""

    cpu_ms: int | None
    memory: bool


PROFILES: Mapping[str, Profile] = {
    "free": Profile(cpu_ms=10, memory=True),
    "paid": Profile(cpu_ms=30_000, memory=True),
    "unbound": Profile(cpu_ms=None, memory=False),
}


def profile(name: str) -> Profile:
    """Return a profile by its name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in PROFILES:
        raise UsageError(
            f"there is no limit profile {name!r}; choose {', '.join(PROFILES)}."
        )
    return PROFILES[name]


def limits_of(chosen: Profile, own: Mapping[str, int], isolates: int) -> Limits:
    """Return what a group of `isolates` may use; `own` is `limits` of a Worker."""
    cpu_ms = own.get("cpu_ms", chosen.cpu_ms)
    return Limits(
        blocked_s=None if cpu_ms is None else max(BLOCKED_MIN_S, cpu_ms / 1000),
        memory_bytes=BASE_BYTES + isolates * ISOLATE_BYTES if chosen.memory else None,
    )


def data_bytes(limits: Limits) -> int | None:
    """Return what the kernel lets a process map: far more than it may use in RAM."""
    if limits.memory_bytes is None:
        return None
    return DATA_BASE_BYTES + 3 * limits.memory_bytes // 2


def heap_flags(limits: Limits) -> list[str]:
    """Return flags of V8 for a process of Workers.

    Left alone, V8 first looks through its old space when that is hundreds of MiB, and
    what small dead objects hold outside of its heap waits as long. So it begins at
    4 MiB. A heap that grows faster than we look ends with its process; that limit
    would shrink the space for young objects too, which costs speed.
    """
    if limits.memory_bytes is None:
        return [COLLECT_EARLY]
    heap = f"--max-heap-size={HEAP_BYTES // MIB}"
    return [COLLECT_EARLY, heap, "--max-semi-space-size=16"]
