"""How an index is sorted, and how far a search looks: speed against recall.

Sorted vectors have a copy in 4 bits a value, which is compared first; the best are
compared anew by their 32 bits. Above `SCAN_KIB` there is a graph (HNSW) on top.
`benchmarks/vectorize` measures what these numbers give.
"""

import math

import qdrant_edge as qdrant

from selfedge.bindings.vectorize.engine.contract import Metric

SORT_KIB = 16_384  # below this, all vectors are compared by their 32 bits
SCAN_KIB = 393_216  # below this, comparing all copies is as quick as the graph
ANEW_MIN = 64  # compared by their 32 bits, however few are asked for
ANEW_TIMES = 4.0
EDGES = 24
CANDIDATES_WHILE_BUILDING = 300
CANDIDATES_MIN = 256
CANDIDATES_PER_ROOT = 3.5  # times √count
FILTERED = 1.5  # times as many candidates when a filter cuts edges out

_DISTANCES = {
    Metric.COSINE: qdrant.Distance.Cosine,
    Metric.EUCLIDEAN: qdrant.Distance.Euclid,
    Metric.DOT_PRODUCT: qdrant.Distance.Dot,
}


def config(dimensions: int, metric: Metric, *, count: int = 0) -> qdrant.EdgeConfig:
    """Return how a shard of `count` vectors is kept."""
    edges = EDGES if count * dimensions * 4 >= SCAN_KIB * 1024 else 0
    return qdrant.EdgeConfig(
        vectors=qdrant.EdgeVectorParams(size=dimensions, distance=_DISTANCES[metric]),
        wal_enabled=True,
        hnsw_config=qdrant.HnswIndexConfig(edges, CANDIDATES_WHILE_BUILDING, SCAN_KIB),
        # Unlike 8-bit scalars it bears outliers, and queries of another length.
        quantization_config=qdrant.TurboQuantQuantizationConfig(
            bits=qdrant.TurboQuantBitSize.Bits4, memory=qdrant.Memory.Pinned
        ),
        optimizers=qdrant.EdgeOptimizersConfig(indexing_threshold=SORT_KIB),
    )


def params(
    count: int, limit: int, *, filtered: bool = False, exact: bool = False
) -> qdrant.SearchParams:
    """Return how far to look for the nearest `limit` of `count`."""
    candidates = CANDIDATES_PER_ROOT * math.sqrt(count) * (FILTERED if filtered else 1)
    return qdrant.SearchParams(
        exact=exact,
        hnsw_ef=max(CANDIDATES_MIN, limit, round(candidates)),
        quantization=qdrant.QuantizationSearchParams(
            rescore=True, oversampling=max(ANEW_TIMES, ANEW_MIN / limit)
        ),
    )
