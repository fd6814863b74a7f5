"""Fixtures of all tests that run nodes; a conftest.py imports them by name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.node import Nodes
from harness.serve import ServeNodes


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


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[ServeNodes]:
    """Start nodes of `selfedge serve` that end with the test."""
    nodes = ServeNodes(tmp_path)
    try:
        yield nodes
    finally:
        nodes.close()


@pytest.fixture(scope="module")
def shared_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeNodes]:
    """Start nodes of `selfedge serve` that end with the module's last test."""
    nodes = ServeNodes(tmp_path_factory.mktemp("served"))
    try:
        yield nodes
    finally:
        nodes.close()
