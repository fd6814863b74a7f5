"""Where a node keeps the events of Workers, and of which."""

import time

from selfedge.catalog.store import Catalog
from selfedge.node.options import ServeOptions
from selfedge.telemetry.hub import Script
from selfedge.telemetry.logs.store import LogStore
from selfedge.telemetry.sampling import kept_share
from selfedge.types import Notice


def logs_of(options: ServeOptions, notice: Notice) -> LogStore:
    """Return the logs in the data directory."""
    return LogStore(options.data / "logs/workers", options.logs, time.time, notice)


def kept(catalog: Catalog, script: Script) -> float:
    """Return the share of a Worker's events that is kept, as its settings say."""
    account = catalog.state.accounts.get(script[0])
    found = account.scripts.get(script[1]) if account else None
    return kept_share(found.settings.observability) if found else 0.0
