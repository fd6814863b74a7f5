"""The engine's config of the front: pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from urllib.parse import urlsplit

from selfedge.binding import CF_HEADER, IDENTITY_HEADER, PROTO_HEADER
from selfedge.types import Struct

CONTROL, FORWARD, INTERNAL = "control:front", "forward", "internal"
"""Names of its private sockets."""

_DATE = "2026-10-01"
_SERVICE = "front"  # its own Worker
_IDENTITY = "front:front"
_HEAP_FLAGS = ("--initial-old-space-size=4", "--max-semi-space-size=4")  # MiB
"""It makes small garbage only: collected early, it needs half the memory."""
_INTERNAL_HEADERS = (
    CF_HEADER,
    IDENTITY_HEADER,
    PROTO_HEADER,
    "selfedge-caller",
    "selfedge-client-ip",
    "selfedge-country",
    "cf-worker",
    "cf-ew-via",
    "true-client-ip",
)
"""Removed from what clients send: only we may set them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate with its key, as PEM."""

    chain: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A socket for clients."""

    socket: str  # its name in the config
    certificate: Certificate | None = None  # None: plain HTTP

    @property
    def scheme(self) -> str:
        """The scheme of its URLs."""
        return "https" if self.certificate else "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPlan:
    """What a front is made of."""

    listeners: Sequence[Listener]
    slots: Mapping[str, str]  # name → address of a process of Workers
    origins: Mapping[str, str]  # name → URL of a zone's origin
    services: str  # address of our services
    trusting: bool = False  # proxies may tell who the client is


def slot_name(number: int) -> str:
    """Return the name of a slot, and of the binding that leads to it."""
    return f"s{number}"


def origin_name(url: str) -> str:
    """Return the name of an origin's service and binding."""
    return f"origin:{url}"


def front_config(plan: FrontPlan, successor: str) -> Struct:
    """Return the config; `successor` is where a newer front listens."""
    http = {"cfBlobHeader": CF_HEADER, "forwardedProtoHeader": PROTO_HEADER}
    slots = [_external(name, address, http) for name, address in plan.slots.items()]
    origins = [_origin(name, url) for name, url in plan.origins.items()]
    identity = {"name": IDENTITY_HEADER, "value": _IDENTITY}
    services = [
        _external("services", plan.services, {"injectRequestHeaders": [identity]}),
        _external("successor", successor, http),
    ]
    return {
        "services": [_worker(plan), *services, *slots, *origins],
        "sockets": [*_client_sockets(plan), *_private_sockets()],
        "logging": {"structuredLogging": True},
        "v8Flags": list(_HEAP_FLAGS),
    }


def _worker(plan: FrontPlan) -> Struct:
    source = files("selfedge.front").joinpath("front.js").read_text()
    reached = {"service": "services", "next": "successor"}
    reached |= {name: name for name in (*plan.slots, *plan.origins)}
    bindings: list[Struct] = [
        {"name": "config", "json": json.dumps({"trusting": plan.trusting})}
    ]
    bindings += [
        {"name": name, "service": {"name": service}}
        for name, service in reached.items()
    ]
    return {
        "name": _SERVICE,
        "worker": {
            "modules": [{"name": "selfedge-front.js", "esModule": source}],
            "compatibilityDate": _DATE,
            "bindings": bindings,
        },
    }


def _client_sockets(plan: FrontPlan) -> list[Struct]:
    sockets = []
    for listener in plan.listeners:
        http = {"injectRequestHeaders": _headers(listener.scheme, plan)}
        socket: Struct = {"name": listener.socket, "service": {"name": _SERVICE}}
        if listener.certificate is None:
            socket["http"] = http
        else:
            keypair = {
                "privateKey": listener.certificate.key,
                "certificateChain": listener.certificate.chain,
            }
            tls = {"keypair": keypair, "minVersion": "tls1Dot2"}
            socket["https"] = {"options": http, "tlsOptions": tls}
        sockets.append(socket)
    return sockets


def _private_sockets() -> list[Struct]:
    forward = {"cfBlobHeader": CF_HEADER, "forwardedProtoHeader": PROTO_HEADER}
    return [
        {"name": FORWARD, "http": forward, "service": {"name": _SERVICE}},
        {
            "name": INTERNAL,
            "http": forward,
            "service": {"name": _SERVICE, "entrypoint": "subrequests"},
        },
        {
            "name": CONTROL,
            "http": {},
            "service": {"name": _SERVICE, "entrypoint": "control"},
        },
    ]


def _headers(scheme: str, plan: FrontPlan) -> list[Struct]:
    headers: list[Struct] = [{"name": name} for name in _INTERNAL_HEADERS]
    headers.append({"name": "cdn-loop", "value": "selfedge"})
    if not plan.trusting:  # else the front says what is true
        visitor = json.dumps({"scheme": scheme}, separators=(",", ":"))
        headers.append({"name": "cf-visitor", "value": visitor})
        headers.append({"name": "x-forwarded-proto", "value": scheme})
    return headers


def _external(name: str, address: str, http: Mapping[str, object]) -> Struct:
    return {"name": name, "external": {"address": address, "http": dict(http)}}


def _origin(name: str, url: str) -> Struct:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    address = f"{host}:{port}"
    if not secure:
        return _external(name, address, {})
    tls = {"trustBrowserCas": True}
    https = {"options": {}, "tlsOptions": tls, "certificateHost": parts.hostname}
    return {"name": name, "external": {"address": address, "https": https}}
