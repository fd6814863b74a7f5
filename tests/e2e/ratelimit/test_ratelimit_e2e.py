"""Rate limits from Workers, in `dev` and in `serve`."""

import json
import time
from urllib.parse import quote

import pytest

from harness import fetch, worker
from harness.project import write
from harness.wrangler_dev import wrangler_dev

CODE = """
    export default {
      async fetch(request, env) {
        const { searchParams: given } = new URL(request.url);
        const options = JSON.parse(given.get("options"));
        if (options?.key === "long") options.key = "x".repeat(17 * 1024 * 1024);
        const times = Number(given.get("times") ?? 1);
        const binding = env[given.get("binding") ?? "RL"];
        try {
          const all = Array.from({ length: times }, () => binding.limit(options));
          return Response.json((await Promise.all(all)).map((one) => one.success));
        } catch (error) {
          return Response.json(String(error));
        }
      },
    };
"""
TOML = """
    [[ratelimits]]
    name = "RL"
    namespace_id = "1001"
    simple = { limit = 3, period = 60 }
    [[ratelimits]]
    name = "SAME"
    namespace_id = "1001"
    simple = { limit = 5, period = 60 }
    [[ratelimits]]
    name = "SHORT"
    namespace_id = "1002"
    simple = { limit = 2, period = 10 }
    [[unsafe.bindings]]
    name = "OLD"
    type = "ratelimit"
    namespace_id = "1001"
    simple = { limit = 3, period = 60 }
"""


def path(options, times=1, binding="RL"):
    return f"/?options={quote(json.dumps(options))}&times={times}&binding={binding}"


def within_one_window(period_s=60, needed_s=3):
    """Wait for the next window if this one ends too soon for a test."""
    left_s = period_s - time.time() % period_s
    if left_s < needed_s:
        time.sleep(left_s)


@pytest.fixture(scope="module")
def node(shared_dev):
    return shared_dev(worker(CODE, TOML))


def test_a_key_may_come_as_often_as_its_limit(node):
    within_one_window()
    seen = [node.request(path({"key": "a"})).json()[0] for _ in range(5)]
    assert seen == [True, True, True, False, False]


def test_many_checks_at_once_count_as_many(node):
    within_one_window()
    assert sum(node.request(path({"key": "b"}, 50)).json()) == 3


def test_bindings_of_a_namespace_share_their_counters(node):
    within_one_window()
    assert node.request(path({"key": "c"}, 3)).json() == [True] * 3
    assert node.request(path({"key": "c"}, binding="OLD")).json() == [False]
    assert node.request(path({"key": "c"}, 3, "SAME")).json() == [True, True, False]


def test_a_new_window_begins_at_nothing(node):
    within_one_window(10, 2)
    asked = path({"key": "d"}, binding="SHORT")
    assert [node.request(asked).json()[0] for _ in range(3)] == [True, True, False]
    node.wait_until(lambda answer: answer.json() == [True], asked)


def test_more_checks_than_a_call_takes_are_several_calls(node):
    within_one_window()
    seen = node.request(path({"key": "e", "limit": 1500}, 2500)).json()
    assert sum(seen) == 1500


NEGATIVE = (
    "The value cannot be converted because it is negative and this API expects a "
    "positive number."
)
WRONG = [
    (None, "Error: invalid rate limit options"),
    ({"key": 1}, "Error: invalid key: 1"),
    ({"kei": "a", "b": 1}, "Error: bad rate limit options: [kei,b]"),
    ({"limit": "1"}, "Error: limit must be a number: 1"),
    ({"period": "10"}, "Error: period must be a number: 10"),
    ({"period": 11}, "Error: unsupported period: 11"),
    ({"delta": 0}, "RangeError: delta must be non-zero"),
    ({"delta": -1}, f"TypeError: {NEGATIVE}"),
    (
        {"delta": 2**32},
        "TypeError: Value out of range. Must be less than or equal to 4294967295.",
    ),
    (
        {"delta": "x"},
        "TypeError: The value cannot be converted because it is not an integer.",
    ),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_wrong_options_are_told(node, options, words):
    assert node.request(path(options)).json() == words


def test_a_key_that_is_too_long_is_told(node):
    words = "Error: rate limit: A call has at most 16777216 bytes."
    assert node.request(path({"key": "long"})).json() == words


def test_wrangler_dev_tells_and_counts_the_same(tmp_path):
    write(tmp_path, worker(CODE, TOML))
    with wrangler_dev(tmp_path, path({"key": "ready"})) as url:
        for options, words in WRONG:
            assert fetch(url + path(options)).json() == words
        within_one_window(needed_s=6)
        heavy = {"key": "b", "delta": 2.9}
        assert sum(fetch(url + path({"key": "a"}, 20)).json()) == 3
        assert fetch(url + path(heavy, 3)).json() == [True, True, False]


def test_a_delta_weighs_more(node):
    within_one_window()
    heavy = {"key": "heavy", "delta": 2.9}
    assert node.request(path(heavy, 3)).json() == [True, True, False]


def test_workers_of_an_account_share_a_namespace_in_serve(serve):
    node = serve()
    bindings = [
        {
            "type": "ratelimit",
            "name": "RL",
            "namespace_id": "7",
            "simple": {"limit": 4, "period": 60},
        }
    ]
    for name in ("one", "two"):
        node.deploy(name, CODE, bindings)
    within_one_window(needed_s=6)
    assert node.get("one", path({"key": "k"}, 3)).json() == [True] * 3
    assert node.get("two", path({"key": "k"}, 3)).json() == [True, False, False]
    wrong = [{**bindings[0], "simple": {"limit": 4, "period": 30}}]
    answer = node.upload("one", CODE, wrong)
    assert answer.status == 400
    assert "30" in answer.text
