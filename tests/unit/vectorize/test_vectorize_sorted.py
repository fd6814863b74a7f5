"""What the engine finds once an index is sorted: 8-bit copies, compared anew."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from selfedge.bindings.vectorize.engine.contract import (
    Condition,
    Metric,
    Search,
    Shard,
    Vector,
)
from selfedge.bindings.vectorize.engine.qdrant import QdrantEngine

COUNT, WIDTH = 3000, 1536  # 18 MiB, over what the engine compares as it is
TOP = 10


def shard(folder: Path, metric: Metric, rows: Sequence[Sequence[float]]) -> Shard:
    """Return a sorted shard; vector n is in category n % 10."""
    made = QdrantEngine().create(folder, dimensions=WIDTH, metric=metric)
    made.add_field("f1", "number")
    made.upsert(
        [
            Vector(str(number), row, fields={"f1": number % 10})
            for number, row in enumerate(rows)
        ]
    )
    made.optimize()
    assert not made.unsorted()
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "sign"), [(Metric.COSINE, 1), (Metric.DOT_PRODUCT, -1)]
)
def test_a_sorted_index_finds_the_nearest_and_scores_them_exactly(
    tmp_path: Path, metric: Metric, sign: int
) -> None:
    source = np.random.default_rng(1)
    rows = source.normal(size=(COUNT, WIDTH)).astype(np.float32)
    if metric is Metric.COSINE:
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[7] *= 1 if metric is Metric.COSINE else 1000  # far from all others
    made = shard(tmp_path / "shard", metric, rows.tolist())
    found = [0, 0]
    queries = source.normal(size=(20, WIDTH)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    for query in queries:
        scores = rows @ query
        conditions = (), (Condition("f1", "eq", (3,)),)
        for which, condition in enumerate(conditions):
            fits = np.arange(COUNT) % 10 == 3 if condition else np.ones(COUNT, bool)
            best = np.argsort(-np.where(fits, scores, -np.inf))[:TOP]
            search = Search(values=query.tolist(), limit=TOP, conditions=condition)
            (hits,) = made.search([search])
            found[which] += len({hit.vector.id for hit in hits} & set(map(str, best)))
            for hit in hits:
                expected = sign * scores[int(hit.vector.id)]
                assert hit.score == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert min(found) >= 0.95 * TOP * len(queries)
    made.close()
