"""Time travel: copies of a database that are kept for a while, by their time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfedge.bindings.d1.errors import DiskFailed
from selfedge.bindings.d1.limits import TIME_TRAVEL_DAYS

_MICRO = 1_000_000
_HOUR_US = 3600 * _MICRO
_DAY_US = 24 * _HOUR_US
_SUFFIX, _KEPT = ".sqlite", "-kept"


@dataclass(frozen=True, slots=True, order=True)
class Snapshot:
    """The state at `time_us`; one that was asked for by name is kept to the end."""

    time_us: int
    kept: bool
    path: Path


class Snapshots:
    """Those in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, time_us: int, *, kept: bool) -> Path:
        """Return where a new one goes."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DiskFailed(self._folder, error) from error
        mark = _KEPT if kept else ""
        return self._folder / f"{time_us:016d}{mark}{_SUFFIX}"

    def all(self) -> Sequence[Snapshot]:
        """Return all there are, oldest first."""
        found = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            time, _, mark = path.name.removesuffix(_SUFFIX).partition("-")
            if time.isdigit():
                found.append(Snapshot(int(time), bool(mark), path))
        return sorted(found)

    def at(self, time_us: int) -> Snapshot | None:
        """Return the newest that is not after `time_us`."""
        older = [one for one in self.all() if one.time_us <= time_us]
        return older[-1] if older else None

    def thin(self, now_us: int) -> None:
        """Remove those that are no longer kept."""
        for one in expired(self.all(), now_us):
            one.path.unlink(missing_ok=True)


def expired(snapshots: Iterable[Snapshot], now_us: int) -> Sequence[Snapshot]:
    """Return those to remove: of a day only one an hour stays, later one a day.

    Those of the last hour stay, those that were asked for stay 30 days.
    """
    gone = []
    seen: set[tuple[str, int]] = set()
    for one in sorted(snapshots, reverse=True):
        age = now_us - one.time_us
        if age > TIME_TRAVEL_DAYS * _DAY_US:
            gone.append(one)
        elif age > _HOUR_US and not one.kept:
            slot = ("hour", one.time_us // _HOUR_US)
            if age > _DAY_US:
                slot = ("day", one.time_us // _DAY_US)
            if slot in seen:
                gone.append(one)
            seen.add(slot)
    return gone
