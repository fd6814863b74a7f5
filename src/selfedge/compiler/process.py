"""The graph of one process → the engine's config for it: pure."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from selfedge.binding import (
    CF_HEADER,
    IDENTITY_HEADER,
    PROTO_HEADER,
    RPC_HOST,
    Backend,
    Site,
)
from selfedge.bundle.model import Module
from selfedge.compiler.calls import with_routers
from selfedge.compiler.graph import Part
from selfedge.edge.dispatcher import dispatcher
from selfedge.edge.entry import ASSETS, CONTROL, ENTRYPOINT, entrance, with_edge
from selfedge.edge.tail import KIND as TAIL_KIND
from selfedge.edge.tail import tail_name, tail_service
from selfedge.manifest.compatibility import without_defaults
from selfedge.types import Struct

CLIENT_SOCKET = "client"
FORWARD_SOCKET = "forward"
_RPC: Mapping[str, object] = {"capnpConnectHost": RPC_HOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """An entrypoint of a Worker that other processes call."""

    socket: str  # its name in the config
    service: str  # the part's name
    entrypoint: str | None  # None: the default export
    props: str = ""  # what its `ctx.props` is, as JSON; "": nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What is different for a process behind the front of a node."""

    clients: Mapping[str, str]  # name of a socket → the part that answers there
    entrances: Sequence[Entrance] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a process stands: the sockets around it, and its edge's choices."""

    services: str  # address of our services: "unix:/…"
    successor: str  # address of the process that will take over
    scheme: str  # that clients use: "http"
    edge: Mapping[str, object]  # config of edge.js
    behind: Behind | None = None  # None: clients connect to the process itself
    tailed: Collection[str] = ()  # parts whose invocations our Python side hears of
    dispatched: Collection[str] = ()  # parts that take events, each at its socket


def control_socket(script: str) -> str:
    """Return the name of the private socket to the edge of `script`."""
    return f"control:{script}"


def process_config(parts: Sequence[Part], placement: Placement) -> Struct:
    """Return the engine's config; clients reach the first of `parts`."""
    config = {
        "services": _services(parts, placement),
        "sockets": _sockets(parts, placement),
        "extensions": _once(
            extension
            for item in parts
            for fragment in item.fragments
            for extension in fragment.extensions
        ),
        "logging": {"structuredLogging": True},
    }
    return with_routers(config, parts)


def backends(parts: Sequence[Part]) -> frozenset[str]:
    """Return the identities that the process may use: what our server checks."""
    edges = {_edge_backend(item.name).service for item in parts}
    bound = {backend.service for item in parts for backend in item.backends}
    fired = {
        Backend(kind=trigger.kind, resource=trigger.script).service
        for item in parts
        for trigger in item.triggers
    }
    tails = {_tail_backend(item.name).service for item in parts}
    return frozenset(edges | bound | fired | tails)


def _services(parts: Sequence[Part], placement: Placement) -> list[Struct]:
    workers = [_worker(item, parts, placement) for item in parts]
    fragments = [fragment for item in parts for fragment in item.fragments]
    externals = [
        _external(backend, placement)
        for backend in [
            *(_edge_backend(item.name) for item in parts),
            *(_tail_backend(name) for name in placement.tailed),
            *(backend for fragment in fragments for backend in fragment.backends),
        ]
    ]
    successor = {
        "name": "successor",
        "external": {
            "address": placement.successor,
            "http": {"cfBlobHeader": CF_HEADER},
        },
    }
    extra = (service for fragment in fragments for service in fragment.services)
    dispatchers = [one["service"] for one in _dispatchers(placement)]
    tails = [
        tail_service(
            item.name, _tail_backend(item.name).service, assets=_has_assets(item)
        )
        for item in parts
        if item.name in placement.tailed
    ]
    return _named_once([*workers, *externals, successor, *dispatchers, *tails, *extra])


def _sockets(parts: Sequence[Part], placement: Placement) -> list[Struct]:
    behind = placement.behind
    controls = [
        *(_socket(control_socket(item.name), item.name, CONTROL, {}) for item in parts),
        *(one["socket"] for one in _dispatchers(placement)),
    ]
    if behind is None:
        return [*_own_sockets(parts[0].name, placement.scheme), *controls]
    http = {"cfBlobHeader": CF_HEADER, "forwardedProtoHeader": PROTO_HEADER}
    return [
        *(
            _socket(socket, name, ENTRYPOINT, http)
            for socket, name in behind.clients.items()
        ),
        *(_entrance(way, {**http, **_RPC}) for way in behind.entrances),
        *controls,
    ]


def _dispatchers(placement: Placement) -> list[Mapping[str, Struct]]:
    return [
        dispatcher(name, Site.worker_service(name)) for name in placement.dispatched
    ]


def _own_sockets(name: str, scheme: str) -> list[Struct]:
    """Return the sockets of a process that meets its clients itself."""
    constant = client_headers(scheme)
    forward = {"injectRequestHeaders": constant, "cfBlobHeader": CF_HEADER}
    return [
        _socket(CLIENT_SOCKET, name, ENTRYPOINT, {"injectRequestHeaders": constant}),
        _socket(FORWARD_SOCKET, name, ENTRYPOINT, forward),
    ]


def client_headers(scheme: str) -> list[Struct]:
    """Return the headers that every request of a listener has."""
    return [
        {"name": "cdn-loop", "value": "selfedge"},
        {"name": "cf-visitor", "value": f'{{"scheme":"{scheme}"}}'},
        {"name": "x-forwarded-proto", "value": scheme},
    ]


def _socket(
    name: str, part: str, entrypoint: str | None, http: Mapping[str, object]
) -> Struct:
    service = {"name": Site.worker_service(part)}
    if entrypoint is not None:
        service["entrypoint"] = entrypoint
    return {"name": name, "http": dict(http), "service": service}


def _entrance(way: Entrance, http: Mapping[str, object]) -> Struct:
    socket = _socket(way.socket, way.service, entrance(way.entrypoint), http)
    if way.props:
        socket["service"]["props"] = {"json": way.props}
    return socket


def _worker(item: Part, parts: Sequence[Part], placement: Placement) -> Struct:
    manifest = item.script.manifest
    tailed = item.name in placement.tailed
    told = {**placement.edge, **({"tailed": True} if tailed else {})}
    edge: list[Struct] = [
        {"name": "selfedge:config", "json": json.dumps(told)},
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
        "modules": [
            _module(module)
            for module in with_edge(item.script.bundle, _called(item, placement))
        ],
        "compatibilityDate": manifest.compatibility_date,
        "compatibilityFlags": list(
            without_defaults(
                manifest.compatibility_flags,
                compatibility_date=manifest.compatibility_date,
            )
        ),
        "bindings": [*edge, *bindings],
    }
    if tailed:
        worker["tails"] = [{"name": tail_name(item.name)}]
    return {
        "name": Site.worker_service(item.name),
        "worker": _merged(worker, [*own, *given]),
    }


def _called(item: Part, placement: Placement) -> list[str | None]:
    """Return the entrypoints of a part that other processes call."""
    ways = placement.behind.entrances if placement.behind else ()
    called = (way.entrypoint for way in ways if way.service == item.name)
    return list(dict.fromkeys(called))


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


def _has_assets(item: Part) -> bool:
    """Whether static files stand before the code."""
    bound = (one for fragment in item.fragments for one in fragment.bindings)
    return any(one["name"] == ASSETS for one in bound)


def _tail_backend(part: str) -> Backend:
    return Backend(kind=TAIL_KIND, resource=part)


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
