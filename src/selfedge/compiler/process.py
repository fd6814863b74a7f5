"""The graph of one process → the engine's config for it: pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from selfedge.binding import IDENTITY_HEADER, Backend, Site
from selfedge.bundle.model import Module
from selfedge.compiler.graph import Part
from selfedge.edge.entry import CONTROL, ENTRYPOINT, with_edge
from selfedge.manifest.compatibility import without_defaults
from selfedge.types import Struct

CLIENT_SOCKET = "client"
FORWARD_SOCKET = "forward"
_CF_HEADER = "selfedge-cf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a process stands: the sockets around it, and its edge's choices."""

    services: str  # address of our services: "unix:/…"
    successor: str  # address of the process that will take over
    scheme: str  # that clients use: "http"
    edge: Mapping[str, object]  # config of edge.js


def control_socket(script: str) -> str:
    """Return the name of the private socket to the edge of `script`."""
    return f"control:{script}"


def process_config(parts: Sequence[Part], placement: Placement) -> Struct:
    """Return the engine's config; clients reach the first of `parts`."""
    services = _services(parts, placement)
    return {
        "services": services,
        "sockets": _sockets(parts, placement),
        "extensions": _once(
            extension
            for item in parts
            for fragment in item.fragments
            for extension in fragment.extensions
        ),
        "logging": {"structuredLogging": True},
    }


def backends(parts: Sequence[Part]) -> frozenset[str]:
    """Return the identities that the process may use: what our server checks."""
    edges = {_edge_backend(item.name).service for item in parts}
    bound = {backend.service for item in parts for backend in item.backends}
    return frozenset(edges | bound)


def _services(parts: Sequence[Part], placement: Placement) -> list[Struct]:
    workers = [_worker(item, parts, placement) for item in parts]
    fragments = [fragment for item in parts for fragment in item.fragments]
    externals = [
        _external(backend, placement)
        for backend in [
            *(_edge_backend(item.name) for item in parts),
            *(backend for fragment in fragments for backend in fragment.backends),
        ]
    ]
    successor = {
        "name": "successor",
        "external": {
            "address": placement.successor,
            "http": {"cfBlobHeader": _CF_HEADER},
        },
    }
    extra = (service for fragment in fragments for service in fragment.services)
    return _named_once([*workers, *externals, successor, *extra])


def _sockets(parts: Sequence[Part], placement: Placement) -> list[Struct]:
    first = {"name": Site.worker_service(parts[0].name), "entrypoint": ENTRYPOINT}
    constant = [
        {"name": "cdn-loop", "value": "selfedge"},
        {"name": "cf-visitor", "value": f'{{"scheme":"{placement.scheme}"}}'},
        {"name": "x-forwarded-proto", "value": placement.scheme},
    ]
    client = {
        "name": CLIENT_SOCKET,
        "http": {"injectRequestHeaders": constant},
        "service": first,
    }
    forward = {
        "name": FORWARD_SOCKET,
        "http": {"injectRequestHeaders": constant, "cfBlobHeader": _CF_HEADER},
        "service": first,
    }
    controls = [
        {
            "name": control_socket(item.name),
            "http": {},
            "service": {
                "name": Site.worker_service(item.name),
                "entrypoint": CONTROL,
            },
        }
        for item in parts
    ]
    return [client, forward, *controls]


def _worker(item: Part, parts: Sequence[Part], placement: Placement) -> Struct:
    manifest = item.script.manifest
    edge: list[Struct] = [
        {"name": "selfedge:config", "json": json.dumps(dict(placement.edge))},
        {
            "name": "selfedge:service",
            "service": {"name": _edge_backend(item.name).service},
        },
        {"name": "selfedge:next", "service": {"name": "successor"}},
    ]
    own = [fragment.worker for fragment in item.fragments]
    given = [
        fragment.others[item.name]
        for other in parts
        for fragment in other.fragments
        if item.name in fragment.others
    ]
    bindings = [b for fragment in item.fragments for b in fragment.bindings]
    worker: Struct = {
        "modules": [_module(module) for module in with_edge(item.script.bundle)],
        "compatibilityDate": manifest.compatibility_date,
        "compatibilityFlags": list(
            without_defaults(
                manifest.compatibility_flags,
                compatibility_date=manifest.compatibility_date,
            )
        ),
        "bindings": [*edge, *bindings],
    }
    return {
        "name": Site.worker_service(item.name),
        "worker": _merged(worker, [*own, *given]),
    }


def _merged(worker: Struct, additions: Iterable[Mapping[str, object]]) -> Struct:
    """Join lists, let other fields replace; a class is hosted once, first wins."""
    merged = dict(worker)
    for addition in additions:
        for field, value in addition.items():
            if isinstance(value, list):
                merged[field] = [*merged.get(field, []), *value]
            else:
                merged[field] = value
    if hosted := merged.get("durableObjectNamespaces"):
        first = {space["className"]: space for space in reversed(hosted)}
        merged["durableObjectNamespaces"] = list(first.values())
    return merged


def _module(module: Module) -> Struct:
    if module.type in {"data", "wasm"}:
        return {"name": module.name, module.type: module.content}
    return {"name": module.name, module.type: module.content.decode()}


def _edge_backend(script: str) -> Backend:
    return Backend(kind="edge", resource=script)


def _external(backend: Backend, placement: Placement) -> Struct:
    identity = {"name": IDENTITY_HEADER, "value": backend.service}
    return {
        "name": backend.service,
        "external": {
            "address": placement.services,
            "http": {**backend.http, "injectRequestHeaders": [identity]},
        },
    }


def _named_once(services: Iterable[Struct]) -> list[Struct]:
    by_name: dict[str, Struct] = {}
    for service in services:
        by_name.setdefault(service["name"], service)
    return list(by_name.values())


def _once(items: Iterable[Struct]) -> list[Struct]:
    kept: list[Struct] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept
