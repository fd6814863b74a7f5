"""`selfedge queues`: queues of a node, over its control API, with wrangler's words."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from selfedge.client.address import locate
from selfedge.client.api import Api, segment
from selfedge.errors import UsageError

QUEUES = "/accounts/{account}/queues"
_PEEKED = 10

_name = click.argument("name")
_sure = click.option("--force", "-y", is_flag=True, help="Do not ask.")
_delay = click.option("--delivery-delay-secs", type=int, help="Before a delivery.")
_retention = click.option(
    "--message-retention-period-secs", type=int, help="How long messages are kept."
)
_letters = click.option("--dead-letter-queue", help="Where failed messages go.")
_retries = click.option("--message-retries", type=int, help="Of a message.")
_size = click.option("--batch-size", type=int, help="Messages at once.")
_retry_delay = click.option("--retry-delay-secs", type=int, help="Before a retry.")


@click.group(name="queues")
@click.option(
    "--state-dir",
    "--data-dir",
    "state",
    type=click.Path(path_type=Path),
    help="The state directory of the node that is meant.",
)
@click.pass_context
def group(context: click.Context, state: Path | None) -> None:
    """Queues on a running node: messages from Workers to Workers."""
    context.obj = state


@group.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_queues(state: Path | None, *, as_json: bool) -> None:
    """List the queues."""
    found = list(_api(state).every(QUEUES))
    if as_json:
        _show(found)
        return
    click.echo(f"{'NAME':32} {'PRODUCERS':>9} {'CONSUMERS':>9}  ID")
    for one in found:
        makers, takers = one["producers_total_count"], one["consumers_total_count"]
        name, identifier = one["queue_name"], one["queue_id"]
        click.echo(f"{name:32} {makers:>9} {takers:>9}  {identifier}")


@group.command()
@_name
@_delay
@_retention
@click.pass_obj
def create(state: Path | None, /, *, name: str, **options: int | None) -> None:
    """Make a queue."""
    body = {"queue_name": name, "settings": _settings(options)}
    made = _api(state).call("POST", QUEUES, json=body)
    click.echo(f"Created queue {name} ({made['queue_id']})")


@group.command()
@_name
@_delay
@_retention
@click.pass_obj
def update(state: Path | None, /, *, name: str, **options: int | None) -> None:
    """Change the settings of a queue."""
    _Queue(state, name).call("PATCH", json={"settings": _settings(options)})
    click.echo(f"Updated queue {name}")


@group.command()
@_name
@click.pass_obj
def info(state: Path | None, *, name: str) -> None:
    """Show a queue, who uses it, and what waits in it."""
    queue = _Queue(state, name)
    _show({**queue.found, "metrics": queue.call("GET", "/metrics")})


@group.command()
@_name
@_sure
@click.pass_obj
def delete(state: Path | None, *, name: str, force: bool) -> None:
    """Remove a queue with all its messages."""
    queue = _Queue(state, name)
    if not force:
        click.confirm(f"Delete queue {name} and all its messages?", abort=True)
    queue.call("DELETE")
    click.echo(f"Deleted queue {name}")


@group.command()
@_name
@_sure
@click.pass_obj
def purge(state: Path | None, *, name: str, force: bool) -> None:
    """Remove all messages of a queue."""
    queue = _Queue(state, name)
    if not force:
        click.confirm(f"Delete all messages of queue {name}?", abort=True)
    queue.call("POST", "/purge", json={"delete_messages_permanently": True})
    click.echo(f"Purged queue {name}")


def _delivering(command: str, about: str, *, paused: bool) -> click.Command:
    @_name
    @click.pass_obj
    def change(state: Path | None, *, name: str) -> None:
        body = {"settings": {"delivery_paused": paused}}
        _Queue(state, name).call("PATCH", json=body)
        click.echo(f"Delivery of queue {name} is {'paused' if paused else 'on'}")

    return click.command(name=command, help=about)(change)


group.add_command(
    _delivering("pause-delivery", "Deliver nothing for a while.", paused=True)
)
group.add_command(_delivering("resume-delivery", "Deliver again.", paused=False))


@group.command()
@_name
@click.argument("body")
@click.option("--text", is_flag=True, help="BODY is a text, not JSON.")
@click.option("--delay-secs", type=int, help="Before its delivery.")
@click.pass_obj
def send(
    state: Path | None, *, name: str, body: str, text: bool, delay_secs: int | None
) -> None:
    """Send a message."""
    message: dict[str, Any] = {"body": body, "content_type": "text"}
    if not text:
        message = {"body": _json(body), "content_type": "json"}
    if delay_secs is not None:
        message["delay_seconds"] = delay_secs
    _Queue(state, name).call("POST", "/messages", json=message)
    click.echo(f"Sent to {name}")


@group.command()
@_name
@click.option("--batch-size", type=int, default=_PEEKED, help="How many to show.")
@click.pass_obj
def peek(state: Path | None, *, name: str, batch_size: int) -> None:
    """Show the first messages, and leave them; bodies that are no text are base64."""
    body = {"batch_size": batch_size}
    _show(_Queue(state, name).call("POST", "/messages/peek", json=body)["messages"])


@group.group()
def consumer() -> None:
    """Who takes the messages of a queue."""


@consumer.command(name="list")
@_name
@click.pass_obj
def list_consumers(state: Path | None, *, name: str) -> None:
    """Show the consumers of a queue."""
    _show(_Queue(state, name).found["consumers"])


def _adding(command: str, about: str) -> click.Command:
    @_name
    @click.argument("script")
    @_size
    @click.option("--batch-timeout", type=float, help="Seconds to fill a batch.")
    @_retries
    @_letters
    @click.option("--max-concurrency", type=int, help="Batches at once.")
    @_retry_delay
    @click.pass_obj
    def add(state: Path | None, /, *, name: str, script: str, **options: Any) -> None:
        queue = _Queue(state, name)
        queue.attach({"type": "worker", "script_name": script}, options)
        click.echo(f"{script} consumes {name}")

    return click.command(name=command, help=about)(add)


def _removing(command: str, about: str) -> click.Command:
    @_name
    @click.argument("script")
    @click.pass_obj
    def remove(state: Path | None, *, name: str, script: str) -> None:
        _Queue(state, name).detach(lambda one: one.get("script") == script, script)
        click.echo(f"{script} no longer consumes {name}")

    return click.command(name=command, help=about)(remove)


@consumer.group()
def worker() -> None:
    """Workers as consumers."""


@consumer.group()
def http() -> None:
    """Programs that pull messages over HTTP."""


for _parent in (consumer, worker):
    _parent.add_command(_adding("add", "Have a Worker consume a queue."))
    _parent.add_command(_removing("remove", "Have a Worker consume a queue no more."))


@http.command()
@_name
@_size
@_retries
@_letters
@click.option("--visibility-timeout-secs", type=int, help="How long a lease holds.")
@_retry_delay
@click.pass_obj
def add(state: Path | None, /, *, name: str, **options: Any) -> None:
    """Let messages be pulled over HTTP."""
    _Queue(state, name).attach({"type": "http_pull"}, options)
    click.echo(f"{name} can be pulled over HTTP")


@http.command()
@_name
@click.pass_obj
def remove(state: Path | None, *, name: str) -> None:
    """Let messages be pulled over HTTP no more."""
    _Queue(state, name).detach(lambda one: one["type"] == "http_pull", "HTTP pull")
    click.echo(f"{name} can no longer be pulled over HTTP")


class _Queue:
    """A queue of a node, found by its name."""

    def __init__(self, state: Path | None, name: str) -> None:
        self._api = _api(state)
        found = self._api.call("GET", QUEUES, query={"name": name, "page": "1"})
        if not found:
            raise UsageError(f"there is no queue {name!r}; see: selfedge queues list")
        self.found: Mapping[str, Any] = found[0]
        self._name = name

    def call(self, method: str, below: str = "", **options: Any) -> Any:
        """Call a route of the queue."""
        path = f"{QUEUES}/{segment(self.found['queue_id'])}{below}"
        return self._api.call(method, path, **options)

    def attach(self, body: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """Add a consumer with the options that were given."""
        letters = options.get("dead_letter_queue")
        extra = {"dead_letter_queue": letters} if letters else {}
        whole = {**body, **extra, "settings": _consumer_settings(options)}
        self.call("POST", "/consumers", json=whole)

    def detach(self, wanted: Callable[[Mapping[str, Any]], bool], what: str) -> None:
        """Remove a consumer."""
        consumers: Sequence[Mapping[str, Any]] = self.found["consumers"]
        for one in consumers:
            if wanted(one):
                self.call("DELETE", f"/consumers/{segment(one['consumer_id'])}")
                return
        raise UsageError(f"{what} is no consumer of the queue {self._name!r}")


def _settings(options: Mapping[str, int | None]) -> Mapping[str, int]:
    names = {
        "delivery_delay": options["delivery_delay_secs"],
        "message_retention_period": options["message_retention_period_secs"],
    }
    return {name: value for name, value in names.items() if value is not None}


def _consumer_settings(options: Mapping[str, Any]) -> Mapping[str, Any]:
    def ms(name: str) -> float | None:
        value = options.get(name)
        return None if value is None else value * 1000

    names = {
        "batch_size": options.get("batch_size"),
        "max_retries": options.get("message_retries"),
        "max_wait_time_ms": ms("batch_timeout"),
        "max_concurrency": options.get("max_concurrency"),
        "visibility_timeout_ms": ms("visibility_timeout_secs"),
        "retry_delay": options.get("retry_delay_secs"),
    }
    return {name: value for name, value in names.items() if value is not None}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"{text[:40]!r} is not JSON; quote it, or add --text to send it as it is"
        ) from error


def _api(state: Path | None) -> Api:
    return Api(locate(Path.cwd(), os.environ, state))


def _show(answer: object) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
