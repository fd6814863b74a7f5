"""What esbuild is told for a Worker: the same that wrangler tells it."""

import json
from pathlib import Path
from typing import Final

from selfedge.bundle.packets import Fields, Value
from selfedge.errors import BuildError
from selfedge.manifest.model import Manifest

EXTERNAL: Final = ("cloudflare:*", "__STATIC_CONTENT_MANIFEST")

_NAVIGATOR_DATE: Final = "2022-03-21"
_FIXED: Final = (
    "--bundle",
    "--format=esm",
    "--target=es2024",
    "--supported:import-source=true",
    "--platform=browser",
    "--conditions=workerd,worker,browser",
    "--main-fields=browser,module,main",
    "--loader:.js=jsx",
    "--loader:.mjs=jsx",
    "--loader:.cjs=jsx",
    "--asset-names=[hash]-[name]",
    "--sourcemap=external",
    "--sources-content=true",
    "--metafile",
    "--allow-overwrite",  # nothing is written; a name may equal an input's
    "--outdir=.",
    "--log-level=silent",
    "--log-limit=0",
)


def request(
    manifest: Manifest, main: Path, *, node_env: str, plugin: Fields, flags: list[str]
) -> Fields:
    """Return the request for a build; `flags` come after those of the manifest."""
    every: list[Value] = [*_FIXED, *_flags(manifest, node_env), *flags]
    return {
        "command": "build",
        "entries": [[manifest.name, str(main)]],
        "flags": every,
        "write": False,
        "stdinContents": None,
        "stdinResolveDir": None,
        "absWorkingDir": str(manifest.root),
        "nodePaths": [],
        "context": False,
        "plugins": [plugin],
    }


def _flags(manifest: Manifest, node_env: str) -> list[str]:
    build = manifest.build
    flags = [f"--external:{name}" for name in EXTERNAL]
    flags += [f"--jsx-factory={build.jsx_factory}"]
    flags += [f"--jsx-fragment={build.jsx_fragment}"]
    flags += _pairs("define", {**_defines(manifest, node_env), **build.define})
    flags += _pairs("alias", dict(build.alias))
    if build.minify:
        flags.append("--minify")
    if build.keep_names:
        flags.append("--keep-names")
    if build.tsconfig:
        flags.append(f"--tsconfig={build.tsconfig}")
    return flags


def _defines(manifest: Manifest, node_env: str) -> dict[str, str]:
    scopes = ("", "global.", "globalThis.")
    known = {f"{scope}process.env.NODE_ENV": json.dumps(node_env) for scope in scopes}
    flags = manifest.compatibility_flags
    by_date = manifest.compatibility_date >= _NAVIGATOR_DATE
    if "global_navigator" in flags or (by_date and "no_global_navigator" not in flags):
        known["navigator.userAgent"] = json.dumps("Cloudflare-Workers")
    return known


def _pairs(option: str, values: dict[str, str]) -> list[str]:
    for key in values:
        if "=" in key:
            raise BuildError(f'"{option}" has the key "{key}": a key cannot have "="')
    return [f"--{option}:{key}={value}" for key, value in values.items()]
