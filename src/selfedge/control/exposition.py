"""The figures of a node in the format that Prometheus scrapes."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from selfedge.telemetry.histogram import Histogram
from selfedge.telemetry.metrics import METRICS, Metric
from selfedge.telemetry.snapshot import Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Node(Collector):
    """One snapshot, as a collector."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Family]:
        """Yield every metric."""
        return [_family(metric, self._snapshot) for metric in METRICS]


def exposition(snapshot: Snapshot) -> bytes:
    """Return the body of a scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Node(snapshot))
    return generate_latest(registry)


def _family(metric: Metric, snapshot: Snapshot) -> Family:
    if metric.kind == "histogram":
        return _histograms(metric, snapshot)
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in metric.of(snapshot):
        assert not isinstance(value, Histogram)  # noqa: S101 - as it is declared
        family.add_metric(labels, value)
    return family


def _histograms(metric: Metric, snapshot: Snapshot) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in metric.of(snapshot):
        assert isinstance(value, Histogram)  # noqa: S101 - as it is declared
        bounds = [*(f"{bound / 1000:g}" for bound in value.bounds_ms), "+Inf"]
        buckets = list(zip(bounds, value.cumulative(), strict=True))
        family.add_metric(labels, buckets, value.sum_ms / 1000)
    return family
