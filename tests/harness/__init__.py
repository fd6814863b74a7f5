"""Drives the real `selfedge dev` from tests: projects, nodes, origins, load."""

from harness.client import Answer, fetch
from harness.node import Node, Nodes
from harness.origin import Origin
from harness.project import worker

__all__ = ["Answer", "Node", "Nodes", "Origin", "fetch", "worker"]
