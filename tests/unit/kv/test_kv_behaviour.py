"""A Worker sees the same KV from selfedge as from the engine's own `kv.js`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kv_arms import Arm, bundled, ours

EXPECTED: dict[str, Any] = json.loads(
    Path(__file__).with_name("behaviour.json").read_text()
)
"""What the Worker sees in each case of behaviour.js."""

ONLY_BUNDLED: dict[str, Any] = {
    # kv.js ends the connection; a key that is no UTF-8 is an error in ours
    "a_lone_surrogate": ["Network connection lost.", EXPECTED["a_lone_surrogate"][1]],
}

_OVER_A_SECOND = ("list_1000", "large_values")
CASES = [
    pytest.param(case, marks=pytest.mark.slow) if case in _OVER_A_SECOND else case
    for case in EXPECTED
]


@pytest.fixture(scope="module")
def our_arm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm]:
    with ours(tmp_path_factory.mktemp("kv")) as running:
        yield running


@pytest.fixture(scope="module")
def bundled_arm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm]:
    with bundled(tmp_path_factory.mktemp("kv")) as running:
        yield running


@pytest.mark.parametrize("case", CASES)
def test_a_worker_on_selfedge_sees(our_arm: Arm, case: str) -> None:
    assert our_arm.run(case) == EXPECTED[case]


@pytest.mark.parametrize("case", CASES)
def test_a_worker_on_the_engines_own_kv_sees(bundled_arm: Arm, case: str) -> None:
    assert bundled_arm.run(case) == ONLY_BUNDLED.get(case, EXPECTED[case])


def test_every_case_has_its_expectation(our_arm: Arm) -> None:
    assert our_arm.run("") == list(EXPECTED)
