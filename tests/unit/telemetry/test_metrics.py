"""What is declared is what is documented and what edge.js counts."""

import json
import re
from importlib.resources import files
from pathlib import Path

from selfedge.control.exposition import exposition
from selfedge.telemetry.counts import STATUS_CLASSES, Counts
from selfedge.telemetry.histogram import MODEL_BOUNDS_MS, WALL_BOUNDS_MS, Recorder
from selfedge.telemetry.ledger import Ledger
from selfedge.telemetry.metrics import METRICS, page
from selfedge.telemetry.snapshot import Process, ServiceFigure, Snapshot, shown

PAGE = Path(__file__).parents[3] / "docs/reference/metrics.md"


def snapshot():
    ledger = Ledger()
    walls = (0, 3, *(0 for _ in range(len(WALL_BOUNDS_MS) - 1)))
    counts = Counts(statuses=(0, 0, 2, 0, 0, 1), exceptions=1, walls=walls, wall_ms=6)
    ledger.add("a", "w", "v", counts)
    ledger.ended("a", "w", "crashed")
    ledger.timed("b")("kv", 0.3, failed=False)
    front = Process(
        kind="front",
        account="",
        scripts=["front"],
        running=True,
        restarts=0,
        cpu_s=1.5,
        resident_bytes=7,
        private_bytes=5,
    )
    return Snapshot(
        time_s=1.0,
        workers=ledger.workers(),
        ends=ledger.ends(),
        processes=[front],
        calls=ledger.calls(),
        figures=[
            ServiceFigure(account="b", name="ai_under_way", of="m", value=2),
            ServiceFigure(
                account="b",
                name="ai_first_token_seconds",
                of="m",
                value=Recorder(MODEL_BOUNDS_MS).histogram(),
            ),
        ],
    )


def test_the_page_is_generated_from_the_declaration():
    assert PAGE.read_text() == page()


def test_the_edge_counts_between_the_same_bounds():
    edge = files("selfedge.edge").joinpath("edge.js").read_text()
    bounds = re.search(r"const WALL_MS = (\[.*?\]);", edge)[1]
    assert tuple(json.loads(bounds)) == WALL_BOUNDS_MS
    statuses = re.search(r"statuses: (\[.*?\])", edge)[1]
    assert len(json.loads(statuses)) == STATUS_CLASSES


def test_every_metric_is_scraped_with_its_help():
    text = exposition(snapshot()).decode()
    for metric in METRICS:
        assert f"# HELP {metric.shown_name} " in text
        assert f"# TYPE {metric.shown_name} {metric.kind}" in text
    worker = 'account="a",version="v",worker="w"'
    start = "selfedge_worker_wall_seconds_bucket{"
    assert re.search(rf"{re.escape(start)}[^}}]*le=\"0.002\"[^}}]*}} 3.0", text), worker
    assert 'status="5xx"' in text


def test_an_account_sees_only_what_is_its_own():
    told = shown(snapshot().only("b"))
    assert told["workers"] == []
    assert told["ends"] == []
    assert told["processes"] == []
    assert [one["kind"] for one in told["bindings"]] == ["kv"]


def test_json_tells_statuses_and_quantiles():
    worker = shown(snapshot())["workers"][0]
    assert worker["statuses"] == {"2xx": 2, "5xx": 1}
    assert worker["wall_ms"]["count"] == 3
    assert 1 <= worker["wall_ms"]["p99"] <= 2
