import pytest

from selfedge.telemetry.histogram import Histogram


def test_quantiles_lie_within_their_bucket():
    some = Histogram((1, 10, 100), (50, 40, 10, 0), 1000)
    assert some.quantile(0.5) == 1
    assert some.quantile(0.9) == 10
    assert some.quantile(0.95) == pytest.approx(55)


def test_nothing_has_no_quantile():
    assert Histogram((1,), (0, 0)).quantile(0.5) is None


def test_what_is_over_the_last_bound_is_told_as_that_bound():
    assert Histogram((1, 10), (0, 0, 3)).quantile(0.5) == 10


def test_cumulative_counts_end_with_all():
    assert Histogram((1, 10), (2, 3, 4)).cumulative() == [2, 5, 9]
