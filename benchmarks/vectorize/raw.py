"""The limit: qdrant-edge in this process, with our settings and nothing around it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import qdrant_edge as qdrant

from selfedge.bindings.vectorize.engine import graph
from selfedge.bindings.vectorize.engine.contract import Metric

BATCH = 1000


class Raw:
    """One shard; points are numbers, `n` is their category."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        folder.mkdir(parents=True)
        config = graph.config(dimensions, Metric.COSINE)
        self._shard = qdrant.EdgeShard.create(str(folder), config)
        self._shard.update(
            qdrant.UpdateOperation.create_field_index(
                "n", qdrant.PayloadSchemaType.Float
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shard.close()

    def fill(self, vectors: Any, categories: Any) -> float:
        """Insert all; return seconds."""
        rows, kinds = vectors.tolist(), categories.tolist()
        start = time.perf_counter()
        for first in range(0, len(rows), BATCH):
            points = [
                qdrant.Point(number, rows[number], {"n": float(kinds[number])})
                for number in range(first, min(first + BATCH, len(rows)))
            ]
            self._shard.update(qdrant.UpdateOperation.upsert_points(points))
        self._shard.flush()
        return time.perf_counter() - start

    def optimise(self) -> float:
        """Return seconds."""
        start = time.perf_counter()
        self._shard.optimize()
        return time.perf_counter() - start

    def queries(
        self, queries: Any, top_k: int, category: int | None
    ) -> tuple[Sequence[Sequence[int]], Sequence[float]]:
        """Return what was found, and seconds of each."""
        condition = None
        if category is not None:
            bounds = qdrant.RangeFloat(gte=category, lte=category)
            condition = qdrant.Filter(must=[qdrant.FieldCondition("n", range=bounds)])
        found, times = [], []
        count = self._shard.info().points_count
        for query in queries.tolist():
            start = time.perf_counter()
            request = qdrant.QueryRequest(
                limit=top_k,
                query=qdrant.Query.Nearest(query),
                filter=condition,
                params=graph.params(count, top_k, filtered=category is not None),
            )
            hits = self._shard.query(request)
            times.append(time.perf_counter() - start)
            found.append([int(hit.id) for hit in hits])
        return found, times
