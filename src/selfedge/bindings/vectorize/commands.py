"""`selfedge vectorize`: indexes of a running node, over its control API."""

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from selfedge.bindings.vectorize.bulk import lines as bulk
from selfedge.bindings.vectorize.limits import HTTP_BATCH_MAX, PRESETS, TOP_K_DEFAULT
from selfedge.client.address import locate
from selfedge.client.api import Api, segment
from selfedge.errors import UsageError

INDEXES = "/accounts/{account}/vectorize/v2/indexes"
BATCH = 1000
_EMBED_BATCH = 32

_model = click.option(
    "--model",
    default="@cf/baai/bge-base-en-v1.5",
    show_default=True,
    help="What embeds the text.",
)


@click.group(name="vectorize")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="The state directory of the node that is meant.",
)
@click.pass_context
def group(context: click.Context, state_dir: Path | None) -> None:
    """Vectorize on a running node: indexes of vectors."""
    context.obj = state_dir


@group.command()
@click.argument("name")
@click.option("--dimensions", type=int, help="How many numbers a vector has.")
@click.option("--metric", type=click.Choice(["cosine", "euclidean", "dot-product"]))
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Those of a model.")
@click.option("--description", default="")
@click.pass_obj
def create(
    state: Path | None,
    *,
    name: str,
    dimensions: int | None,
    metric: str | None,
    preset: str | None,
    description: str,
) -> None:
    """Make an index."""
    config: dict[str, object] = {"preset": preset}
    if not preset:
        config = {"dimensions": dimensions, "metric": metric}
    body = {"name": name, "description": description, "config": config}
    _show(_api(state).call("POST", INDEXES, json=body))


@group.command(name="list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_indexes(state: Path | None, *, as_json: bool) -> None:
    """List the indexes."""
    found = list(_api(state).every(INDEXES))
    if as_json:
        _show(found)
        return
    click.echo(f"{'NAME':32} {'DIMENSIONS':>10}  {'METRIC':12} CREATED")
    for one in found:
        config = one["config"]
        size, metric = config["dimensions"], config["metric"]
        click.echo(f"{one['name']:32} {size:>10}  {metric:12} {one['created_on']}")


@group.command()
@click.argument("name")
@click.pass_obj
def get(state: Path | None, *, name: str) -> None:
    """Show what an index is."""
    _show(_api(state).call("GET", _path(name)))


@group.command()
@click.argument("name")
@click.pass_obj
def info(state: Path | None, *, name: str) -> None:
    """Show how many vectors an index has, and its newest mutation."""
    _show(_api(state).call("GET", _path(name, "info")))


@group.command()
@click.argument("name")
@click.option("--force", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(state: Path | None, *, name: str, force: bool) -> None:
    """Remove an index with all its vectors."""
    if not force:
        click.confirm(f"Delete index {name} and all its vectors?", abort=True)
    _api(state).call("DELETE", _path(name))
    click.echo(f"Deleted {name}")


def _loading(operation: str, about: str, name: str = "") -> click.Command:
    @click.argument("name")
    @click.option(
        "--file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Lines of JSON: id, values, namespace, metadata; without values,"
        " the model embeds what stands under text.",
    )
    @click.option("--text", help="One text, to be embedded.")
    @click.option("--id", "vector_id", help="The id of that text.")
    @click.option("--batch-size", type=click.IntRange(1, HTTP_BATCH_MAX), default=BATCH)
    @_model
    @click.pass_obj
    def load(
        state: Path | None,
        *,
        name: str,
        file: Path | None,
        text: str | None,
        vector_id: str | None,
        batch_size: int,
        model: str,
    ) -> None:
        api = _api(state)
        if file is not None:
            count = _load(api, name, operation, file, batch_size, model)
        elif text is not None and vector_id is not None:
            line = {"id": vector_id, "metadata": {"text": text}, "text": text}
            body = bulk.joined(_embedded(api, [line], model))
            _send(api, name, operation, body)
            count = 1
        else:
            raise UsageError("give --file, or --text with --id")
        click.echo(f"{operation}: {count} vectors into {name}")

    return click.command(name=name or operation, help=about)(load)


group.add_command(_loading("insert", "Add vectors; those that are there stay."))
group.add_command(_loading("upsert", "Add or replace vectors."))
group.add_command(_loading("upsert", "Load a file of `export`.", "import"))


@group.command()
@click.argument("name")
@click.option("--vector", help="Numbers, separated by commas or spaces.")
@click.option("--vector-id", help="A vector that is there.")
@click.option("--text", help="A text, to be embedded.")
@_model
@click.option("--top-k", type=int, default=TOP_K_DEFAULT, show_default=True)
@click.option("--namespace")
@click.option("--filter", "condition", help='JSON, for example \'{"n": {"$gte": 2}}\'.')
@click.option("--return-values", is_flag=True)
@click.option(
    "--return-metadata",
    type=click.Choice(["none", "indexed", "all"]),
    default="none",
    show_default=True,
)
@click.pass_obj
def query(state: Path | None, /, *, name: str, model: str, **options: Any) -> None:
    """Search an index."""
    api = _api(state)
    body: dict[str, object] = {
        "topK": options["top_k"],
        "returnValues": options["return_values"],
        "returnMetadata": options["return_metadata"],
        "namespace": options["namespace"],
        "filter": bulk.decoded(options["condition"], "--filter"),
    }
    given = [key for key in ("vector", "vector_id", "text") if options[key]]
    if len(given) != 1:
        raise UsageError("give one of --vector, --vector-id and --text")
    if given == ["vector"]:
        body["vector"] = bulk.numbers(options["vector"])
    elif given == ["vector_id"]:
        body["vectorId"] = options["vector_id"]
    else:
        body["vector"] = _embed(api, [options["text"]], model)[0]
    _show(api.call("POST", _path(name, "query"), json=body))


@group.command(name="get-vectors")
@click.argument("name")
@click.option("--ids", multiple=True, required=True)
@click.pass_obj
def get_vectors(state: Path | None, *, name: str, ids: tuple[str, ...]) -> None:
    """Show vectors by id; give --ids once for each."""
    _show(_api(state).call("POST", _path(name, "get_by_ids"), json={"ids": ids}))


@group.command(name="delete-vectors")
@click.argument("name")
@click.option("--ids", multiple=True, required=True)
@click.pass_obj
def delete_vectors(state: Path | None, *, name: str, ids: tuple[str, ...]) -> None:
    """Remove vectors by id; give --ids once for each."""
    _show(_api(state).call("POST", _path(name, "delete_by_ids"), json={"ids": ids}))


@group.command(name="list-vectors")
@click.argument("name")
@click.option("--count", type=int, default=100, show_default=True)
@click.option("--cursor", default="")
@click.pass_obj
def list_vectors(state: Path | None, *, name: str, count: int, cursor: str) -> None:
    """Show a page of ids."""
    asked = {"count": str(count), "cursor": cursor}
    _show(_api(state).call("GET", _path(name, "list"), query=asked))


@group.command(name="create-metadata-index")
@click.argument("name")
@click.option("--property-name", required=True)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["string", "number", "boolean"]),
    required=True,
)
@click.pass_obj
def create_metadata_index(
    state: Path | None, *, name: str, property_name: str, kind: str
) -> None:
    """Let filters look at a property of the vectors that are written from now on."""
    body = {"propertyName": property_name, "indexType": kind}
    _show(_api(state).call("POST", _path(name, "metadata_index/create"), json=body))


@group.command(name="list-metadata-index")
@click.argument("name")
@click.pass_obj
def list_metadata_index(state: Path | None, *, name: str) -> None:
    """Show the properties that filters can look at."""
    _show(_api(state).call("GET", _path(name, "metadata_index/list")))


@group.command(name="delete-metadata-index")
@click.argument("name")
@click.option("--property-name", required=True)
@click.pass_obj
def delete_metadata_index(state: Path | None, *, name: str, property_name: str) -> None:
    """Let filters no longer look at a property."""
    body = {"propertyName": property_name}
    _show(_api(state).call("POST", _path(name, "metadata_index/delete"), json=body))


@group.command()
@click.argument("name")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.pass_obj
def export(state: Path | None, *, name: str, file: Path) -> None:
    """Write all vectors to a file, one line of JSON each."""
    api = _api(state)
    fresh = file.with_name(file.name + ".part")
    cursor, count = "", 0
    try:
        with fresh.open("wb") as stream, _bar(_total(api, name), "export") as bar:
            while True:
                asked = {"count": str(BATCH), "cursor": cursor}
                page = api.call("GET", _path(name, "list"), query=asked)
                ids = [one["id"] for one in page["vectors"]]
                body = {"ids": ids}
                found = api.call("POST", _path(name, "get_by_ids"), json=body)
                stream.write(bulk.joined(found) + b"\n" if found else b"")
                count += len(found)
                bar.update(len(ids))
                cursor = page["nextCursor"] or ""
                if not cursor:
                    break
        fresh.replace(file)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
    click.echo(f"export: {count} vectors of {name} in {file}")


@group.command()
@click.argument("name")
@click.pass_obj
def compact(state: Path | None, *, name: str) -> None:
    """Write an index anew: sorted for search, without what was deleted."""
    answer = _api(state).call("POST", _path(name, "compact"))
    done = "compacted" if answer["compacted"] else "left as it is; it changed meanwhile"
    click.echo(f"{name} {done}")


def _load(
    api: Api, name: str, operation: str, file: Path, batch_size: int, model: str
) -> int:
    count = 0
    with file.open("rb") as stream, _bar(file.stat().st_size, operation) as bar:
        for batch in bulk.batches(stream, batch_size):
            lines = batch.lines
            if not all(b'"values"' in line for line in lines):
                read = bulk.parsed(lines, file, count)
                lines = [bulk.joined(_embedded(api, read, model))]
            _send(api, name, operation, b"\n".join(lines))
            count += len(batch.lines)
            bar.update(batch.size)
    return count


def _send(api: Api, name: str, operation: str, body: bytes) -> None:
    kind = {"Content-Type": "application/x-ndjson"}
    api.call("POST", _path(name, operation), body=body, headers=kind)


def _embedded(
    api: Api, lines: list[dict[str, Any]], model: str
) -> list[dict[str, Any]]:
    """Return vectors: those without values get those of their text."""
    bare = [line for line in lines if "values" not in line]
    for start in range(0, len(bare), _EMBED_BATCH):
        some = bare[start : start + _EMBED_BATCH]
        texts = [line.get("text") for line in some]
        for text, line in zip(texts, some, strict=True):
            if not isinstance(text, str):
                _no_text(line)
        for line, values in zip(some, _embed(api, texts, model), strict=True):
            line["values"] = values
            line.setdefault("metadata", {"text": line["text"]})
    return [
        {key: value for key, value in line.items() if key != "text"} for line in lines
    ]


def _no_text(line: dict[str, Any]) -> NoReturn:
    raise UsageError(f"vector {line.get('id')!r} has neither values nor text")


def _embed(api: Api, texts: list[Any], model: str) -> Any:
    path = "/accounts/{account}/ai/run/" + "/".join(map(segment, model.split("/")))
    answer = api.call("POST", path, json={"text": texts})
    try:
        return answer["data"]
    except (TypeError, KeyError) as error:
        raise UsageError(f"{model} does not embed texts") from error


def _bar(length: int, label: str) -> Any:
    hidden = not sys.stderr.isatty()
    return click.progressbar(
        length=length,
        label=label,
        hidden=hidden,
        file=sys.stderr,
    )


def _total(api: Api, name: str) -> int:
    return int(api.call("GET", _path(name, "info"))["vectorCount"])


def _path(name: str, operation: str = "") -> str:
    path = f"{INDEXES}/{segment(name)}"
    return f"{path}/{operation}" if operation else path


def _api(state: Path | None) -> Api:
    return Api(locate(Path.cwd(), os.environ, state))


def _show(answer: object) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
