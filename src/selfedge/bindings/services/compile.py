"""A service binding → the other Worker's service in the same process."""

import json
from importlib.resources import files

from selfedge.binding import RPC_HOST, Fragment, Row, Site, Way, props_text
from selfedge.bindings.services.config import Service
from selfedge.types import Struct

_ABSENT_DATE = "2026-01-01"


def compile_service(entry: Service, site: Site) -> Fragment:
    """Return the binding; a Worker that is not in this run throws when called."""
    script = entry.service
    if entry.environment:
        script = f"{script}-{entry.environment}"
    way = Way(script, entry.entrypoint or None, props_text(entry.props))
    if address := site.elsewhere.get(way):
        return _remote(entry.binding, way, address)
    designator: Struct = {"name": site.worker_service(script)}
    if entry.entrypoint:
        designator["entrypoint"] = entry.entrypoint
    if entry.props is not None:
        designator["props"] = {"json": json.dumps(entry.props)}
    detail = f"{script}#{entry.entrypoint}" if entry.entrypoint else script
    services: list[Struct] = []
    if script not in site.workers:
        absent = _absent(entry.binding, script, site)
        designator = {"name": absent["name"]}
        services.append(absent)
        detail += (
            "  (not here)" if site.front else "  (not in this run: add its --config)"
        )
    return Fragment(
        bindings=[{"name": entry.binding, "service": designator}],
        services=services,
        rows=[Row(name=f"env.{entry.binding}", kind="service", detail=detail)],
    )


def _remote(binding: str, way: Way, address: str) -> Fragment:
    """Return a binding to a Worker in another process, HTTP and RPC.

    The props are at the other end: each way has a socket of its own.
    """
    place = f"{way.script}#{way.entrypoint}" if way.entrypoint else way.script
    service = {
        "name": f"elsewhere:{address}",
        "external": {"address": address, "http": {"capnpConnectHost": RPC_HOST}},
    }
    return Fragment(
        bindings=[{"name": binding, "service": {"name": service["name"]}}],
        services=[service],
        rows=[Row(name=f"env.{binding}", kind="service", detail=place)],
    )


def _absent(binding: str, script: str, site: Site) -> Struct:
    """Return a service that throws an Error with the remedy."""
    source = files("selfedge.bindings.services").joinpath("worker.js").read_text()
    message = (
        f"env.{binding}: the Worker {script!r} is not part of this run. "
        "Add it: selfedge dev --config wrangler.toml --config ../OTHER/wrangler.toml"
    )
    if site.front:
        message = (
            f"env.{binding}: this account has no Worker {script!r}. Deploy it, "
            "and then this Worker again."
        )
    return {
        "name": f"absent:{binding}:{script}",
        "worker": {
            "modules": [{"name": "selfedge-absent.js", "esModule": source}],
            "compatibilityDate": _ABSENT_DATE,
            "bindings": [{"name": "message", "text": message}],
        },
    }
