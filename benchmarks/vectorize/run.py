"""Vectorize beside raw qdrant-edge and exact numpy, in one run.

    .venv/bin/python benchmarks/vectorize/run.py --counts 1000 10000 --dimensions 768

README.md in this folder says what is measured and how.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from raw import Raw
from served import Served
from worker import running

Floats = NDArray[np.float32]

TOP_K = 10
QUERIES = 100
CLIENTS = 16
CLUSTERS = 64
CATEGORIES = 10  # a filter keeps one of them
MIB = 2**20


def clustered(count: int, dimensions: int, seed: int) -> Floats:
    """Return vectors around some centres, as embeddings of texts are."""
    source = np.random.default_rng(seed)
    centres = source.normal(size=(CLUSTERS, dimensions))
    chosen = centres[source.integers(0, CLUSTERS, count)]
    vectors = chosen + source.normal(size=(count, dimensions)) * 0.7
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / length).astype(np.float32)


def exact(vectors: Floats, query: Floats, allowed: Floats | None) -> Sequence[int]:
    """Return the nearest by comparing all."""
    scores = vectors @ query
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
    best = np.argpartition(-scores, TOP_K)[:TOP_K]
    return [int(one) for one in best]


def recall(found: Sequence[Sequence[int]], best: Sequence[Sequence[int]]) -> float:
    """Return which part of the nearest was found."""
    hits = [
        len(set(ours) & set(theirs)) for ours, theirs in zip(found, best, strict=True)
    ]
    return sum(hits) / (TOP_K * len(hits))


def p50_ms(times: Sequence[float]) -> float:
    """Return the median, in milliseconds."""
    return round(statistics.median(times) * 1000, 2)


async def measured(count: int, dimensions: int, folder: Path) -> dict[str, Any]:
    """Measure all three on the same vectors."""
    vectors = clustered(count, dimensions, 1)
    categories = np.arange(count) % CATEGORIES
    queries = clustered(QUERIES, dimensions, 2)
    times, best, kept = [], [], []
    for query in queries:
        start = time.perf_counter()
        best.append(exact(vectors, query, None))
        times.append(time.perf_counter() - start)
        kept.append(exact(vectors, query, categories == 3))
    row: dict[str, Any] = {"vectors": count, "numpy p50 ms": p50_ms(times)}
    with Raw(folder / "raw", dimensions) as raw:
        row["raw ingest /s"] = round(count / raw.fill(vectors, categories))
        row["raw optimise s"] = round(raw.optimise(), 1)
        raw.queries(queries, TOP_K, None)  # until all is warm
        found, took = raw.queries(queries, TOP_K, None)
        row["raw recall"] = recall(found, best)
        async with Served(folder / "served", dimensions) as served:
            row |= await _served(served, vectors, categories, queries, best, kept)
        took = [*took, *raw.queries(queries, TOP_K, None)[1]]
        project = folder / "project"
        (project / "state").mkdir(parents=True)
        (folder / "served" / "state").rename(project / "state" / "vectorize")
        with running(project) as worker:
            times = worker.seconds(queries.tolist())
            row["p50 in a Worker ms"] = p50_ms(times)
        took = [*took, *raw.queries(queries, TOP_K, None)[1]]
        row["raw p50 ms"] = p50_ms(took)
    return row


async def _served(
    served: Served,
    vectors: Floats,
    categories: NDArray[np.int64],
    queries: Floats,
    best: Sequence[Sequence[int]],
    kept: Sequence[Sequence[int]],
) -> dict[str, Any]:
    count, dimensions = vectors.shape
    row: dict[str, Any] = {}
    row["ingest /s"] = round(count / await served.fill(vectors, categories))
    row["optimise s"] = round(await served.optimise(), 1)
    await served.queries(queries, TOP_K, None)  # until all is warm
    found, took = await served.queries(queries, TOP_K, None)
    row["p50 ms"], row["recall"] = p50_ms(took), recall(found, best)
    found, took = await served.queries(queries, TOP_K, 3)
    row["filtered p50 ms"] = p50_ms(took)
    row["filtered recall"] = recall(found, kept)
    row[f"queries/s, {CLIENTS} clients"] = round(
        await served.throughput(queries, TOP_K, CLIENTS)
    )
    row["longest query while optimising ms"] = round(served.longest * 1000, 1)
    row["RSS MiB"] = round(served.rss() / MIB)
    row["vectors MiB"] = round(count * dimensions * 4 / MIB)
    row["reopen s"] = round(await served.reopen(), 2)
    return row


def main(arguments: Sequence[str]) -> int:
    """Print a table and write it as JSON, if asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--dimensions", type=int, default=768)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(arguments)
    before = os.getloadavg()
    rows = []
    for count in chosen.counts:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(asyncio.run(measured(count, chosen.dimensions, Path(folder))))
    for name in rows[0]:
        print(f"{name:36}", *(f"{row[name]:>10}" for row in rows))
    print(f"load average {before[0]:.1f} → {os.getloadavg()[0]:.1f}")
    if chosen.output:
        chosen.output.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
