"""`selfedge kv`: namespaces, keys and bulk files of a node, over its control API."""

import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from selfedge.bindings.kv.limits import BULK_MAX_KEYS
from selfedge.bindings.kv.terminal import (
    NAMESPACES,
    api,
    chunks,
    id_of,
    json_file,
    key_path,
    namespace_path,
    show,
    which,
)
from selfedge.client.api import segment
from selfedge.errors import UsageError

BATCH = 1000

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_sure = click.option("--force", "-y", is_flag=True, help="Do not ask.")
_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group(name="kv")
@click.option(
    "--state-dir",
    "--data-dir",
    "state",
    type=click.Path(path_type=Path),
    help="The state directory of the node that is meant.",
)
@click.pass_context
def group(context: click.Context, state: Path | None) -> None:
    """Workers KV on a running node: namespaces, keys and values."""
    context.obj = state


@group.group()
def namespace() -> None:
    """Namespaces."""


@group.group()
def key() -> None:
    """Single keys."""


@group.group()
def bulk() -> None:
    """Many keys at once, from and to files."""


@namespace.command()
@click.argument("title")
@_as_json
@click.pass_obj
def create(state: Path | None, *, title: str, as_json: bool) -> None:
    """Make a namespace called TITLE."""
    made = api(state).call("POST", NAMESPACES, json={"title": title})
    if as_json:
        show(made)
        return
    click.echo(f"Created {title}. In the wrangler file:\n")
    click.echo(f'[[kv_namespaces]]\nbinding = "KV"\nid = "{made["id"]}"')


@namespace.command(name="list")
@_as_json
@click.pass_obj
def list_namespaces(state: Path | None, *, as_json: bool) -> None:
    """List the namespaces."""
    query = {"per_page": "1000", "order": "title", "direction": "asc"}
    found = list(api(state).every(NAMESPACES, query))
    if as_json:
        show(found)
        return
    for one in found:
        click.echo(f"{one['id']:34} {one['title']}")


@namespace.command()
@click.argument("title", required=False)
@click.option("--namespace-id", help="Its id, instead of its title.")
@click.option("--new-name", required=True, help="The title that it gets.")
@_as_json
@click.pass_obj
def rename(state: Path | None, /, *, as_json: bool, **options: Any) -> None:
    """Give a namespace another title."""
    node = api(state)
    path = f"{NAMESPACES}/{segment(_chosen(node, options))}"
    renamed = node.call("PUT", path, json={"title": options["new_name"]})
    if as_json:
        show(renamed)
    else:
        click.echo(f"{renamed['id']} is now called {renamed['title']}")


@namespace.command(name="delete")
@click.argument("title", required=False)
@click.option("--namespace-id", help="Its id, instead of its title.")
@_sure
@click.pass_obj
def delete_namespace(state: Path | None, /, *, force: bool, **options: Any) -> None:
    """Remove a namespace with all its keys."""
    node = api(state)
    chosen = _chosen(node, options)
    if not force:
        click.confirm(f"Delete namespace {chosen} and all its keys?", abort=True)
    node.call("DELETE", f"{NAMESPACES}/{segment(chosen)}")
    click.echo(f"Deleted {chosen}")


@key.command()
@click.argument("name", metavar="KEY")
@click.argument("value", required=False)
@click.option(
    "--path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the value.",
)
@click.option("--ttl", type=int, help="Seconds until it expires, at least 60.")
@click.option("--expiration", type=int, help="When it expires, in seconds since 1970.")
@click.option("--metadata", help="JSON that is kept beside it.")
@which
@click.pass_obj
def put(state: Path | None, /, *, name: str, value: str | None, **given: Any) -> None:
    """Write VALUE, or a file, under KEY."""
    path = given["path"]
    if (value is None) == (path is None):
        raise UsageError("give one of VALUE and --path")
    times = {"expiration_ttl": given["ttl"], "expiration": given["expiration"]}
    query = {key: str(time) for key, time in times.items() if time is not None}
    body: Any = chunks(path) if path else (value or "").encode()
    headers = {"Content-Type": "application/octet-stream"}
    if given["metadata"] is not None:
        content = b"".join(chunks(path)) if path else body
        body, headers["Content-Type"] = _form(content, given["metadata"])
    node = api(state)
    where = key_path(node, given, name)
    node.call("PUT", where, query=query, body=body, headers=headers)
    click.echo(f"Wrote {name}", err=True)


@key.command()
@click.argument("name", metavar="KEY")
@click.option("--text", is_flag=True, help="End with a new line.")
@which
@click.pass_obj
def get(state: Path | None, /, *, name: str, text: bool, **given: Any) -> None:
    """Print the value of KEY, byte for byte."""
    node = api(state)
    with node.open("GET", key_path(node, given, name)) as reply:
        for part in reply.chunks():
            sys.stdout.buffer.write(part)
    if text:
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


@key.command(name="list")
@click.option("--prefix", default="", help="What their names begin with.")
@_as_json
@which
@click.pass_obj
def list_keys(state: Path | None, /, *, prefix: str, as_json: bool, **g: Any) -> None:
    """List keys, with their expirations and metadata."""
    node = api(state)
    found = node.after(f"{namespace_path(node, g)}/keys", {"prefix": prefix})
    if as_json:
        show(list(found))
        return
    for one in found:
        click.echo(one["name"])


@key.command(name="delete")
@click.argument("name", metavar="KEY")
@which
@click.pass_obj
def delete_key(state: Path | None, /, *, name: str, **given: Any) -> None:
    """Remove KEY."""
    node = api(state)
    node.call("DELETE", key_path(node, given, name))
    click.echo(f"Deleted {name}", err=True)


@bulk.command(name="put")
@_file
@which
@click.pass_obj
def bulk_put(state: Path | None, /, *, file: Path, **given: Any) -> None:
    """Write all pairs of FILE: [{"key", "value", "base64"?, "metadata"?, …}]."""
    pairs, node = _listed(json_file(file), file), api(state)
    path = f"{namespace_path(node, given)}/bulk"
    for part in _parts(pairs, BATCH):
        node.call("PUT", path, json=part)
    click.echo(f"Wrote {len(pairs)} keys")


@bulk.command(name="get")
@_file
@which
@click.pass_obj
def bulk_get(state: Path | None, /, *, file: Path, **given: Any) -> None:
    """Print the values of the keys that FILE lists: ["a", "b"] or [{"name": "a"}]."""
    found: dict[str, Any] = {}
    names, node = _names(file), api(state)
    path = f"{namespace_path(node, given)}/bulk/get"
    for part in _parts(names, BULK_MAX_KEYS):
        found |= node.call("POST", path, json={"keys": part})["values"]
    show(found)


@bulk.command(name="delete")
@_file
@_sure
@which
@click.pass_obj
def bulk_delete(state: Path | None, /, *, file: Path, force: bool, **g: Any) -> None:
    """Remove the keys that FILE lists: ["a", "b"] or [{"name": "a"}]."""
    names = _names(file)
    if not force:
        click.confirm(f"Delete {len(names)} keys?", abort=True)
    node = api(state)
    path = f"{namespace_path(node, g)}/bulk/delete"
    for part in _parts(names, BATCH):
        node.call("POST", path, json=part)
    click.echo(f"Deleted {len(names)} keys")


def _chosen(node: Any, options: dict[str, Any]) -> str:
    title, named = options["title"], options["namespace_id"]
    if (title is None) == (named is None):
        raise UsageError("give one of TITLE and --namespace-id")
    return str(named) if named is not None else id_of(node, title)


def _listed(value: Any, file: Path) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError(f"{file} must hold a JSON array")
    return value


def _names(file: Path) -> list[str]:
    """Return the keys that a file lists, as names or as `key list --json` does."""
    entries = _listed(json_file(file), file)
    given = [one.get("name") if isinstance(one, dict) else one for one in entries]
    names = [name for name in given if isinstance(name, str)]
    if len(names) != len(given):
        raise UsageError(f"{file} must list keys: names, or objects with a name")
    return names


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _form(value: bytes, metadata: str) -> tuple[bytes, str]:
    """Return a form with value and metadata, and its content type."""
    boundary = uuid.uuid4().hex
    body = b""
    for name, content in (("value", value), ("metadata", metadata.encode())):
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        body += f"{head}\r\n\r\n".encode() + content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
