"""Runs each test of the storage contract against each engine."""

import pytest
from storage_engines import ENGINES, Engine


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Open a storage in a folder."""
    return ENGINES[request.param]
