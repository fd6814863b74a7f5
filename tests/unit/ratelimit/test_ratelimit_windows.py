"""Rate limits: exact in their window, bounded in memory."""

import tracemalloc
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.ratelimit.errors import RateLimitError
from selfedge.bindings.ratelimit.limits import CHECKS_MAX, KEYS_MAX
from selfedge.bindings.ratelimit.service import RateLimits
from selfedge.bindings.ratelimit.windows import Windows
from selfedge.bindings.ratelimit.wire import Check, answer, checks

NOW = 1_700_000_040.0  # a window of 60 s begins


def allow(windows, key="k", *, limit=3, period=60, delta=1, now=NOW, namespace="n"):
    return windows.allow(namespace, key, limit, period, delta, now)


def test_a_key_may_come_as_often_as_its_limit():
    windows = Windows(10)
    assert [allow(windows) for _ in range(5)] == [True, True, True, False, False]


def test_a_new_window_begins_at_nothing():
    windows = Windows(10)
    for _ in range(3):
        allow(windows)
    assert not allow(windows, now=NOW + 59.9)
    assert allow(windows, now=NOW + 60)


def test_what_is_refused_is_not_counted():
    windows = Windows(10)
    for _ in range(10):
        allow(windows, limit=3)
    assert allow(windows, limit=4)


def test_keys_namespaces_and_periods_have_counters_of_their_own():
    windows = Windows(10)
    assert allow(windows, limit=1)
    assert allow(windows, "other", limit=1)
    assert allow(windows, limit=1, namespace="other")
    assert allow(windows, limit=1, period=10)
    assert not allow(windows, limit=1)


def test_a_delta_weighs_more():
    windows = Windows(10)
    assert allow(windows, delta=5)
    assert not allow(windows)


def test_a_limit_of_nothing_allows_nothing():
    assert not allow(Windows(10), limit=0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=80))
def test_it_counts_like_the_simplest_counter(calls):
    windows = Windows(100)
    simple = defaultdict(int)
    now = NOW
    for key, wait_s in calls:
        now += wait_s
        place = key, now // 10
        expected = simple[place] < 2
        simple[place] += expected
        assert allow(windows, key, limit=2, period=10, now=now) == expected


def test_the_key_that_came_the_longest_ago_goes_first():
    windows = Windows(3)
    for key in "abc":
        allow(windows, key, limit=1)
    assert not allow(windows, "a", limit=1)  # it came again
    allow(windows, "d", limit=1)  # in place of b
    assert len(windows) == 3
    assert not allow(windows, "a", limit=1)
    assert allow(windows, "b", limit=1)


def test_stale_counters_go_when_others_come():
    windows = Windows(1000)
    for number in range(100):
        allow(windows, str(number))
    for number in range(50):
        allow(windows, f"new {number}", now=NOW + 60)
    assert len(windows) == 50


def test_any_number_of_keys_fits_into_bounded_memory():
    most = 20_000
    windows = Windows(most)
    tracemalloc.start()
    for number in range(3 * most):
        allow(windows, f"203.0.113.{number}" * 3)
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(windows) == most
    assert current / most * KEYS_MAX < 100 * 1024 * 1024


def test_a_service_counts_for_all_who_ask():
    service = RateLimits(lambda: NOW)
    two = [Check("k", 3, 60, 1)] * 2
    assert service.allowed("n", two) == [True, True]
    assert service.allowed("n", two) == [True, False]


def test_a_call_is_read_and_answered():
    assert checks(b'[["k",3,60,1]]') == [Check("k", 3, 60, 1)]
    assert checks(b"[]") == []
    assert answer([True, False]) == b"[true,false]"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b'[["k",3,60]]',
        b'[["k",3,61,1]]',
        b'[["k",3,60,0]]',
        b'[["k",null,60,1]]',
        b'[["k",3,60,1e999]]',
        b"\xff",
        b"[" * 100_000,
        b"[" + b",".join([b'["k",3,60,1]'] * (CHECKS_MAX + 1)) + b"]",
    ],
)
def test_any_other_call_is_refused(body):
    with pytest.raises(RateLimitError):
        checks(body)
