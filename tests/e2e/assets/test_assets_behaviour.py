"""Clients see the same static files from `selfedge dev` as from `wrangler dev`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from assets_arms import (
    FILE_PATHS,
    MODES,
    NAVIGATION,
    Arm,
    paths,
    project,
    under_wrangler_dev,
)

from harness import Nodes

EXPECTED: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("behaviour.json").read_text()
)
"""Mode → path → status, some headers and the beginning of the body."""

NAVIGATED = " navigate"
FIRST_MODE = next(iter(MODES))


@pytest.fixture(scope="module")
def ours(shared_dev: Nodes) -> Arm:
    node = shared_dev(project(FIRST_MODE))
    return Arm(node.url, node.project, FIRST_MODE)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm]:
    with under_wrangler_dev(tmp_path_factory.mktemp("wrangler"), FIRST_MODE) as arm:
        yield arm


def seen(arm: Arm, mode: str) -> dict[str, Any]:
    return {case: _one(arm, mode, case) for case in EXPECTED[mode]}


def _one(arm: Arm, mode: str, case: str) -> Any:
    path = case.removesuffix(NAVIGATED)
    headers = NAVIGATION if path != case else {}
    return arm.shown(mode, path, headers=headers)


@pytest.mark.parametrize("mode", MODES)
def test_a_client_of_selfedge_sees(ours: Arm, mode: str) -> None:
    assert seen(ours, mode) == EXPECTED[mode]


@pytest.mark.parametrize("mode", MODES)
def test_a_client_of_wrangler_dev_sees_the_same(theirs: Arm, mode: str) -> None:
    assert seen(theirs, mode) == EXPECTED[mode]


def test_every_path_has_its_expectation() -> None:
    for mode in MODES:
        assert {case.removesuffix(NAVIGATED) for case in EXPECTED[mode]} == {
            *paths(mode)
        }
    assert set(FILE_PATHS) <= set(EXPECTED[FIRST_MODE])
