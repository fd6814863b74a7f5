"""What a node is to run, as immutable values; times are ISO 8601 in UTC."""

from collections.abc import Mapping
from typing import Any

import msgspec

ADMIN, DEPLOY, READ = "admin", "deploy", "read"
"""Scopes of a token: all, all but accounts and tokens, nothing that changes."""


class StoredModule(msgspec.Struct, frozen=True, kw_only=True):
    """A module of a version; its bytes are in the store, under their sha256."""

    name: str  # as imports name it, without a leading "./"
    type: str  # arm of Worker.Module in workerd.capnp: "esModule", "wasm", …
    sha256: str
    size_bytes: int


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """The static files of a version."""

    files: Mapping[str, str]  # "/index.html" → hash, as wrangler makes it
    config: Mapping[str, Any]  # html_handling, not_found_handling, _headers, …


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One upload of a Worker; it never changes."""

    id: str  # UUID
    number: int  # from 1, counted per script
    created_on: str
    source: str  # "wrangler", "api", "secret"
    author: str  # name of the token
    main_module: str | None  # None: assets only
    modules: tuple[StoredModule, ...] = ()  # the main one first
    source_map: str | None = None  # sha256 of the main module's
    exports: tuple[str, ...] = ()  # of the main module, "default" included
    handlers: tuple[str, ...] = ()  # of its default export: "fetch", "queue", …
    named_handlers: Mapping[str, tuple[str, ...]] = {}
    """Of its other exports, by their names; of a class: "class"."""
    bindings: tuple[Mapping[str, Any], ...] = ()
    """As in an upload's metadata, `inherit` resolved; a `secret_text` has, in place of
    `text`, `secret`: the id of its sealed value in the store."""
    compatibility_date: str
    compatibility_flags: tuple[str, ...] = ()
    limits: Mapping[str, int] = {}  # cpu_ms, subrequests
    placement: Mapping[str, Any] = {}
    annotations: Mapping[str, str] = {}  # "workers/message", "workers/tag", …
    assets: Assets | None = None
    startup_ms: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a version when it was started aside."""

    startup_ms: int
    handlers: Mapping[str, tuple[str, ...]] = {}  # by export, "default" included


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A version's part of the traffic."""

    version_id: str
    percentage: float


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions clients reach."""

    id: str  # UUID
    created_on: str
    source: str
    author: str
    versions: tuple[Share, ...]  # one, or two whose percentages make 100
    annotations: Mapping[str, str] = {}


class ScriptRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern whose requests reach the Worker: "example.com/api/*"."""

    id: str
    pattern: str
    zone_id: str


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A hostname that is the Worker's alone."""

    id: str
    hostname: str
    zone_id: str


class WorkersDev(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the Worker has a name of its own below the node's workers domain."""

    enabled: bool = True
    previews_enabled: bool = False


class ScriptSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is of a script, not of one of its versions."""

    observability: Mapping[str, Any] = msgspec.field(
        default_factory=lambda: {"enabled": False}
    )
    logpush: bool = False
    tags: tuple[str, ...] = ()
    tail_consumers: tuple[Mapping[str, Any], ...] = ()


class ScriptState(msgspec.Struct, frozen=True, kw_only=True):
    """One Worker."""

    name: str
    tag: str  # 32 hex digits that never change, also when the name is used again
    created_on: str
    modified_on: str
    versions: tuple[str, ...] = ()  # ids, oldest first
    deployments: tuple[Deployment, ...] = ()  # newest first; none: never deployed
    migration_tag: str | None = None
    migrations: tuple[Mapping[str, Any], ...] = ()
    """All that were applied, in the form of a wrangler file's `migrations` table."""
    routes: tuple[ScriptRoute, ...] = ()
    domains: tuple[Domain, ...] = ()
    schedules: tuple[str, ...] = ()  # cron expressions
    workers_dev: WorkersDev = WorkersDev()
    settings: ScriptSettings = ScriptSettings()


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A domain that the operator answers for, and what stands behind the Workers."""

    id: str
    name: str  # "example.com"
    created_on: str
    origin: str | None = None  # "http://10.0.0.7:3000"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account: it shares nothing with others."""

    id: str  # 32 hex digits
    name: str
    subdomain: str  # NAME.SUBDOMAIN.<workers domain>
    created_on: str
    scripts: Mapping[str, ScriptState] = {}
    zones: Mapping[str, Zone] = {}  # by id
    private_outbound: bool = False  # its Workers may reach private addresses


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """Who may call the API; the token itself is nowhere."""

    id: str  # 32 hex digits
    name: str
    hash: str  # hex of sha256 of the token
    scope: str  # ADMIN, DEPLOY or READ
    account: str | None  # None: all accounts
    created_on: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The whole catalog at one revision."""

    revision: int = 0
    accounts: Mapping[str, Account] = {}  # by id
    tokens: Mapping[str, Token] = {}  # by id
