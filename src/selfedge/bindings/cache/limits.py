"""Numbers of the Cache API: those that Cloudflare documents, and our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MIB = 1024 * 1024

BODY_MAX_BYTES = 512 * MIB
"""Largest body of `cache.put`: Workers limits, "Cache API limits", object size."""

DEFAULT_TTL_S: Mapping[int, int] = MappingProxyType(
    {200: 7200, 301: 7200, 302: 1200, 303: 1200, 404: 180, 410: 180}
)
"""Time to live by status when a response names none.

The Cache API page sends the reader to "Edge TTL" for it, whose table this is; 206
is left out, as `cache.put` refuses it.
"""

HEAD_MAX_BYTES = 256 * 1024
"""Largest status line and headers; Workers allow 128 KB of response headers."""

VARIANTS_MAX = 64
"""Most responses that one URL keeps for different request headers; the oldest goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a node's cache may use."""

    disk_bytes: int = 1024 * MIB
    memory_bytes: int = 32 * MIB
    entry_overhead_bytes: int = 4096  # counted per entry, so that small ones end too
    in_memory_max_bytes: int = MIB  # a larger body is never whole in memory
    inline_max_bytes: int = 64 * 1024  # a larger body is a blob on disk
    unwritten_max_bytes: int = 16 * MIB  # beyond it, `put` waits for the disk
    body_max_bytes: int = BODY_MAX_BYTES
    write_delay_s: float = 0.5  # entries reach the disk together, this much later
    sweep_every_s: float = 60.0  # how often expired entries are removed
