"""Vectors become points that keep what differs most."""

import json

import numpy as np
import pytest

from selfedge.bindings.vectorize.engine.contract import Metric, Vector
from selfedge.bindings.vectorize.rest.projection import TEXT_MAX, projected


def vectors(values, **more):
    return [Vector(id=str(n), values=list(row), **more) for n, row in enumerate(values)]


def places(found):
    return np.array([(point["x"], point["y"]) for point in found["points"]])


def test_a_plane_keeps_its_distances():
    flat = np.random.default_rng(1).normal(size=(40, 2))
    base, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(64, 2)))
    found = projected(vectors(flat @ base.T + 5), Metric.EUCLIDEAN)
    drawn = places(found)
    for one, other in ((0, 1), (5, 30), (17, 39)):
        kept = np.linalg.norm(drawn[one] - drawn[other])
        assert kept == pytest.approx(np.linalg.norm(flat[one] - flat[other]))
    assert sum(found["explained"]) == pytest.approx(1)


def test_lengths_do_not_count_where_the_metric_is_cosine():
    values = np.random.default_rng(3).normal(size=(10, 8))
    longer = values * np.arange(1, 11)[:, None]
    one = projected(vectors(values), Metric.COSINE)
    other = projected(vectors(longer), Metric.COSINE)
    assert places(one) == pytest.approx(places(other))


@pytest.mark.parametrize(
    "values", [[], [[1, 2, 3]], [[0, 0], [0, 0]], [[1.0], [2.0]], [[3e38] * 4] * 3]
)
@pytest.mark.parametrize("metric", list(Metric))
def test_few_or_equal_vectors_have_finite_places(values, metric):
    found = projected(vectors(values), metric)
    assert len(found["points"]) == len(values)
    assert all(np.isfinite(places(found)).ravel())
    assert len(found["explained"]) == 2


def test_a_point_says_what_it_can_be_coloured_by():
    metadata = {"kind": "x" * 500, "n": 1, "yes": True, "deep": {"a": 1}, "no": None}
    (point,) = projected(
        vectors([[1, 2]], namespace="s", metadata=json.dumps(metadata).encode()),
        Metric.COSINE,
    )["points"]
    assert point["metadata"] == {"kind": "x" * TEXT_MAX, "n": 1, "yes": True}
    assert point["namespace"] == "s"
