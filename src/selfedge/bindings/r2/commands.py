"""`selfedge r2`: buckets and objects of a running node, over its control API."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import click

from selfedge.bindings.r2.model import STORAGE_CLASSES
from selfedge.client.address import locate
from selfedge.client.api import Api, segment
from selfedge.errors import UsageError

BUCKETS = "/accounts/{account}/r2/buckets"
_CHUNK_BYTES = 1024 * 1024
_PAGE = 1000
_HEADERS = {
    "content_type": "Content-Type",
    "content_disposition": "Content-Disposition",
    "content_encoding": "Content-Encoding",
    "content_language": "Content-Language",
    "cache_control": "Cache-Control",
    "expires": "Expires",
    "storage_class": "cf-r2-storage-class",
    "jurisdiction": "cf-r2-jurisdiction",
}

_jurisdiction = click.option(
    "--jurisdiction", "-J", help="Where the bucket is, if not in the default place."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_class = click.option(
    "--storage-class", "-s", type=click.Choice(STORAGE_CLASSES, case_sensitive=False)
)

_remote = click.option(
    "--remote", is_flag=True, expose_value=False, hidden=True
)  # of wrangler's commands: there is nothing else here
_force = click.option("--force", "-y", is_flag=True, expose_value=False, hidden=True)


class _Bar(Protocol):
    def update(self, n_steps: int) -> None:
        """Tell that so many bytes more are done."""


@click.group(name="r2")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="The state directory of the node that is meant.",
)
@click.pass_context
def group(context: click.Context, state_dir: Path | None) -> None:
    """R2 on a running node: buckets of objects."""
    context.obj = state_dir


@group.group(name="bucket")
def buckets() -> None:
    """Make, list, show and delete buckets."""


@group.group(name="object")
def objects() -> None:
    """Put, get, list and delete objects; PATH is BUCKET/KEY."""


@buckets.command()
@click.argument("name")
@click.option("--location", default="", help="A hint; everything is on this disk.")
@_class
@_jurisdiction
@_json
@click.pass_obj
def create(
    state: Path | None,
    *,
    name: str,
    location: str,
    storage_class: str | None,
    jurisdiction: str | None,
    as_json: bool,
) -> None:
    """Make a bucket."""
    body = {"name": name, "storageClass": storage_class or STORAGE_CLASSES[0]}
    if location:
        body["locationHint"] = location
    sent = _sent(jurisdiction=jurisdiction)
    made = _api(state).call("POST", BUCKETS, json=body, headers=sent)
    _tell(f"Made bucket {name}", made, as_json=as_json)


@buckets.command(name="list")
@_jurisdiction
@_json
@click.pass_obj
def list_buckets(
    state: Path | None, *, jurisdiction: str | None, as_json: bool
) -> None:
    """List the buckets."""
    sent = _sent(jurisdiction=jurisdiction)
    found = _api(state).call("GET", BUCKETS, headers=sent)["buckets"]
    if as_json:
        _show(found)
        return
    click.echo(f"{'NAME':40} {'STORAGE CLASS':17} CREATED")
    for one in found:
        kind, created = one["storage_class"], one["creation_date"]
        click.echo(f"{one['name']:40} {kind:17} {created}")


@buckets.command()
@click.argument("name")
@_jurisdiction
@_json
@click.pass_obj
def info(
    state: Path | None, *, name: str, jurisdiction: str | None, as_json: bool
) -> None:
    """Show what a bucket is, and how much it holds."""
    api, sent = _api(state), _sent(jurisdiction=jurisdiction)
    found = api.call("GET", f"{BUCKETS}/{segment(name)}", headers=sent)
    held = api.call("GET", f"{BUCKETS}/{segment(name)}/usage", headers=sent)
    found |= {"objects": int(held["objectCount"]), "bytes": int(held["payloadSize"])}
    if as_json:
        _show(found)
        return
    for key, value in found.items():
        click.echo(f"{key.replace('_', ' ') + ':':16} {value}")


@buckets.command()
@click.argument("name")
@_jurisdiction
@click.pass_obj
def delete(state: Path | None, *, name: str, jurisdiction: str | None) -> None:
    """Remove an empty bucket."""
    sent = _sent(jurisdiction=jurisdiction)
    _api(state).call("DELETE", f"{BUCKETS}/{segment(name)}", headers=sent)
    click.echo(f"Deleted bucket {name}")


@objects.command()
@click.argument("path")
@click.option("--file", "-f", type=click.Path(exists=True, dir_okay=False))
@click.option("--pipe", "-p", is_flag=True, help="Read from the standard input.")
@click.option("--content-type", "--ct")
@click.option("--content-disposition", "--cd")
@click.option("--content-encoding", "--ce")
@click.option("--content-language", "--cl")
@click.option("--cache-control", "--cc")
@click.option("--expires", help="A date of HTTP.")
@_class
@_jurisdiction
@_json
@_remote
@_force
@click.pass_obj
def put(
    state: Path | None,
    /,
    *,
    path: str,
    file: str | None,
    pipe: bool,
    as_json: bool,
    **options: str | None,
) -> None:
    """Write an object from a file, or from a pipe."""
    if (file is None) is not pipe:
        raise UsageError("say --file FILE, or --pipe to read the standard input")
    sent, target = _sent(**options), _target(path)
    if file is None:
        made = _api(state).call("PUT", target, body=_chunks(_input()), headers=sent)
    else:
        made = _put_file(_api(state), target, Path(file), sent)
    _tell(f"Put {path} ({made['size']} bytes)", made, as_json=as_json)


@objects.command()
@click.argument("path")
@click.option("--file", "-f", type=click.Path(), help="Else the key's last segment.")
@click.option("--pipe", "-p", is_flag=True, help="Write to the standard output.")
@_jurisdiction
@_remote
@click.pass_obj
def get(
    state: Path | None,
    *,
    path: str,
    file: str | None,
    pipe: bool,
    jurisdiction: str | None,
) -> None:
    """Read an object into a file, or into a pipe."""
    target, sent = _target(path), _sent(jurisdiction=jurisdiction)
    with _api(state).open("GET", target, headers=sent) as reply:
        if pipe:
            for chunk in reply.chunks():
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        size = int(reply.header("Content-Length") or 0)
        place = Path(file or path.rpartition("/")[2] or "object")
        _get_file(reply.chunks(), place, size)
    click.echo(f"Got {path} into {place} ({size} bytes)")


@objects.command(name="delete")
@click.argument("path")
@_jurisdiction
@_remote
@_force
@click.pass_obj
def delete_object(state: Path | None, *, path: str, jurisdiction: str | None) -> None:
    """Remove an object; an absent one is no error."""
    sent = _sent(jurisdiction=jurisdiction)
    _api(state).call("DELETE", _target(path), headers=sent)
    click.echo(f"Deleted {path}")


@objects.command(name="list")
@click.argument("bucket")
@click.option("--prefix", default="", help="Only keys that begin so.")
@click.option("--delimiter", default="", help="Join what shares a prefix up to it.")
@_jurisdiction
@_json
@click.pass_obj
def list_objects(
    state: Path | None,
    *,
    bucket: str,
    prefix: str,
    delimiter: str,
    jurisdiction: str | None,
    as_json: bool,
) -> None:
    """List the objects of a bucket."""
    query = {"prefix": prefix, "delimiter": delimiter, "per_page": str(_PAGE)}
    sent = _sent(jurisdiction=jurisdiction)
    pages = list(_pages(_api(state), f"{BUCKETS}/{segment(bucket)}", query, sent))
    found = [one for page in pages for one in page["result"]]
    shared = [one for page in pages for one in page["result_info"].get("delimited", ())]
    if as_json:
        _show({"objects": found, "prefixes": shared})
        return
    for one in shared:
        click.echo(f"{'':>14}  {'':24}  {one}")
    for one in found:
        click.echo(f"{one['size']:>14}  {one['last_modified']}  {one['key']}")


def _pages(
    api: Api, path: str, query: Mapping[str, str], sent: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    cursor = ""
    while True:
        asked = {**query, "cursor": cursor}
        with api.open("GET", f"{path}/objects", query=asked, headers=sent) as reply:
            page = json.loads(reply.read())
        yield page
        cursor = page["result_info"]["cursor"]
        if not cursor:
            return


def _put_file(api: Api, target: str, file: Path, sent: Mapping[str, str]) -> Any:
    size = file.stat().st_size
    headers = {**sent, "Content-Length": str(size)}
    with file.open("rb") as source, _progress(size, file.name) as bar:
        chunks = _counted(_chunks(source), bar)
        return api.call("PUT", target, body=chunks, headers=headers)


def _get_file(chunks: Iterable[bytes], place: Path, size: int) -> None:
    """Write `chunks` aside, then to their place: nothing half is ever there."""
    aside = place.with_name(f"{place.name}.part")
    try:
        with aside.open("wb") as file, _progress(size, place.name) as bar:
            for chunk in _counted(chunks, bar):
                file.write(chunk)
            if file.tell() != size:
                raise UsageError(
                    f"the node sent {file.tell()} of {size} bytes: try again"
                )
        aside.replace(place)
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)


def _input() -> BinaryIO:
    return sys.stdin.buffer


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk


def _counted(chunks: Iterable[bytes], bar: _Bar) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        bar.update(len(chunk))


@contextmanager
def _progress(size: int, label: str) -> Iterator[_Bar]:
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        length=size, label=label, hidden=hidden, file=sys.stderr
    ) as bar:
        yield bar


def _target(path: str) -> str:
    bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise UsageError(f"{path!r} is not BUCKET/KEY: say photos/cat.jpg")
    return f"{BUCKETS}/{segment(bucket)}/objects/{segment(key)}"


def _sent(**options: str | None) -> dict[str, str]:
    """Return options as headers."""
    return {_HEADERS[name]: value for name, value in options.items() if value}


def _api(state: Path | None) -> Api:
    return Api(locate(Path.cwd(), os.environ, state))


def _tell(text: str, answer: object, *, as_json: bool) -> None:
    if as_json:
        _show(answer)
    else:
        click.echo(text)


def _show(answer: object) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
