"""The keys of a wrangler file that only count where a Worker is deployed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from selfedge.manifest.config import RouteEntry
from selfedge.manifest.document import parse, plain
from selfedge.manifest.environment import select
from selfedge.manifest.mistake import mistake_among


class _Triggers(msgspec.Struct, frozen=True):
    crons: tuple[str, ...] | None = None


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """How a Worker is deployed, and what reaches it; None: not said."""

    route: str | RouteEntry | None = None
    routes: tuple[str | RouteEntry, ...] = ()
    triggers: _Triggers = _Triggers()
    workers_dev: bool | None = None
    preview_urls: bool | None = None
    keep_vars: bool = False
    limits: dict[str, int] | None = None
    placement: dict[str, Any] | None = None
    observability: dict[str, Any] | None = None
    logpush: bool | None = None
    tail_consumers: tuple[dict[str, Any], ...] | None = None

    @property
    def entries(self) -> Sequence[RouteEntry]:
        """All routes and custom domains, as tables."""
        given = [self.route, *self.routes] if self.route else self.routes
        return [
            RouteEntry(pattern=one) if isinstance(one, str) else one
            for one in given
            if one is not None
        ]

    @property
    def has_own_name(self) -> bool:
        """Whether the Worker is reached by its name: by wrangler's rule."""
        return not self.entries if self.workers_dev is None else self.workers_dev

    def version_keys(self) -> Mapping[str, object]:
        """Return what the metadata of an upload says of all this."""
        said = {
            "limits": self.limits,
            "placement": self.placement,
            "observability": self.observability or {"enabled": False},
            "logpush": self.logpush,
            "tail_consumers": self.tail_consumers,
        }
        return {name: value for name, value in said.items() if value is not None}


def read_deployment(path: Path, environment: str | None) -> Deployment:
    """Return what the wrangler file at `path` says for one environment.

    Raises:
        ManifestError: the file is missing, malformed or wrong.
    """
    selection = select(parse(path), environment or None, path)
    values = {name: plain(value) for name, value in selection.values.items()}
    try:
        return msgspec.convert(values, Deployment)
    except msgspec.ValidationError as error:
        raise mistake_among(error, selection.pointers, path) from error
