"""A Worker sees the same R2 from `selfedge dev` as from `wrangler dev`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from r2_arms import PROJECT, Arm, under_wrangler_dev

from harness import Nodes

EXPECTED: dict[str, Any] = json.loads(
    Path(__file__).with_name("behaviour.json").read_text()
)
"""What the Worker sees in each case of behaviour.js."""

UNEVEN = "completeMultipartUpload: There was a problem with the multipart upload."
ONLY_WRANGLER: dict[str, Any] = {
    # it does not keep storage classes
    "storage_class": ["", ""],
    # it deletes any number of keys, while R2 documents a limit of 1000
    "delete_too_many": [False, {"keys": [], "prefixes": [], "truncated": False}],
    # ours says what is wrong with the parts
    "uploads_that_break_the_rules": [
        [
            f"{UNEVEN} (10048)" if text.startswith(UNEVEN) else text
            for text in EXPECTED["uploads_that_break_the_rules"][0]
        ],
        None,
    ],
}


@pytest.fixture(scope="module")
def ours(shared_dev: Nodes) -> Arm:
    return Arm(shared_dev(PROJECT).url)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm]:
    with under_wrangler_dev(tmp_path_factory.mktemp("wrangler")) as arm:
        yield arm


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_on_selfedge_sees(ours: Arm, case: str) -> None:
    assert ours.run(case) == EXPECTED[case]


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_on_wrangler_dev_sees(theirs: Arm, case: str) -> None:
    assert theirs.run(case) == ONLY_WRANGLER.get(case, EXPECTED[case])


def test_every_case_has_its_expectation(ours: Arm) -> None:
    assert ours.run("") == list(EXPECTED)
