"""Every metric that there is, declared once: pure.

The Prometheus endpoint and docs/reference/metrics.md are made from it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from selfedge.telemetry.histogram import Histogram
from selfedge.telemetry.ledger import CallCounts, WorkerCounts
from selfedge.telemetry.snapshot import Process, Snapshot, statuses

Value: TypeAlias = float | Histogram
Sample: TypeAlias = tuple[Sequence[str], Value]
"""(values of the labels, value)."""

_WORKER = ("account", "worker", "version")
_PROCESS = ("kind", "account", "workers")
_MODEL = ("account", "model")
_CALL = ("account", "binding")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str  # without "_total", which a counter's name ends in
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Sequence[str]
    of: Callable[[Snapshot], Iterable[Sample]]

    @property
    def shown_name(self) -> str:
        """The name as it is scraped."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def _workers(of: Callable[[WorkerCounts], Value]) -> Callable[[Snapshot], list[Sample]]:
    return lambda all_: [
        ((one.account, one.script, one.version), of(one)) for one in all_.workers
    ]


def _processes(of: Callable[[Process], float]) -> Callable[[Snapshot], list[Sample]]:
    return lambda all_: [
        ((one.kind, one.account, ",".join(one.scripts)), of(one))
        for one in all_.processes
    ]


def _calls(of: Callable[[CallCounts], Value]) -> Callable[[Snapshot], list[Sample]]:
    return lambda all_: [((one.account, one.kind), of(one)) for one in all_.calls]


def _figures(name: str) -> Callable[[Snapshot], list[Sample]]:
    return lambda all_: [
        ((one.account, one.of), one.value) for one in all_.figures if one.name == name
    ]


def _requests(all_: Snapshot) -> Iterable[Sample]:
    for one in all_.workers:
        for status, count in statuses(one.counts.statuses).items():
            yield (one.account, one.script, one.version, status), count


def _ends(all_: Snapshot) -> Iterable[Sample]:
    return [(key, count) for key, count in sorted(all_.ends.items())]


METRICS: Sequence[Metric] = (
    Metric(
        "selfedge_worker_requests",
        "counter",
        "Requests of clients that a Worker answered, by the class of the status.",
        (*_WORKER, "status"),
        _requests,
    ),
    Metric(
        "selfedge_worker_exceptions",
        "counter",
        "Exceptions of fetch handlers that no handler caught.",
        _WORKER,
        _workers(lambda one: one.counts.exceptions),
    ),
    Metric(
        "selfedge_worker_events",
        "counter",
        "Events of queues and schedules that a Worker got.",
        _WORKER,
        _workers(lambda one: one.counts.events),
    ),
    Metric(
        "selfedge_worker_event_failures",
        "counter",
        "Events of queues and schedules whose handler threw.",
        _WORKER,
        _workers(lambda one: one.counts.event_failures),
    ),
    Metric(
        "selfedge_worker_wall_seconds",
        "histogram",
        "Time from the arrival of a request to the beginning of its answer; the "
        "engine's clock stands still while code runs, so pure computing counts as 0.",
        _WORKER,
        _workers(lambda one: one.counts.wall),
    ),
    Metric(
        "selfedge_process_ends",
        "counter",
        "Ends of a Worker's process that no deployment asked for: crashed, "
        "exceededCpu, exceededMemory, asleep, does not start.",
        ("account", "worker", "cause"),
        _ends,
    ),
    Metric(
        "selfedge_process_restarts",
        "counter",
        "Starts of a process again after it failed.",
        _PROCESS,
        _processes(lambda one: one.restarts),
    ),
    Metric(
        "selfedge_process_running",
        "gauge",
        "1 while a process runs, 0 while it sleeps.",
        _PROCESS,
        _processes(lambda one: int(one.running)),
    ),
    Metric(
        "selfedge_process_cpu_seconds",
        "counter",
        "Processor time of a process since its start, from /proc.",
        _PROCESS,
        _processes(lambda one: one.cpu_s),
    ),
    Metric(
        "selfedge_process_resident_bytes",
        "gauge",
        "Memory of a process that is in RAM, from /proc.",
        _PROCESS,
        _processes(lambda one: one.resident_bytes),
    ),
    Metric(
        "selfedge_process_private_bytes",
        "gauge",
        "Memory that a process shares with no other, from /proc.",
        _PROCESS,
        _processes(lambda one: one.private_bytes),
    ),
    Metric(
        "selfedge_binding_failures",
        "counter",
        "Calls of Workers to a kind of binding that failed on our side.",
        _CALL,
        _calls(lambda one: one.failed),
    ),
    Metric(
        "selfedge_binding_seconds",
        "histogram",
        "Time that calls of Workers to a kind of binding (kv, d1, r2, ai, …) took.",
        _CALL,
        _calls(lambda one: one.took),
    ),
    Metric(
        "selfedge_ai_under_way",
        "gauge",
        "Calls of a model that wait or are computed.",
        _MODEL,
        _figures("ai_under_way"),
    ),
    Metric(
        "selfedge_ai_prompt_tokens",
        "counter",
        "Tokens that a model read to generate text.",
        _MODEL,
        _figures("ai_prompt_tokens"),
    ),
    Metric(
        "selfedge_ai_completion_tokens",
        "counter",
        "Tokens that a model generated.",
        _MODEL,
        _figures("ai_completion_tokens"),
    ),
    Metric(
        "selfedge_ai_first_token_seconds",
        "histogram",
        "Time from a call to the first piece of generated text, loading included.",
        _MODEL,
        _figures("ai_first_token_seconds"),
    ),
)


def page() -> str:
    """Return docs/reference/metrics.md."""
    rows = [
        f"| `{one.shown_name}` | {one.kind} | {', '.join(one.labels)} | {one.help} |"
        for one in METRICS
    ]
    head = (
        "# Metrics",
        "",
        "Generated from `selfedge/telemetry/metrics.py`; a test holds it.",
        "How to scrape them: [observability.md](../observability.md#metrics).",
        "",
        "| name | kind | labels | what it counts |",
        "| --- | --- | --- | --- |",
    )
    return "\n".join((*head, *rows)) + "\n"
