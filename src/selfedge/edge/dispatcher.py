"""The Worker of ours that hands events to a Worker in the same process: pure."""

from collections.abc import Mapping
from importlib.resources import files

from selfedge.edge.entry import ENTRYPOINT
from selfedge.types import Struct

DISPATCHER_NAME = "selfedge-dispatcher.js"
_DATE = "2026-01-01"
_FLAG = "service_binding_extra_handlers"
"""Lets a service binding send events. It is experimental in the engine, and never
given to Workers of users."""


def dispatch_socket(part: str) -> str:
    """Return the name of the private socket to the dispatcher of `part`."""
    return f"dispatch:{part}"


def dispatcher(part: str, worker: str) -> Mapping[str, Struct]:
    """Return the socket and the service that hand events to the service `worker`."""
    service = f"dispatcher:{part}"
    source = files("selfedge.edge").joinpath("dispatcher.js").read_text()
    target = {"name": worker, "entrypoint": ENTRYPOINT}
    return {
        "socket": {
            "name": dispatch_socket(part),
            "http": {},
            "service": {"name": service},
        },
        "service": {
            "name": service,
            "worker": {
                "modules": [{"name": DISPATCHER_NAME, "esModule": source}],
                "compatibilityDate": _DATE,
                "compatibilityFlags": [_FLAG],
                "bindings": [{"name": "WORKER", "service": target}],
            },
        },
    }
