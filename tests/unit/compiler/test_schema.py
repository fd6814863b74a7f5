"""What the compiler makes, the engine's own schema takes."""

import json
import os
from pathlib import Path

import pytest

from selfedge.compiler.problem import problem_config
from selfedge.edge.problem import Problem
from selfedge.errors import EngineError
from selfedge.settings import cache_dir
from selfedge.workerd.config import encode
from selfedge.workerd.install import engine

CASES = Path(__file__).parents[2] / "golden" / "compiler" / "cases"
CONFIGS = [
    (path.stem, json.loads(text))
    for path in sorted(CASES.glob("*.txt"))
    if (text := path.read_text().partition("=" * 72 + "\n")[2]).startswith("{")
]


@pytest.fixture(scope="session")
def schema():
    return engine(cache_dir(), os.environ).schema


@pytest.mark.parametrize("case", CONFIGS, ids=lambda case: case[0])
def test_every_golden_config_fits(case, schema):
    config = case[1]["config"]
    assert encode(config, schema) == encode(config, schema) != b""


def test_a_config_that_shows_a_problem_fits(schema):
    problem = Problem(where="w", title="t", detail="d")
    assert encode(problem_config(problem), schema)


def test_a_config_that_does_not_fit_is_our_fault(schema):
    with pytest.raises(EngineError, match="refuses our config"):
        encode({"services": [{"nonsense": 1}]}, schema)
