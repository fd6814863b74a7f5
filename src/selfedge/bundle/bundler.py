"""From a manifest to the modules that the engine loads."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from selfedge.bundle import esbuild as bundler
from selfedge.bundle.collect import find_modules
from selfedge.bundle.command import run_command
from selfedge.bundle.diagnostics import diagnose, failure, read_messages
from selfedge.bundle.entry import find_main, no_exports
from selfedge.bundle.hooks import Hooks
from selfedge.bundle.model import WITHOUT_CODE, Bundle, Module
from selfedge.bundle.options import request
from selfedge.bundle.output import Output, read_output
from selfedge.bundle.rules import Rules
from selfedge.errors import BuildError
from selfedge.manifest.model import Manifest
from selfedge.types import Environ

LIMIT_BYTES: Final = 64 * 1024 * 1024
"""All modules of a Worker together, as Cloudflare limits them before compression."""


async def bundle(
    manifest: Manifest, *, esbuild: Path, environ: Environ = os.environ
) -> Bundle:
    """Run the build command, then bundle the Worker's code with the binary `esbuild`.

    A Worker of static assets alone has no code.

    `NODE_ENV` of `environ` is what the code sees, "development" if it is not set.

    Raises:
        BuildError: the code does not bundle; `diagnostics` says where.
        ManifestError: the main file is missing.
        NodeError: esbuild does not run.
    """
    manifest = _settled(manifest)
    build = manifest.build
    if build.command:
        folder = manifest.root / (build.command_cwd or "")
        await run_command(build.command, folder, environ)
    if manifest.main is None:
        return WITHOUT_CODE
    main = find_main(manifest)
    hooks = Hooks(
        manifest=manifest,
        modules_root=manifest.root / (build.base_dir or main.parent),
        rules=Rules.of(build.rules),
    )
    found = await _found(manifest, main, hooks)
    node_env = environ.get("NODE_ENV") or "development"
    output = await _esbuild(manifest, main, hooks, esbuild, node_env)
    if not output.exports:
        raise no_exports(manifest, main)
    written = _as_written(manifest, main, hooks) if build.no_bundle else None
    return _checked(
        Bundle(
            modules=[*([written] if written else output.modules), *found.values()],
            exports=output.exports,
            source_map=_map_beside(main) if written else output.source_map,
            inputs=_inputs(manifest, main, [*output.inputs, *found]),
            warnings=[*output.warnings, *_missing(hooks)],
        ),
        manifest,
    )


def _settled(manifest: Manifest) -> Manifest:
    """Name the project by its real path, as esbuild will name its files."""
    path = manifest.path
    return replace(manifest, path=path.parent.resolve() / path.name)


async def _found(manifest: Manifest, main: Path, hooks: Hooks) -> Mapping[Path, Module]:
    build = manifest.build
    if not (build.no_bundle or build.find_additional_modules):
        return {}
    but = frozenset({main, manifest.path})
    found = await asyncio.to_thread(
        find_modules, hooks.modules_root, hooks.rules, but=but
    )
    if not build.no_bundle:
        hooks.found = {file: module.name for file, module in found.items()}
    return found


async def _esbuild(
    manifest: Manifest, main: Path, hooks: Hooks, binary: Path, node_env: str
) -> Output:
    # Code that is not bundled is read all the same: for its exports and its faults.
    flags = ["--packages=external"] if manifest.build.no_bundle else []
    answer = await bundler.build(
        binary,
        lambda: request(
            manifest, main, node_env=node_env, plugin=hooks.plugin(), flags=flags
        ),
        hooks.answer,
    )
    if isinstance(text := answer.get("error"), str):
        raise BuildError(f"esbuild refuses the options: {text}")
    if errors := read_messages(answer.get("errors") or []):
        raise failure([diagnose(error, hooks.mode) for error in errors])
    return read_output(answer, manifest, hooks)


def _as_written(manifest: Manifest, main: Path, hooks: Hooks) -> Module:
    folder = Path(os.path.relpath(main.parent, hooks.modules_root))
    name = (folder / f"{manifest.name}.js").as_posix()
    return Module(name=name, type="esModule", content=main.read_bytes())


def _map_beside(main: Path) -> bytes | None:
    beside = main.with_name(main.name + ".map")
    return beside.read_bytes() if beside.is_file() else None


def _inputs(manifest: Manifest, main: Path, files: Sequence[Path]) -> frozenset[Path]:
    """Add the files that esbuild reads on its own to those that were imported."""
    folders = [main.parent, *main.parent.parents]
    if manifest.root in folders:
        folders = folders[: folders.index(manifest.root) + 1]
    beside = [
        folder / name
        for folder in {*folders, manifest.root}
        for name in ("package.json", "tsconfig.json")
    ]
    if manifest.build.tsconfig:
        beside.append(manifest.root / manifest.build.tsconfig)
    return frozenset([main, *files, *(file for file in beside if file.is_file())])


def _missing(hooks: Hooks) -> list[str]:
    return [
        f'"{name}" is empty with compatibility_date '
        f"{hooks.manifest.compatibility_date}: its functions throw. "
        f"Set {since} or later"
        for name, since in sorted(hooks.missing.items())
    ]


def _checked(bundle: Bundle, manifest: Manifest) -> Bundle:
    size = sum(len(module.content) for module in bundle.modules)
    if size > LIMIT_BYTES:
        largest = max(bundle.modules, key=lambda module: len(module.content))
        raise BuildError(
            f'the Worker "{manifest.name}" is {size / 2**20:.1f} MiB, over the limit '
            f"of {LIMIT_BYTES >> 20} MiB; its largest module is {largest.name} "
            f"({len(largest.content) / 2**20:.1f} MiB): keep large files in R2 or KV"
        )
    return bundle
