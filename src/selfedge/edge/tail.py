"""The Worker that hears of each invocation of another: pure."""

from importlib.resources import files

from selfedge.types import Struct

KIND = "tail"
"""Kind of the backend to which it passes what it hears."""

_DATE = "2026-10-01"


def tail_name(part: str) -> str:
    """Return the name of the tail's service beside a part."""
    return f"tails:{part}"


def tail_service(part: str, backend: str, *, assets: bool) -> Struct:
    """Return the service; `backend` is that of our Python side.

    `assets`: static files stand before the code, and their answers are no invocations.
    """
    source = files("selfedge.edge").joinpath("tail.js").read_text()
    return {
        "name": tail_name(part),
        "worker": {
            "modules": [{"name": "selfedge-tail.js", "esModule": source}],
            "compatibilityDate": _DATE,
            "bindings": [
                {"name": "service", "service": {"name": backend}},
                {"name": "assets", "json": "true" if assets else "false"},
            ],
        },
    }
