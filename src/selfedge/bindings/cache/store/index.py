"""All stored responses by key, with the least recently used first."""

from collections import OrderedDict
from collections.abc import Sequence

from selfedge.bindings.cache.rfc9111.vary import Headers, selected
from selfedge.bindings.cache.store.entry import Slot


class Index:
    """Slots that together count at most `capacity_bytes`."""

    def __init__(self, *, capacity_bytes: int, variants_max: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._variants_max = variants_max
        self._variants: dict[bytes, list[Slot]] = {}  # newest last
        self._recent: OrderedDict[int, Slot] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._recent)

    def __contains__(self, slot: Slot) -> bool:
        return slot.number in self._recent

    def add(self, slot: Slot) -> Sequence[Slot]:
        """Put `slot` in; return those that had to go, itself if it is too large."""
        gone = self._make_way(slot)
        self._variants.setdefault(slot.digest, []).append(slot)
        self._recent[slot.number] = slot
        self.size_bytes += slot.size_bytes
        while self.size_bytes > self._capacity_bytes:
            oldest = next(iter(self._recent.values()))
            self.remove(oldest)
            gone.append(oldest)
        return gone

    def find(self, digest: bytes, request: Headers) -> Slot | None:
        """Return the newest slot that `request` selects; it counts as used now."""
        for slot in reversed(self._variants.get(digest, ())):
            if not slot.selectors or selected(slot.selectors, request):
                self._recent.move_to_end(slot.number)
                return slot
        return None

    def variants(self, digest: bytes) -> Sequence[Slot]:
        """Return all slots under `digest`."""
        return tuple(self._variants.get(digest, ()))

    def remove(self, slot: Slot) -> bool:
        """Take `slot` out; False when it is not in."""
        if self._recent.pop(slot.number, None) is None:
            return False
        variants = self._variants[slot.digest]
        if len(variants) == 1:
            del self._variants[slot.digest]
        else:
            variants.remove(slot)
        self.size_bytes -= slot.size_bytes
        return True

    def expired(self, now: float) -> Sequence[Slot]:
        """Return the slots that are stale."""
        return [slot for slot in self._recent.values() if slot.expires <= now]

    def _make_way(self, slot: Slot) -> list[Slot]:
        """Remove what `slot` replaces, and the oldest of too many variants."""
        variants = self._variants.get(slot.digest)
        if not variants:
            return []
        gone = [other for other in variants if other.selectors == slot.selectors]
        kept = [other for other in variants if other.selectors != slot.selectors]
        gone += kept[: max(0, len(kept) + 1 - self._variants_max)]
        for other in gone:
            self.remove(other)
        return gone
