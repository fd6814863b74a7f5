"""The Worker's global fetch → our gate → the internet or a mapped origin."""

import json
from importlib.resources import files
from urllib.parse import urlsplit

from selfedge.binding import Fragment, Row, Site
from selfedge.bindings.outbound.config import Outbound
from selfedge.types import Struct

_DATE = "2026-10-01"
_INTERNET: Struct = {
    "name": "internet",
    "network": {"allow": ["public"], "tlsOptions": {"trustBrowserCas": True}},
}


def compile_outbound(entry: Outbound, site: Site) -> Fragment:  # noqa: ARG001
    """Return the gate as `globalOutbound`, with one service for each origin."""
    origins = dict(site.origins)
    own = {}
    if site.upstream:
        own = dict.fromkeys(site.own_hosts, site.upstream)
    routes = {**own, **origins}
    urls = sorted(set(routes.values()))
    gate = _gate(routes, urls, site)
    rows = [Row(name=host, kind="origin", detail=url) for host, url in origins.items()]
    if site.upstream:
        rows.append(Row(name="(own host)", kind="upstream", detail=site.upstream))
    return Fragment(
        worker={"globalOutbound": {"name": gate["name"]}},
        services=[_INTERNET, gate, *map(_origin, urls)],
        rows=rows,
    )


def _gate(routes: dict[str, str], urls: list[str], site: Site) -> Struct:
    source = files("selfedge.bindings.outbound").joinpath("worker.js").read_text()
    names = {url: f"origin{index}" for index, url in enumerate(urls)}
    config = {
        "routes": {
            host: {"url": url.rstrip("/"), "service": names[url]}
            for host, url in routes.items()
        },
        "ownHosts": list(site.own_hosts),
    }
    bindings: list[Struct] = [
        {"name": "config", "json": json.dumps(config)},
        {"name": "internet", "service": {"name": "internet"}},
    ]
    bindings += [
        {"name": name, "service": {"name": f"origin:{url}"}}
        for url, name in names.items()
    ]
    return {
        "name": f"outbound:{site.worker}",
        "worker": {
            "modules": [{"name": "selfedge-outbound.js", "esModule": source}],
            "compatibilityDate": _DATE,
            "bindings": bindings,
        },
    }


def _origin(url: str) -> Struct:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    external: Struct = {"address": f"{host}:{port}", "http": {}}
    if secure:
        external = {
            "address": f"{host}:{port}",
            "https": {
                "options": {},
                "tlsOptions": {"trustBrowserCas": True},
                "certificateHost": parts.hostname,
            },
        }
    return {"name": f"origin:{url}", "external": external}
