"""A process that answers every request with what is wrong: pure."""

import json
from importlib.resources import files

from selfedge.compiler.process import CLIENT_SOCKET, FORWARD_SOCKET
from selfedge.edge.problem import Problem
from selfedge.types import Struct

_DATE = "2026-10-01"


def problem_config(problem: Problem) -> Struct:
    """Return the engine's config of a Worker that shows `problem`."""
    source = files("selfedge.compiler").joinpath("problem.js").read_text()
    answers = {
        "html": problem.answer("text/html"),
        "json": problem.answer("application/json"),
        "text": problem.answer(""),
    }
    worker = {
        "modules": [{"name": "selfedge-problem.js", "esModule": source}],
        "compatibilityDate": _DATE,
        "bindings": [{"name": "answers", "json": json.dumps(answers)}],
    }
    service = {"name": "problem"}
    return {
        "services": [{"name": "problem", "worker": worker}],
        "sockets": [
            {"name": name, "http": {}, "service": service}
            for name in (CLIENT_SOCKET, FORWARD_SOCKET)
        ],
        "logging": {"structuredLogging": True},
    }
