"""The Worker's global fetch → our gate → the internet or a mapped origin."""

import json
from importlib.resources import files
from urllib.parse import urlsplit

from selfedge.binding import CF_HEADER, PROTO_HEADER, Fragment, Row, Site
from selfedge.bindings.outbound.config import Outbound
from selfedge.types import Struct

_DATE = "2026-10-01"
CALLER_HEADER = "selfedge-caller"
"""Names the Worker that asks, on calls to the node's own hosts; users cannot set it."""


def compile_outbound(entry: Outbound, site: Site) -> Fragment:  # noqa: ARG001
    """Return the gate as `globalOutbound`, with one service for each origin."""
    internet = _internet(site)
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
        services=[internet, gate, *_front(site), *map(_origin, urls)],
        rows=rows,
    )


def _internet(site: Site) -> Struct:
    allowed = ["public", "private"] if site.private else ["public"]
    network = {"allow": allowed, "tlsOptions": {"trustBrowserCas": True}}
    return {"name": "internet", "network": network}


def _front(site: Site) -> list[Struct]:
    """Return the service that answers for the node's own hosts."""
    if site.front is None:
        return []
    caller = {"name": CALLER_HEADER, "value": f"{site.account}/{site.worker}"}
    http = {
        "injectRequestHeaders": [caller],
        "cfBlobHeader": CF_HEADER,
        "forwardedProtoHeader": PROTO_HEADER,
    }
    external = {"address": site.front, "http": http}
    return [{"name": f"front:{site.worker}", "external": external}]


def _gate(routes: dict[str, str], urls: list[str], site: Site) -> Struct:
    source = files("selfedge.bindings.outbound").joinpath("worker.js").read_text()
    names = {url: f"origin{index}" for index, url in enumerate(urls)}
    config = {
        "routes": {
            host: {"url": url.rstrip("/"), "service": names[url]}
            for host, url in routes.items()
        },
        "ownHosts": list(site.own_hosts),
        "served": list(site.served),
    }
    bindings: list[Struct] = [
        {"name": "config", "json": json.dumps(config)},
        {"name": "internet", "service": {"name": "internet"}},
    ]
    if site.front is not None:
        front = {"name": f"front:{site.worker}"}
        bindings.append({"name": "front", "service": front})
    bindings += [
        {"name": name, "service": {"name": f"origin:{url}"}}
        for url, name in names.items()
    ]
    return {
        "name": f"outbound:{site.service or site.worker}",
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
