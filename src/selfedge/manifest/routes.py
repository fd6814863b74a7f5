"""Hostnames of the routes that a wrangler file names."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from selfedge.manifest.config import Config, RouteEntry


def hosts(config: Config) -> tuple[str, ...]:
    """Return the hostnames of `route` or `routes`, each once, without wildcards."""
    routes: Iterable[str | RouteEntry] = config.routes
    if config.route:
        routes = (config.route, *config.routes)
    patterns = (route if isinstance(route, str) else route.pattern for route in routes)
    found = (_host(pattern) for pattern in patterns)
    return tuple(dict.fromkeys(host for host in found if host))


def _host(pattern: str) -> str | None:
    """Return the host of `pattern`; None when it matches every host."""
    bare = pattern.removeprefix("https://").removeprefix("http://")
    if bare.startswith("*/"):
        return None
    bare = bare.replace("*.", "").replace("*", "")
    try:
        return urlsplit(f"//{bare}").hostname
    except ValueError:
        return None
