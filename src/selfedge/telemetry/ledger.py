"""What a node has counted since it started; processes come and go."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from selfedge.telemetry.counts import Counts
from selfedge.telemetry.histogram import CALL_BOUNDS_MS, Histogram, Recorder

VERSIONS_MAX = 10  # of a Worker: those that were counted for last


class Timed(Protocol):
    """Takes that a call was answered."""

    def __call__(self, kind: str, took_ms: float, *, failed: bool) -> None:
        """`kind` is the binding's: "kv"."""


def untimed(kind: str, took_ms: float, *, failed: bool) -> None:
    """Count nothing."""
    del kind, took_ms, failed


class WorkerCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of a Worker did."""

    account: str
    script: str
    version: str
    counts: Counts


class CallCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service of one kind of binding was asked."""

    account: str
    kind: str
    failed: int
    took: Histogram


class _Calls:
    """Calls of one kind, while they are counted."""

    def __init__(self) -> None:
        self.failed = 0
        self.took = Recorder(CALL_BOUNDS_MS)


class Ledger:
    """All counts of a node."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, str], dict[str, Counts]] = {}
        self._ends: Counter[tuple[str, str, str]] = Counter()
        self._calls: dict[tuple[str, str], _Calls] = {}

    def add(self, account: str, script: str, version: str, more: Counts) -> None:
        """Count `more` for a version."""
        versions = self._workers.setdefault((account, script), {})
        versions[version] = versions.pop(version, Counts()) + more
        while len(versions) > VERSIONS_MAX:
            del versions[next(iter(versions))]

    def ended(self, account: str, script: str, cause: str) -> None:
        """Count the end of a process in which a Worker ran."""
        self._ends[account, script, cause] += 1

    def timed(self, account: str) -> Timed:
        """Return what counts the calls of an account."""

        def count(kind: str, took_ms: float, *, failed: bool) -> None:
            calls = self._calls.get((account, kind))
            if calls is None:
                calls = self._calls[account, kind] = _Calls()
            calls.took.add(took_ms)
            calls.failed += failed

        return count

    def workers(self) -> Sequence[WorkerCounts]:
        """Return what each version did."""
        return [
            WorkerCounts(account=account, script=script, version=version, counts=counts)
            for (account, script), versions in sorted(self._workers.items())
            for version, counts in versions.items()
        ]

    def ends(self) -> Mapping[tuple[str, str, str], int]:
        """Return how often processes ended, by (account, script, cause)."""
        return dict(self._ends)

    def calls(self) -> Sequence[CallCounts]:
        """Return what services were asked."""
        return [
            CallCounts(
                account=account,
                kind=kind,
                failed=calls.failed,
                took=calls.took.histogram(),
            )
            for (account, kind), calls in sorted(self._calls.items())
        ]
