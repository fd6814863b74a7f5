"""`selfedge logs`: what a Worker did, as the node kept it."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, where
from selfedge.cli.workers import script_path, worker_name
from selfedge.cli.workers.events import lines
from selfedge.client.api import Api

POLL_S = 1.0
_LIMIT_MAX = 1000


@click.command()
@click.argument("worker", required=False)
@click.option("--since", help="From when: 30m, 2h, 1d, or 2026-10-01T12:00:00Z.")
@click.option("--until", help="Until when.")
@click.option("--search", help="Only with this text: logged, thrown or asked for.")
@click.option("--outcome", help="Only with this one: ok, exception, exceededCpu, …")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(1, _LIMIT_MAX),
    help="The most entries; the newest are shown.",
)
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes.")
@click.option("--json", "as_json", is_flag=True, help="Print each as a line of JSON.")
@where
def command(
    worker: str | None,
    *,
    limit: int,
    follow: bool,
    as_json: bool,
    state: Path | None,
    **chosen: str | None,
) -> None:
    """Show what WORKER did; it is kept where observability is enabled.

    Without WORKER, the one of the wrangler file here.
    """
    node, name = api(state), worker_name(worker, None, None)
    query = {key: value for key, value in chosen.items() if value is not None}
    found = _asked(node, name, {**query, "limit": str(limit)})
    if not found["sampling_rate"]:
        click.echo(
            f'Nothing more is kept of {name}: set "observability": {{"enabled": true}} '
            "in its wrangler file, and deploy it.",
            err=True,
        )
    last = _shown(found, "", as_json=as_json)
    while follow:
        time.sleep(POLL_S)
        more = {**query, "limit": str(_LIMIT_MAX), **({"after": last} if last else {})}
        last = _shown(_asked(node, name, more), last, as_json=as_json)


def _asked(node: Api, name: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = node.call(
        "GET", script_path(name, "/logs"), query=dict(query)
    )
    return found


def _shown(found: Mapping[str, Any], last: str, *, as_json: bool) -> str:
    """Print entries; return the id of the last."""
    for event in found["events"]:
        text = json.dumps(event, ensure_ascii=False)
        click.echo(text if as_json else "\n".join(lines(event)))
        last = event["id"]
    return last
