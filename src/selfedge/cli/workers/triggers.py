"""What reaches a Worker after its upload: its name, routes, domains and schedules."""

from collections.abc import Sequence
from typing import Any

from selfedge.cli.workers import script_path
from selfedge.client.api import Api, segment
from selfedge.manifest.deployment import Deployment


def applied(node: Api, name: str, told: Deployment) -> Sequence[str]:
    """Have the node send to a Worker what its wrangler file says; return where it is.

    Raises:
        ApiError: a route is another Worker's, or in no zone.
    """
    worker = node.call("GET", f"/accounts/{{account}}/workers/workers/{segment(name)}")
    own_name = _own_name(node, name, told, worker["subdomain"])
    routes = [one for one in told.entries if not one.custom_domain]
    domains = [one for one in told.entries if one.custom_domain]
    if routes:
        given = [_named(one, "pattern") for one in routes]
        node.call("PUT", script_path(name, "/routes"), json=given)
    if domains:
        given = [_named(one, "hostname") for one in domains]
        asked = {
            "override_scope": True,
            "override_existing_origin": True,
            "override_existing_dns_record": True,
            "origins": given,
        }
        node.call("PUT", script_path(name, "/domains/records"), json=asked)
    crons = told.triggers.crons
    if crons is not None:
        asked_crons = [{"cron": cron} for cron in crons]
        node.call("PUT", script_path(name, "/schedules"), json=asked_crons)
    return [
        *own_name,
        *(one.pattern for one in routes),
        *(f"{one.pattern} (custom domain)" for one in domains),
        *(f"schedule: {cron}" for cron in crons or ()),
    ]


def _own_name(node: Api, name: str, told: Deployment, now: Any) -> Sequence[str]:
    wanted = {"enabled": told.has_own_name}
    if told.preview_urls is not None:
        wanted["previews_enabled"] = told.preview_urls
    if any(now.get(key) != value for key, value in wanted.items()):
        node.call("POST", script_path(name, "/subdomain"), json=wanted)
        path = f"/accounts/{{account}}/workers/workers/{segment(name)}"
        now = node.call("GET", path)["subdomain"]
    return [now["url"]] if now["enabled"] and now.get("url") else []


def _named(one: Any, key: str) -> dict[str, Any]:
    zone = {"zone_id": one.zone_id, "zone_name": one.zone_name}
    return {key: one.pattern, **{k: v for k, v in zone.items() if v is not None}}
