"""What `selfedge kv` reads and prints."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from selfedge.bindings.kv.config import KVNamespace, parse
from selfedge.client.address import locate
from selfedge.client.api import Api, segment
from selfedge.errors import ApiError, UsageError

NAMESPACES = "/accounts/{account}/storage/kv/namespaces"
CHUNK_BYTES = 64 * 1024

F = TypeVar("F", bound=Callable[..., Any])


def which(command: F) -> F:
    """Add the options that say which namespace is meant."""
    options = (
        click.option("--namespace-id", help="The namespace's id."),
        click.option("--binding", "-b", help="A binding of the wrangler file here."),
        click.option("--env", "-e", "environment", help="Its environment."),
        click.option(
            "--preview/--no-preview",
            default=None,
            help="Its `preview_id`, or its `id`.",
        ),
        click.option("--remote", is_flag=True, hidden=True, help="As wrangler has it."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def api(state: Path | None) -> Api:
    """Return the node that is meant."""
    return Api(locate(Path.cwd(), os.environ, state))


def namespace_path(node: Api, options: Mapping[str, Any]) -> str:
    """Return the path of the namespace that options of `which` name.

    Raises:
        UsageError: they name none, or two.
    """
    named, binding = options["namespace_id"], options["binding"]
    if (named is None) == (binding is None):
        raise UsageError("give one of --namespace-id and --binding")
    chosen = named if named is not None else _bound(node, binding, options)
    return f"{NAMESPACES}/{segment(chosen)}"


def key_path(node: Api, options: Mapping[str, Any], key: str) -> str:
    """Return the path of a value."""
    return f"{namespace_path(node, options)}/values/{segment(key)}"


def id_of(node: Api, title: str) -> str:
    """Return the id of the namespace with a title.

    Raises:
        UsageError: none has it.
    """
    for one in node.every(NAMESPACES, {"per_page": "1000"}):
        if one["title"] == title:
            return str(one["id"])
    raise UsageError(f"no namespace has the title {title!r}")


def show(answer: object) -> None:
    """Print JSON."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def chunks(file: Path) -> Iterator[bytes]:
    """Yield the content of a file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            while part := stream.read(CHUNK_BYTES):
                yield part
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


def json_file(file: Path) -> Any:
    """Return the JSON of a file.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        return json.loads(b"".join(chunks(file)))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON: {error}") from error


def _bound(node: Api, binding: str, options: Mapping[str, Any]) -> str:
    """Return the namespace of a binding in the wrangler file here."""
    from selfedge.manifest.reader import find, read  # noqa: PLC0415 - rarely needed

    file = find(Path.cwd())
    tables = ("kv_namespaces",)
    manifest = read(
        file, environment=options["environment"], tables=tables, local=False
    )
    entries = parse(manifest.tables.get("kv_namespaces", []))
    found = [entry for entry in entries if entry.binding == binding]
    if not found:
        raise UsageError(f"{file} has no KV binding {binding!r}")
    chosen = _chosen_id(found[0], options["preview"])
    return chosen or _of_worker(node, manifest.name, binding) or binding


def _chosen_id(entry: KVNamespace, preview: bool | None) -> str | None:  # noqa: FBT001
    """Return the id that is meant; wrangler, too, asks which if there are two."""
    ids = {entry.id, entry.preview_id} - {None}
    if preview is None and len(ids) > 1:
        raise UsageError(
            f"{entry.binding} has an id and a preview_id: give --preview or "
            "--no-preview (selfedge dev uses the preview's)"
        )
    if preview is None:
        return entry.preview_id or entry.id
    return entry.preview_id if preview else entry.id


def _of_worker(node: Api, script: str, binding: str) -> str | None:
    """Return the namespace that a deployed Worker has under a binding, or None."""
    path = f"/accounts/{{account}}/workers/scripts/{segment(script)}/settings"
    try:
        entries = node.call("GET", path)["bindings"]
    except ApiError:  # it is not deployed, or the node is one of selfedge dev
        return None
    wanted = ("kv_namespace", binding)
    ids = [
        one["namespace_id"] for one in entries if (one["type"], one["name"]) == wanted
    ]
    return ids[0] if ids else None
