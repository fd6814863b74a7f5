"""All figures of a node at one moment, and how the API shows them: pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from selfedge.telemetry.histogram import Histogram
from selfedge.telemetry.ledger import CallCounts, WorkerCounts

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process, as /proc tells of it; `kind` is node, front or group."""

    kind: str
    account: str
    scripts: Sequence[str]
    running: bool
    restarts: int
    cpu_s: float
    resident_bytes: int
    private_bytes: int


class ServiceFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A number that a service tells of itself."""

    account: str
    name: str
    of: str  # the model, the index, …
    value: float | Histogram


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a node counted since it started, and what it uses now."""

    time_s: float
    workers: Sequence[WorkerCounts] = ()
    ends: Mapping[tuple[str, str, str], int] = {}  # (account, script, cause)
    processes: Sequence[Process] = ()
    calls: Sequence[CallCounts] = ()
    figures: Sequence[ServiceFigure] = ()

    def only(self, account: str | None) -> "Snapshot":
        """Return what is of one account; None: all."""
        if account is None:
            return self
        return Snapshot(
            time_s=self.time_s,
            workers=[one for one in self.workers if one.account == account],
            ends={key: n for key, n in self.ends.items() if key[0] == account},
            processes=[one for one in self.processes if one.account == account],
            calls=[one for one in self.calls if one.account == account],
            figures=[one for one in self.figures if one.account == account],
        )


def shown(snapshot: Snapshot) -> Mapping[str, Any]:
    """Return the figures as the API answers them."""
    return {
        "time": snapshot.time_s,
        "workers": [_worker(one) for one in snapshot.workers],
        "ends": [
            {"account": account, "script": script, "cause": cause, "count": count}
            for (account, script, cause), count in sorted(snapshot.ends.items())
        ],
        "processes": [msgspec.to_builtins(one) for one in snapshot.processes],
        "bindings": [_call(one) for one in snapshot.calls],
        "figures": [_figure(one) for one in snapshot.figures],
    }


def statuses(counts: Sequence[int]) -> Mapping[str, int]:
    """Return "2xx" → requests, without classes that there were none of."""
    return {f"{digit}xx": n for digit, n in enumerate(counts) if n}


def _worker(one: WorkerCounts) -> Mapping[str, Any]:
    counts = one.counts
    return {
        "account": one.account,
        "script": one.script,
        "version": one.version,
        "requests": counts.requests,
        "statuses": statuses(counts.statuses),
        "exceptions": counts.exceptions,
        "events": counts.events,
        "event_failures": counts.event_failures,
        "wall_ms": _histogram(counts.wall),
    }


def _call(one: CallCounts) -> Mapping[str, Any]:
    return {
        "account": one.account,
        "kind": one.kind,
        "calls": one.took.count,
        "failed": one.failed,
        "took_ms": _histogram(one.took),
    }


def _figure(one: ServiceFigure) -> Mapping[str, Any]:
    value = one.value
    shown_value = _histogram(value) if isinstance(value, Histogram) else value
    return {
        "account": one.account,
        "name": one.name,
        "of": one.of,
        "value": shown_value,
    }


def _histogram(of: Histogram) -> Mapping[str, Any]:
    """Return the sum, the buckets (the last is without bound) and quantiles."""
    return {
        "count": of.count,
        "sum": of.sum_ms,
        "bounds": list(of.bounds_ms),
        "counts": list(of.counts),
        **{name: of.quantile(share) for name, share in _QUANTILES.items()},
    }
