"""Fixtures of all tests that run nodes; a conftest.py imports them by name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.node import Nodes


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Nodes]:
    """Start nodes that end with the test."""
    nodes = Nodes(tmp_path)
    try:
        yield nodes
    finally:
        nodes.close()


@pytest.fixture(scope="module")
def shared_dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Start nodes that end with the module's last test."""
    nodes = Nodes(tmp_path_factory.mktemp("nodes"))
    try:
        yield nodes
    finally:
        nodes.close()
