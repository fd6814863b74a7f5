"""What esbuild made, as modules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from selfedge.bundle.diagnostics import diagnose, read_messages
from selfedge.bundle.hooks import Hooks
from selfedge.bundle.model import Module
from selfedge.bundle.packets import Fields
from selfedge.manifest.model import Manifest


class _Import(msgspec.Struct, frozen=True):
    path: str
    external: bool = False


class _Made(msgspec.Struct, frozen=True, rename="camel"):
    imports: Sequence[_Import] = ()
    exports: Sequence[str] = ()
    inputs: Mapping[str, object] = {}
    entry_point: str | None = None


class _Metafile(msgspec.Struct, frozen=True):
    inputs: Mapping[str, object]
    outputs: Mapping[str, _Made]


class _File(msgspec.Struct, frozen=True):
    path: str
    contents: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The main module first, then the files that it imports."""

    modules: Sequence[Module]
    exports: Sequence[str]
    source_map: bytes | None
    inputs: Sequence[Path]
    warnings: Sequence[str]


def read_output(answer: Fields, manifest: Manifest, hooks: Hooks) -> Output:
    """Return what is in esbuild's answer to a build without errors."""
    root = manifest.root
    metafile = msgspec.json.decode(_bytes(answer["metafile"]), type=_Metafile)
    files = {
        Path(file.path): file.contents
        for file in msgspec.convert(answer["outputFiles"], list[_File])
    }
    name = f"{manifest.name}.js"
    made = metafile.outputs[name]
    main = Module(name=name, type="esModule", content=files[root / name])
    warnings = read_messages(answer["warnings"])
    return Output(
        modules=[main, *_kept(made, metafile, files, root, hooks), *_wasm(hooks)],
        exports=made.exports,
        source_map=files.get(root / f"{name}.map"),
        inputs=[
            *(file for name in metafile.inputs if (file := _input(root, name))),
            *hooks.wasm,
        ],
        warnings=[str(diagnose(warning, hooks.mode)) for warning in warnings],
    )


def _kept(
    made: _Made,
    metafile: _Metafile,
    files: Mapping[Path, bytes],
    root: Path,
    hooks: Hooks,
) -> Iterator[Module]:
    """Yield the files that the main module imports, under the names it uses."""
    for name in dict.fromkeys(each.path for each in made.imports if not each.external):
        output = name.partition("?")[0]
        source = _input(root, next(iter(metafile.outputs[output].inputs)))
        kind = hooks.kept.get(str(source))
        if kind is not None:
            yield Module(name=name, type=kind, content=files[root / output])


def _wasm(hooks: Hooks) -> Iterable[Module]:
    """Return each module once: files with the same name and content are one."""
    return {module.name: module for module in hooks.wasm.values()}.values()


def _input(root: Path, name: str) -> Path | None:
    """Return the file of a metafile's input; None: it is one of our own making."""
    if name.startswith(("node-bridge:", "node-stub:", "(disabled)")):
        return None
    return Path(root, name.partition("?")[0]).resolve()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
