"""Counts of keys in fixed windows of time, exact, in bounded memory."""

from collections import OrderedDict
from hashlib import blake2b

_DIGEST_BYTES = 12  # of a key: at a million keys, two are one once in 10^17 times
_STALE_A_TIME = 2


class Windows:
    """How often each key has come in the window of its period that is open now.

    A window begins at a multiple of its period. A key that comes when there are
    `most` others takes the place of the one that came the longest ago.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: OrderedDict[bytes, tuple[int, int, int]] = OrderedDict()
        """Key → period, window, count; who came last stands last."""

    def __len__(self) -> int:
        return len(self._counts)

    def allow(
        self,
        namespace: str,
        key: str,
        limit: float,
        period: int,
        delta: int,
        now: float,
    ) -> bool:
        """Count `delta` unless `limit` is reached; return whether it was not.

        `period` and `now` are in seconds.
        """
        counts = self._counts
        name = _name(namespace, key, period)
        window = int(now // period)
        known = counts.get(name)
        count = known[2] if known is not None and known[1] == window else 0
        if known is not None:
            counts.move_to_end(name)
        if count >= limit:
            return False
        if known is None:
            self._make_room(now)
        counts[name] = (period, window, count + delta)
        return True

    def _make_room(self, now: float) -> None:
        """Drop some that are stale, and the oldest if there are too many."""
        counts = self._counts
        for _ in range(_STALE_A_TIME):
            if not counts:
                return
            name, (period, window, _count) = next(iter(counts.items()))
            if window == int(now // period) and len(counts) < self._most:
                return
            del counts[name]


def _name(namespace: str, key: str, period: int) -> bytes:
    text = f"{period}\0{namespace}\0{key}".encode(errors="surrogatepass")
    return blake2b(text, digest_size=_DIGEST_BYTES).digest()
