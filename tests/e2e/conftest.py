"""End-to-end tests run the real command; all of them are slow."""

from pathlib import Path

import pytest

from harness.fixtures import dev, serve, shared_dev, shared_serve

__all__ = ["dev", "serve", "shared_dev", "shared_serve"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is collected here: each test takes about a second."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)
