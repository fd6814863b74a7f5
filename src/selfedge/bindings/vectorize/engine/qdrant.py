"""The engine: Qdrant's own, inside the process that loads this.

Its write-ahead log is on: an update that has returned is in the kernel's hands
and is replayed when the shard is loaded. Every call holds Python's interpreter
lock until it is done, so large writes are cut into short ones.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import qdrant_edge as qdrant

from selfedge.bindings.vectorize.engine import graph, points
from selfedge.bindings.vectorize.engine.conditions import matching
from selfedge.bindings.vectorize.engine.contract import (
    Engine,
    EngineFailure,
    FieldType,
    Hit,
    Metric,
    Page,
    Search,
    Shard,
    Vector,
)

P = ParamSpec("P")
T = TypeVar("T")

_SCHEMAS = {
    "string": qdrant.PayloadSchemaType.Keyword,
    "number": qdrant.PayloadSchemaType.Float,
    "boolean": qdrant.PayloadSchemaType.Keyword,
}
_FLOATS_PER_UPDATE = 32_768  # 2 ms
_VECTORS_PER_UPDATE = 128  # with 10 KiB of metadata each, a fraction of a log file
_UNFLUSHED_FLOATS_MAX = 4_194_304  # 16 MiB
_TIES_MAX = 1024  # hits looked at to order equals by id
_LOCKED = "WouldBlock"
_LOCKED_S = 10.0  # a killed process holds the files until its system calls end
_POLL_S = 0.02
_PASSING = re.compile(  # EAGAIN, ENOMEM, ENFILE, EMFILE, ENOSPC, EDQUOT
    rf"{_LOCKED}|os error (?:11|12|23|24|28|122)\b"
)
_TERMS_MAX = 50_000_000  # as good as all


class QdrantEngine:
    """Shards of qdrant-edge."""

    def create(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        config = graph.config(dimensions, metric)
        shard = _guarded(qdrant.EdgeShard.create, str(folder), config)
        tenants = qdrant.KeywordIndexParams(is_tenant=True)
        operation = qdrant.UpdateOperation.create_field_index(points.NAMESPACE, tenants)
        _guarded(shard.update, operation)
        return QdrantShard(shard, folder, dimensions=dimensions, metric=metric)

    def load(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        opened = _unlocked(folder)
        shard = QdrantShard(opened, folder, dimensions=dimensions, metric=metric)
        shard.probe()
        return shard

    def background(self) -> Engine:
        return self

    def close(self) -> None:
        pass


class QdrantShard:
    """One index."""

    def __init__(
        self,
        shard: qdrant.EdgeShard,
        folder: Path,
        *,
        dimensions: int,
        metric: Metric,
    ) -> None:
        self._shard = shard
        self._folder = folder
        self._dimensions = dimensions
        self._metric = metric
        self._unflushed_floats = 0
        self._terms: dict[str, Sequence[str]] = {}  # those of this moment
        self._counted: int | None = None  # at this moment
        self.alive = True

    def probe(self) -> None:
        """Find damage that loading does not see.

        Raises:
            EngineFailure: vectors are counted but none can be read.
        """
        if not self.count():
            return
        search = Search(values=[1.0] * self._dimensions, limit=1, with_values=True)
        if not self.search([search])[0]:
            raise EngineFailure("the vectors are missing")

    def insert(self, vectors: Sequence[Vector]) -> None:
        self._write(vectors, qdrant.UpdateMode.InsertOnly)

    def upsert(self, vectors: Sequence[Vector]) -> None:
        self._write(vectors, qdrant.UpdateMode.Upsert)

    def delete(self, ids: Sequence[str]) -> None:
        self._changed()
        named: list[int | UUID | str] = [points.point_id(one) for one in ids]
        operation = qdrant.UpdateOperation.delete_points(named)
        _guarded(self._shard.update, operation)

    def get(self, ids: Sequence[str]) -> Sequence[Vector]:
        named: list[int | UUID | str] = [points.point_id(one) for one in ids]
        records = _guarded(
            self._shard.retrieve, named, with_payload=True, with_vector=True
        )
        read = (points.vector(record.payload, record.vector) for record in records)
        found = {vector.id: vector for vector in read}
        return [found[vector_id] for vector_id in ids if vector_id in found]

    def search(self, searches: Sequence[Search]) -> Sequence[Sequence[Hit]]:
        asked = [self._request(one, one.limit + 1) for one in searches]
        batch = qdrant.QueryBatchRequest(asked)
        found = _guarded(self._shard.query_batch, batch)
        return [
            self._hits(one, self._complete(one, hits))
            for one, hits in zip(searches, found, strict=True)
        ]

    def count(self) -> int:
        return int(_guarded(self._shard.info).points_count)

    def unsorted(self) -> int:
        info = _guarded(self._shard.info)
        return int(info.points_count - info.indexed_vectors_count)

    def page(self, start: str | None, limit: int, *, whole: bool = False) -> Page:
        request = qdrant.ScrollRequest(
            offset=None if start is None else UUID(start),
            limit=limit,
            with_payload=True if whole else [points.ID],
            with_vector=whole,
        )
        records, following = _guarded(self._shard.scroll, request)
        found = [points.vector(one.payload, one.vector) for one in records]
        return Page(found, None if following is None else str(following))

    def add_field(self, field: str, kind: FieldType) -> None:
        operation = qdrant.UpdateOperation.create_field_index(field, _SCHEMAS[kind])
        _guarded(self._shard.update, operation)

    def drop_field(self, field: str) -> None:
        operation = qdrant.UpdateOperation.delete_field_index(field)
        _guarded(self._shard.update, operation)

    def optimize(self) -> None:
        config = graph.config(self._dimensions, self._metric, count=self.count())
        _guarded(self._shard.close)
        self._shard = _guarded(qdrant.EdgeShard.load, str(self._folder), config)
        _guarded(self._shard.optimize)

    def close(self) -> None:
        self.alive = False
        _guarded(self._shard.flush)
        _guarded(self._shard.close)

    def _write(self, vectors: Sequence[Vector], mode: qdrant.UpdateMode) -> None:
        size = min(_FLOATS_PER_UPDATE // self._dimensions, _VECTORS_PER_UPDATE)
        for chunk in _chunks(vectors, size):
            operation = _guarded(self._update, chunk, mode)
            _guarded(self._shard.update, operation)
            self._changed()
            self._flush_when_due(len(chunk))
            time.sleep(0)  # hand the interpreter lock to whoever waits

    def _changed(self) -> None:
        self._terms.clear()
        self._counted = None

    def _update(
        self, vectors: Sequence[Vector], mode: qdrant.UpdateMode
    ) -> qdrant.UpdateOperation:
        batch = [self._point(vector) for vector in vectors]
        return qdrant.UpdateOperation.upsert_points(batch, update_mode=mode)

    def _flush_when_due(self, added: int) -> None:
        """Bound the log that a restart replays."""
        self._unflushed_floats += added * self._dimensions
        if self._unflushed_floats > _UNFLUSHED_FLOATS_MAX:
            _guarded(self._shard.flush)
            self._unflushed_floats = 0

    def _point(self, vector: Vector) -> qdrant.Point:
        length = points.length(vector.values, self._metric, vector.length)
        values: Any = points.scaled(vector.values, length)  # any sequence will do
        payload = points.payload(vector, length)
        return qdrant.Point(points.point_id(vector.id), values, payload)

    def _terms_of(self, field: str) -> Sequence[str]:
        if field not in self._terms:
            request = qdrant.FacetRequest(key=field, limit=_TERMS_MAX, exact=True)
            hits = _guarded(self._shard.facet, request).hits
            self._terms[field] = sorted(str(hit.value) for hit in hits)
        return self._terms[field]

    def _request(self, search: Search, limit: int) -> qdrant.QueryRequest:
        found = _guarded(matching, search, self._terms_of)
        length = points.length(search.values, self._metric)
        values: Any = points.scaled(search.values, length)
        return qdrant.QueryRequest(
            limit=limit,
            query=qdrant.Query.Nearest(values),
            filter=found,
            with_payload=True,
            with_vector=search.with_values,
            params=graph.params(
                self._about(), limit, filtered=found is not None, exact=search.exact
            ),
        )

    def _complete(
        self, search: Search, hits: list[qdrant.ScoredPoint]
    ) -> list[qdrant.ScoredPoint]:
        """Return `hits`, and with the last one all that are as near."""
        limit = search.limit + 1
        while True:
            complete = len(hits) < limit or limit >= _TIES_MAX
            if complete or hits[-1].score != hits[search.limit - 1].score:
                return hits
            limit = min(limit * 4, _TIES_MAX)
            hits = _guarded(self._shard.query, self._request(search, limit))

    def _hits(
        self, search: Search, found: Sequence[qdrant.ScoredPoint]
    ) -> Sequence[Hit]:
        nearest = sorted(found, key=self._rank)[: search.limit]
        return [
            Hit(points.vector(hit.payload, hit.vector), self._score(hit.score))
            for hit in nearest
        ]

    def _about(self) -> int:
        if self._counted is None:
            self._counted = self.count()
        return self._counted

    def _rank(self, hit: qdrant.ScoredPoint) -> tuple[float, bytes]:
        nearness = hit.score if self._metric is Metric.EUCLIDEAN else -hit.score
        return nearness, points.vector_id(hit.payload).encode()

    def _score(self, score: float) -> float:
        if self._metric is Metric.COSINE:
            return max(-1.0, min(1.0, score))
        return -score if self._metric is Metric.DOT_PRODUCT else score


def _chunks(vectors: Sequence[Vector], size: int) -> Iterator[Sequence[Vector]]:
    for start in range(0, len(vectors), size):
        yield vectors[start : start + size]


def _unlocked(folder: Path) -> qdrant.EdgeShard:
    """Load, once the process that had the shard before is gone.

    Raises:
        EngineFailure: it cannot be read; passing: another process still has it.
    """
    end = time.monotonic() + _LOCKED_S
    while True:
        try:
            return _guarded(qdrant.EdgeShard.load, str(folder))
        except EngineFailure as failure:
            if _LOCKED not in str(failure):
                raise
            if time.monotonic() > end:
                text = f"another process has its files open; end it: {folder}"
                raise EngineFailure(text, passing=True) from failure
            time.sleep(_POLL_S)


def _guarded(call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    try:
        return call(*args, **options)
    except Exception as cause:
        text = str(cause)
        raise EngineFailure(text, passing=bool(_PASSING.search(text))) from cause
    except BaseException as cause:
        if type(cause).__name__ != "PanicException":
            raise
        text = f"the engine failed: {cause}"
        raise EngineFailure(text, passing=bool(_PASSING.search(text))) from cause
