"""Workers and their bindings → a graph of services, checked: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from selfedge.binding import AnyBinding, Backend, Fragment, Row, Site, Trigger
from selfedge.bundle.model import Bundle
from selfedge.errors import ManifestError
from selfedge.manifest.mistake import dotted, mistake
from selfedge.manifest.model import Manifest, Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One Worker: what its wrangler file says, and its code."""

    manifest: Manifest
    bundle: Bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A Worker with all that its bindings add to it."""

    script: Script
    fragments: Sequence[Fragment]

    @property
    def name(self) -> str:
        """The script's name."""
        return self.script.manifest.name

    @property
    def rows(self) -> Iterator[Row]:
        """What the Worker is bound to, for people."""
        return (row for fragment in self.fragments for row in fragment.rows)

    @property
    def triggers(self) -> Iterator[Trigger]:
        """What starts the Worker besides its clients."""
        return (trigger for item in self.fragments for trigger in item.triggers)

    @property
    def backends(self) -> Iterator[Backend]:
        """What of our services the Worker may use."""
        return (backend for item in self.fragments for backend in item.backends)


def part(script: Script, bindings: Sequence[AnyBinding], site: Site) -> Part:
    """Parse and compile every binding of `script`.

    Raises:
        ManifestError: a table has a wrong shape, a name stands twice, a Durable
            Object class is not exported, or is of a Worker that does not run here.
    """
    fragments: list[Fragment] = []
    taken: dict[str, str] = {}
    for binding in bindings:
        for pointer, entry in _entries(binding, script.manifest):
            fragment = binding.compile(entry, site)
            if _is_hidden(fragment, taken, script.manifest):
                continue
            _check_names(fragment, pointer, taken, script.manifest)
            _check_exports(fragment, pointer, script)
            _check_needs(fragment, pointer, script, site)
            fragments.append(fragment)
    return Part(script=script, fragments=fragments)


def _entries(
    binding: AnyBinding, manifest: Manifest
) -> Iterator[tuple[Pointer, object]]:
    table = binding.table
    if table is None:
        yield from (((), entry) for entry in binding.parse(None))
        return
    tables = _tables(manifest)
    if table in tables:
        try:
            entries = binding.parse(tables[table])
        except msgspec.ValidationError as error:
            raise mistake(error, manifest=manifest, table=table) from error
        pointer = manifest.pointers.get(table, (table,))
        for index, entry in enumerate(entries):
            yield (*pointer, *_inside(tables[table], index)), entry


def _tables(manifest: Manifest) -> Mapping[str, object]:
    """Return the tables; a secret is a variable whose value is not shown."""
    if not manifest.secrets:
        return manifest.tables
    variables = manifest.tables.get("vars", {})
    given = variables if isinstance(variables, Mapping) else {}
    return {**manifest.tables, "vars": {**given, **manifest.secrets}}


def _inside(table: object, index: int) -> Pointer:
    """Return where entry `index` stands in the usual shapes of a table."""
    if isinstance(table, list):
        return (index,)
    if isinstance(table, Mapping):
        if isinstance(table.get("bindings"), list):
            return ("bindings", index)
        names = list(table)
        return (names[index],) if index < len(names) else ()
    return ()


def _is_hidden(
    fragment: Fragment, taken: Mapping[str, str], manifest: Manifest
) -> bool:
    """Whether this is a local secret whose name another binding has, as in wrangler."""
    names = {str(binding["name"]) for binding in fragment.bindings}
    return bool(names) and names <= taken.keys() & manifest.secrets.keys()


def _check_names(
    fragment: Fragment, pointer: Pointer, taken: dict[str, str], manifest: Manifest
) -> None:
    here = dotted(pointer)
    for binding in fragment.bindings:
        name = str(binding["name"])
        if name in taken:
            raise ManifestError(
                f"the binding name {name!r} stands twice: "
                f"in `{taken[name]}` and in `{here}`; rename one of them",
                manifest.position(pointer),
            )
        taken[name] = here


def _check_exports(fragment: Fragment, pointer: Pointer, script: Script) -> None:
    exports = script.bundle.exports
    hosted = fragment.worker.get("durableObjectNamespaces", ())
    if not exports or not isinstance(hosted, Sequence):
        return
    for namespace in hosted:
        name = namespace["className"]
        if name not in exports:
            found = ", ".join(sorted(set(exports) - {"default"})) or "no class"
            raise ManifestError(
                f"the Durable Object class {name!r} is not exported by "
                f"{script.manifest.main}, which exports {found}; "
                f"write `export class {name} …` there",
                script.manifest.position(pointer),
            )


def _check_needs(
    fragment: Fragment, pointer: Pointer, script: Script, site: Site
) -> None:
    for needed in fragment.needs:
        if needed not in site.workers:
            raise ManifestError(
                f"the Worker {needed!r} is not part of this run, and its Durable "
                "Objects live in its own process; add its wrangler file: selfedge dev "
                f"--config {script.manifest.path} --config ../OTHER/wrangler.toml",
                script.manifest.position(pointer),
            )
