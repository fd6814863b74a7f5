"""What `selfedge kv` reads and prints."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from selfedge.bindings.kv.config import parse
from selfedge.client.address import locate
from selfedge.client.api import Api, segment
from selfedge.errors import UsageError

NAMESPACES = "/accounts/{account}/storage/kv/namespaces"
CHUNK_BYTES = 64 * 1024

F = TypeVar("F", bound=Callable[..., Any])


def which(command: F) -> F:
    """Add the options that say which namespace is meant."""
    options = (
        click.option("--namespace-id", help="The namespace's id."),
        click.option("--binding", "-b", help="A binding of the wrangler file here."),
        click.option("--env", "-e", "environment", help="Its environment."),
        click.option("--remote", is_flag=True, hidden=True, help="As wrangler has it."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def api(state: Path | None) -> Api:
    """Return the node that is meant."""
    return Api(locate(Path.cwd(), os.environ, state))


def namespace_path(options: Mapping[str, Any]) -> str:
    """Return the path of the namespace that options of `which` name.

    Raises:
        UsageError: they name none, or two.
    """
    return f"{NAMESPACES}/{segment(_namespace(options))}"


def key_path(options: Mapping[str, Any], key: str) -> str:
    """Return the path of a value."""
    return f"{namespace_path(options)}/values/{segment(key)}"


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


def _namespace(options: Mapping[str, Any]) -> str:
    named, binding = options["namespace_id"], options["binding"]
    if (named is None) == (binding is None):
        raise UsageError("give one of --namespace-id and --binding")
    return str(named) if named is not None else _bound(binding, options["environment"])


def _bound(binding: str, environment: str | None) -> str:
    from selfedge.manifest.reader import find, read  # noqa: PLC0415 - rarely needed

    file = find(Path.cwd())
    manifest = read(file, environment=environment, tables=("kv_namespaces",))
    for entry in parse(manifest.tables.get("kv_namespaces", [])):
        if entry.binding == binding:
            return entry.namespace
    raise UsageError(f"{file} has no KV binding {binding!r}")
