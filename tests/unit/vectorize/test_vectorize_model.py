"""The service against a plain dictionary, over random mutations and restarts."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from vectorize_support import cosine
from vectorize_writer import made

from selfedge.bindings.vectorize.engine.contract import (
    FieldType,
    Metric,
    Operator,
    Vector,
)
from selfedge.bindings.vectorize.index.model import (
    Config,
    Operation,
    Query,
    Wanted,
)

IDS = st.sampled_from(["a", "b", "é", "日本", "c" * 64])
NUMBERS = st.integers(-3, 3).map(float)
VECTORS = st.builds(
    Vector,
    IDS,
    st.lists(NUMBERS, min_size=3, max_size=3),
    st.sampled_from([None, "n", "m"]),
    st.sampled_from(
        [None, b'{"k":1}', b'{"k":2,"o":{"p":"x"}}', b'{"k":2,"o":{"p":"y"}}', b"{}"]
    ),
)
FILTERS = st.dictionaries(
    st.sampled_from(["k", "o.p"]),
    st.tuples(
        st.sampled_from(["eq", "ne", "lt", "gte"]), st.sampled_from([1, 2, "x", "y"])
    ),
    max_size=2,
)
UNIQUE = st.lists(VECTORS, min_size=1, max_size=5, unique_by=lambda vector: vector.id)


def fits(value: object, operator: str, operand: object) -> bool:
    """Whether a condition holds, by the definition."""
    if operator in ("eq", "ne"):
        return (value == operand) == (operator == "eq")
    if type(value) is not type(operand):
        return False
    below = value < operand  # type: ignore[operator]
    return below if operator == "lt" else not below


class VectorizeMachine(RuleBasedStateMachine):
    """Does the same to an index and to `kept`."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.kept: dict[str, Vector] = {}
        self.indexed: dict[str, str] = {}  # property → type
        self.fields: dict[str, dict[str, object]] = {}  # id → what is filtered on
        self.numbers = 0
        self.runner.run(self._start())
        config = Config(dimensions=3, metric=Metric.COSINE)
        self.runner.run(self.service.create("i", config))

    async def _start(self) -> None:
        ids = [f"m{number}" for number in range(self.numbers + 1, 10_000)]
        self.service = made(self.home, ids)

    def _write(self, operation: Operation, vectors: list[Vector]) -> None:
        self.runner.run(self.service.mutate("i", operation, vectors=vectors))
        self.numbers += 1

    @rule(vectors=UNIQUE)
    def insert(self, vectors: list[Vector]) -> None:
        self._write("insert", vectors)
        self._note([vector for vector in vectors if vector.id not in self.kept])

    @rule(vectors=UNIQUE)
    def upsert(self, vectors: list[Vector]) -> None:
        self._write("upsert", vectors)
        self._note(vectors)

    def _note(self, vectors: list[Vector]) -> None:
        for vector in vectors:
            self.kept[vector.id] = vector
            read = json.loads(vector.metadata or b"{}")
            values = {"k": read.get("k"), "o.p": read.get("o", {}).get("p")}
            self.fields[vector.id] = {
                path: values[path] for path in self.indexed if values[path] is not None
            }

    @rule(path=st.sampled_from(["k", "o.p"]))
    def toggle_metadata_index(self, path: str) -> None:
        self.numbers += 1
        if path in self.indexed:
            self.runner.run(self.service.drop_metadata_index("i", path))
            del self.indexed[path]
        else:
            kind: FieldType = "number" if path == "k" else "string"
            self.runner.run(self.service.add_metadata_index("i", path, kind))
            self.indexed[path] = kind
        for fields in self.fields.values():
            fields.pop(path, None)

    @rule()
    def compact(self) -> None:
        self.runner.run(self.service.compact("i"))

    @rule(ids=st.lists(IDS, min_size=1, unique=True))
    def delete(self, ids: list[str]) -> None:
        self.runner.run(self.service.mutate("i", "delete", ids=ids))
        self.numbers += 1
        for name in ids:
            self.kept.pop(name, None)

    @rule()
    def restart(self) -> None:
        self.runner.run(self.service.close())
        self.runner.run(self._start())

    @rule(
        values=st.lists(NUMBERS, min_size=3, max_size=3),
        namespace=st.sampled_from([None, "n", "absent"]),
        wanted=FILTERS,
        top_k=st.integers(1, 4),
    )
    def query(
        self,
        values: list[float],
        namespace: str | None,
        wanted: dict[str, tuple[Operator, object]],
        top_k: int,
    ) -> None:
        conditions = [Wanted(path, op, (one,)) for path, (op, one) in wanted.items()]
        query = Query(
            values=values, top_k=top_k, namespace=namespace, conditions=conditions
        )
        found = self.runner.run(self.service.query("i", query))
        fitting = {
            vector.id: cosine(values, vector.values)
            if any(values) and any(vector.values)
            else 0.0
            for vector in self.kept.values()
            if namespace in (None, vector.namespace)
            and all(
                fits(self.fields[vector.id].get(path), *one)
                for path, one in wanted.items()
            )
        }
        best = sorted(fitting.values(), reverse=True)[:top_k]
        assert [hit.score for hit in found] == pytest.approx(best, abs=1e-6)
        for hit in found:
            assert hit.score == pytest.approx(fitting[hit.vector.id], abs=1e-6)

    @invariant()
    def holds_what_was_kept(self) -> None:
        names = sorted(self.kept)
        found = self.runner.run(self.service.get("i", [*names, "absent"]))
        assert list(found) == [self.kept[name] for name in names]
        info = self.runner.run(self.service.describe("i"))
        assert info.vectors == len(names)

    def teardown(self) -> None:
        self.runner.run(self.service.close())
        self.runner.close()
        shutil.rmtree(self.home)


TestModel = pytest.mark.slow(VectorizeMachine.TestCase)
TestModel.settings = settings(
    max_examples=5,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
