"""`selfedge tail`: what a Worker does, while one looks."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, where
from selfedge.cli.workers import script_path, worker_name
from selfedge.cli.workers.events import ERRORS, lines
from selfedge.client.api import segment
from selfedge.errors import ApiError, UsageError

PROTOCOL = "trace-v1"
HEARTBEAT_S = 10.0
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@click.command()
@click.argument("worker", required=False)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(["ok", "error", "canceled"]),
    help="Only what ended so; may be repeated.",
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=click.Choice(_METHODS, case_sensitive=False),
    help="Only requests with this method; may be repeated.",
)
@click.option("--search", help="Only what logged this text.")
@click.option(
    "--sampling-rate", type=click.FloatRange(0, 1), help="This share of all events."
)
@click.option("--version-id", help="Only what this version did.")
@click.option(
    "--format",
    "shown_as",
    type=click.Choice(["pretty", "json"]),
    help="[default: pretty on a terminal, else json]",
)
@where
def command(
    worker: str | None,
    *,
    shown_as: str | None,
    state: Path | None,
    **chosen: Any,
) -> None:
    """Show what WORKER does from now on, until Ctrl-C.

    Without WORKER, the one of the wrangler file here.
    """
    node, name = api(state), worker_name(worker, None, None)
    path = script_path(name, "/tails")
    tail = node.call("POST", path, json={"filters": filters(**chosen)})
    pretty = (shown_as or ("pretty" if sys.stdout.isatty() else "json")) == "pretty"
    click.echo(f"Listening to {name}; Ctrl-C ends it.", err=True)
    try:
        asyncio.run(_listen(tail["url"], pretty=pretty))
    except KeyboardInterrupt:
        return
    finally:
        with contextlib.suppress(ApiError, UsageError):  # it ends with its socket
            node.call("DELETE", f"{path}/{segment(tail['id'])}")


def filters(
    *,
    statuses: Sequence[str],
    methods: Sequence[str],
    search: str | None,
    sampling_rate: float | None,
    version_id: str | None,
) -> Sequence[Mapping[str, Any]]:
    """Return the filters of a tail, as wrangler writes them."""
    outcomes = [
        outcome
        for status in statuses
        for outcome in (ERRORS if status == "error" else (status,))
    ]
    given: Mapping[str, Any] = {
        "sampling_rate": sampling_rate,
        "outcome": outcomes or None,
        "method": list(methods) or None,
        "query": search,
        "scriptVersion": version_id,
    }
    return [{name: value} for name, value in given.items() if value is not None]


async def _listen(url: str, *, pretty: bool) -> None:
    import aiohttp  # noqa: PLC0415 - it takes a third of a second

    async with aiohttp.ClientSession() as session:
        try:
            socket = await session.ws_connect(
                url, protocols=(PROTOCOL,), heartbeat=HEARTBEAT_S
            )
        except (aiohttp.ClientError, OSError) as error:
            raise UsageError(f"the tail cannot be heard: {error}") from error
        async for message in socket:
            if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                event = json.loads(message.data)
                said = lines(event) if pretty else [json.dumps(event, indent=2)]
                click.echo("\n".join(said))
