"""The contract that every binding folder fulfils."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NamedTuple,
    Protocol,
    TypeAlias,
    TypeVar,
    runtime_checkable,
)
from urllib.parse import quote

from selfedge.settings import Settings
from selfedge.sharing import Shared
from selfedge.storage.contract import Storage
from selfedge.telemetry.histogram import Histogram
from selfedge.types import Clock, Notice, Struct

if TYPE_CHECKING:  # aiohttp takes a third of a second to import; compiling needs none
    from aiohttp.web import BaseRequest, StreamResponse

C = TypeVar("C")

IDENTITY_HEADER = "selfedge-binding"
"""Injected by the engine on each call to a service of ours; users cannot set it."""

CF_HEADER = "selfedge-cf"
"""Carries `request.cf` between processes; removed from what clients send."""

PROTO_HEADER = "selfedge-proto"
"""Carries the scheme that a client used between processes; the engine sets it."""

RPC_HOST = "rpc"
"""The name under which processes reach each other's Workers (`capnpConnectHost`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A resource behind a service of ours, reached by the engine over HTTP."""

    kind: str  # the binding's kind: "kv"
    resource: str  # what it is within its kind: a namespace id, an index name
    http: Mapping[str, object] = field(default_factory=dict)  # further HttpOptions

    @property
    def service(self) -> str:
        """Name of the engine's service for it, and its identity on the wire."""
        return f"{self.kind}:{quote(self.resource, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table that `selfedge dev` prints."""

    name: str  # "env.KV"
    kind: str  # "KV namespace"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What starts a Worker besides its clients: a queue, or a time."""

    kind: str  # of the binding whose service fires it
    script: str
    settings: Any  # what only that binding understands


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """What one entry of a binding's table adds to a Worker.

    Structs are those of `workerd.capnp`, as dicts.
    """

    bindings: Sequence[Struct] = ()  # Worker.bindings
    worker: Mapping[str, object] = field(default_factory=dict)  # lists are joined
    others: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict
    )  # the same for other Workers of the run, by script name
    services: Sequence[Struct] = ()  # Config.services; a name stands once
    extensions: Sequence[Struct] = ()  # Config.extensions; likewise
    router: str | None = None  # one of `services`: calls to the Worker pass it first
    backends: Sequence[Backend] = ()  # become `external` services
    needs: Sequence[str] = ()  # scripts that must run in the same process
    triggers: Sequence[Trigger] = ()  # what starts the Worker; told to its service
    rows: Sequence[Row] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFiles:
    """The static files of a Worker, as they are on disk."""

    folder: str  # absolute
    headers: str = ""  # text of `_headers`
    redirects: str = ""  # of `_redirects`
    ignore: str = ""  # of `.assetsignore`
    has_code: bool  # False: there is no Worker behind them
    compatibility_date: str
    compatibility_flags: Sequence[str] = ()


class Way(NamedTuple):
    """How a Worker calls another one."""

    script: str
    entrypoint: str | None = None  # None: the default export
    props: str = ""  # what the callee finds in `ctx.props`, as JSON; "": nothing


def props_text(props: object) -> str:
    """Return `props` of a binding as they stand in a `Way`."""
    return "" if props is None else json.dumps(props, sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a Worker is compiled to: what a binding may know of its surroundings."""

    account: str
    worker: str  # the script's name
    workers: frozenset[str]  # all scripts of this run
    objects: str  # folder of all Durable Objects
    secrets: Mapping[str, str] = field(default_factory=dict)  # values, not to be shown
    service: str | None = None  # the engine's service of it, if not by its name
    hosts: bool = True  # it owns its Durable Objects; False: another version here does
    elsewhere: Mapping[Way, str] = field(default_factory=dict)
    """The addresses at which other processes answer."""
    front: str | None = None  # address at which the node answers for its own hosts
    served: Sequence[str] = ()  # domains that the node answers for, with all below
    private: bool = False  # private addresses may be reached, not this machine's own
    version: Mapping[str, str] = field(default_factory=dict)  # id, tag, timestamp
    origins: Mapping[str, str] = field(default_factory=dict)  # hostname → URL
    upstream: str | None = None  # origin behind the Worker's own hosts
    own_hosts: Sequence[str] = ()  # hosts that are the Worker's own
    assets: StaticFiles | None = None

    @staticmethod
    def worker_service(script: str) -> str:
        """Return the engine's service name of `script`."""
        return f"worker:{script}"


def nowhere(script: str) -> Path:
    """Return a path at which nothing takes events."""
    return Path("/nonexistent") / script


def no_triggers() -> Sequence[Trigger]:
    """Return that nothing starts any Worker."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a service is given when a node starts it."""

    storage: Storage
    settings: Settings
    clock: Clock
    notice: Notice  # tells the user one line on the console
    dispatch: Callable[[str], Path] = nowhere
    """Script → the socket at which it takes events (`edge.events.hand`); a sleeping
    process wakes by a connection, and nothing is there while it does not run."""
    triggers: Callable[[], Sequence[Trigger]] = no_triggers
    """What starts Workers now, by their wrangler files or the catalog."""
    shared: Shared = field(default_factory=Shared)
    """What the services of all accounts of a node use together."""


class Service(Protocol):
    """A binding's service at run time; it answers what the engine's client asks."""

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request for `resource`; never raises for bad input."""


@runtime_checkable
class Bindable(Protocol):
    """A service that wants to know what Workers are bound to, before any call."""

    def bound(self, resources: Iterable[str]) -> None:
        """Workers may use `resources` from now on, besides those told before."""


class Figure(NamedTuple):
    """A number of a service, as `telemetry.metrics` declares it."""

    name: str  # without "selfedge_": "ai_under_way"
    of: str  # the model, the index, …
    value: float | Histogram


@runtime_checkable
class Measured(Protocol):
    """A service that has figures of its own."""

    def figures(self) -> Iterable[Figure]:
        """Return them as they are now."""


Serve = Callable[[Context], AbstractAsyncContextManager[Service]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls the control API: what a token stands for."""

    id: str
    name: str  # becomes the author of what it makes
    scope: str  # "admin", "deploy", "read", or "none" where no token is needed
    account: str | None = None  # the only one that it may see; None: all


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the control API, authorised and routed."""

    account: str  # of the path, or "" for a route that names none
    caller: Caller
    path: Mapping[str, str]  # parameters of the route's path, decoded once
    query: Mapping[str, str]
    request: BaseRequest  # for its body and headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list; `info` becomes the envelope's `result_info`."""

    items: object
    info: Mapping[str, object]


Answer = Callable[[Call], Awaitable[object]]
"""Returns what the envelope carries as `result`, a `Page`, or a `StreamResponse`
that is sent as it is. Raises `ApiError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of the control API, below `/client/v4`."""

    method: str
    path: str  # "/accounts/{account}/vectorize/v2/indexes/{index}/insert"; a last
    # "{name...}" takes all segments that are left, with their slashes
    answer: Answer
    needs: str | None = None
    """The least scope of a token: "read", "deploy" or "admin"; "none" if the route
    itself checks who asks. None: "read" for GET and HEAD, else "deploy"."""
    most_bytes: int | None = None  # of a body; None: 100 MiB


Routes = Callable[[Any, Context], Sequence[Route]]
"""(the binding's running service, context) → its routes."""


Check = Callable[[Any, Mapping[str, Any]], Awaitable[None]]
"""(the binding's running service, an entry of an upload) → nothing.
Raises `ApiError` if what the entry names is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """How entries come in the metadata of an upload, where each has a `type`."""

    types: frozenset[str]  # "kv_namespace"
    table: Callable[[Sequence[Mapping[str, Any]]], object]
    """Entries of these types → the table of a wrangler file that says the same.
    Raises KeyError, TypeError or ValueError for a wrong shape."""
    entries: Callable[[object], Sequence[Mapping[str, Any]]] | None = None
    """A table of a wrangler file → the entries that say the same; None: the table
    cannot be deployed. Raises msgspec.ValidationError for a wrong shape."""
    check: str | None = None
    """"module:function", a `Check`; None: entries name nothing that must be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding(Generic[C]):
    """One binding type: how to read it, wire it, serve it and manage it."""

    kind: str  # "kv"
    table: str | None  # its key in the wrangler file: "kv_namespaces"; None: always on
    parse: Callable[[object], Sequence[C]]  # raises msgspec.ValidationError
    compile: Callable[[C, Site], Fragment]
    upload: Upload | None = None  # None: a Worker that is uploaded cannot have it
    serve: str | None = None  # "module:function", a `Serve`; None: workerd does it
    routes: str | None = None  # "module:function", a `Routes`: the control API's
    commands: str | None = None  # "module:group", a click group, loaded by the CLI only
    awake: bool = False  # its service calls Workers by itself: in serve it always runs


AnyBinding: TypeAlias = Binding[Any]
"""One of a list of bindings, whose entries only it understands."""
