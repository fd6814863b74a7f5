"""A Worker sees the same D1 from selfedge as from the engine's own `d1.js`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from d1_arms import Arm, bundled, ours

EXPECTED: dict[str, Any] = json.loads(
    Path(__file__).with_name("behaviour.json").read_text()
)
"""What the Worker sees in each case of behaviour.js."""

_RESET = (
    "Durable Object was reset and rolled back to its last known good state because"
    " the application left the database in a state where constraints were violated: "
)
"""What it says, and ours does not, before a violated constraint."""


@pytest.fixture(scope="module")
def our_arm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm]:
    with ours(tmp_path_factory.mktemp("d1")) as running:
        yield running


@pytest.fixture(scope="module")
def bundled_arm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm]:
    with bundled(tmp_path_factory.mktemp("d1")) as running:
        yield running


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_on_selfedge_sees(our_arm: Arm, case: str) -> None:
    assert our_arm.run(case) == EXPECTED[case]


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_on_the_engines_own_d1_sees(bundled_arm: Arm, case: str) -> None:
    seen = json.dumps(bundled_arm.run(case)).replace(_RESET, "")
    assert json.loads(seen) == EXPECTED[case]


def test_every_case_has_its_expectation(our_arm: Arm) -> None:
    assert our_arm.run("") == list(EXPECTED)
