"""What we answer when esbuild asks how to resolve or load a file."""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from selfedge.bundle.model import EngineModuleType, Module
from selfedge.bundle.node import (
    NodeMode,
    bridge,
    engine_modules,
    missing_until,
    node_mode,
    stub,
)
from selfedge.bundle.packets import Fields, Value
from selfedge.bundle.rules import ENGINE_TYPES, Rules
from selfedge.manifest.model import Manifest

_NODE: Final = 0
_FOUND: Final = 1
_BRIDGE: Final = 2
_STUB: Final = 3
_FILE: Final = 4
_WASM: Final = 5

_BRIDGES: Final = "node-bridge"
_STUBS: Final = "node-stub"


@dataclass(slots=True, kw_only=True)
class Hooks:
    """The answers for one build, and what was learnt by giving them."""

    manifest: Manifest
    modules_root: Path
    rules: Rules
    found: Mapping[Path, str] = field(default_factory=dict)  # modules that stay files
    kept: dict[str, EngineModuleType] = field(default_factory=dict)  # by absolute path
    wasm: dict[Path, Module] = field(default_factory=dict)  # imported by relative path
    missing: dict[str, str] = field(default_factory=dict)  # Node.js module → its date

    @property
    def mode(self) -> NodeMode:
        return node_mode(
            self.manifest.compatibility_date, self.manifest.compatibility_flags
        )

    def plugin(self) -> Fields:
        """Return what esbuild must ask us about."""
        resolve = [_filter(_FOUND, r"^\.{0,2}/")] if self.found else []
        if pattern := engine_modules(self.mode):
            resolve.append(_filter(_NODE, pattern))
        # `import source` is left alone by esbuild only if the module is external.
        resolve.append(_filter(_WASM, r"^\.{1,2}/.*\.wasm(\?module)?$"))
        load = [_filter(_BRIDGE, ".*", _BRIDGES), _filter(_STUB, ".*", _STUBS)]
        if pattern := self.rules.files():
            load.append(_filter(_FILE, pattern, "file"))
        return {
            "name": "selfedge",
            "onStart": False,
            "onEnd": False,
            "onResolve": resolve,
            "onLoad": load,
        }

    async def answer(self, question: Fields) -> Fields:
        """Answer one question; an empty answer leaves the file to esbuild."""
        match question:
            case {"command": "on-start"}:
                return {"errors": [], "warnings": []}
            case {"command": "on-resolve", "ids": list(ids), "path": str(path)}:
                return await self._resolve(ids, path, question)
            case {"command": "on-load", "ids": list(ids), "path": str(path)}:
                return await self._load(ids, path)
            case _:
                return {}

    async def _resolve(self, ids: list[Value], path: str, question: Fields) -> Fields:
        if path in self.manifest.build.alias:
            return {}
        if _NODE in ids:
            return {"id": _NODE, **self._resolve_node(path, str(question.get("kind")))}
        file = _join(str(question.get("resolveDir")), path.partition("?")[0])
        if name := self.found.get(file):
            return {"id": _FOUND, "path": f"./{name}", "external": True}
        if _WASM in ids and (module := await self._read_wasm(file)):
            return {"id": _WASM, "path": f"./{module.name}", "external": True}
        return {}

    async def _read_wasm(self, file: Path) -> Module | None:
        if file in self.wasm:
            return self.wasm[file]
        rule = self.rules.find(self._name(str(file)), loose=True)
        if rule is None or rule.type != "CompiledWasm":
            return None
        try:
            content = await asyncio.to_thread(file.read_bytes)
        except OSError:
            return None  # esbuild says that it is missing, and where it is imported
        name = f"{hashlib.sha256(content).hexdigest()[:8]}-{file.name}"
        self.wasm[file] = Module(name=name, type="wasm", content=content)
        return self.wasm[file]

    def _resolve_node(self, path: str, kind: str) -> Fields:
        specifier = f"node:{path.removeprefix('node:')}"
        build = self.manifest
        since = missing_until(
            specifier, build.compatibility_date, build.compatibility_flags
        )
        if since:
            self.missing[specifier] = since
            return {"path": specifier, "namespace": _STUBS}
        if kind == "require-call":
            return {"path": specifier, "namespace": _BRIDGES}
        return {"path": specifier, "external": True}

    async def _load(self, ids: list[Value], path: str) -> Fields:
        if _BRIDGE in ids:
            code = bridge(path)
            return {"id": _BRIDGE, "contents": code.encode(), "loader": "js"}
        if _STUB in ids:
            code = stub(path, self.missing[path])
            return {"id": _STUB, "contents": code.encode(), "loader": "js"}
        return await self._load_file(path)

    async def _load_file(self, path: str) -> Fields:
        name = self._name(path)
        rule = self.rules.find(name, loose=True)
        if rule is None:
            return self._refuse_dropped(name)
        if rule.type in ("ESModule", "CommonJS"):
            return {}
        try:
            content = await asyncio.to_thread(Path(path).read_bytes)
        except OSError as error:
            return _refused(f'Cannot read "{name}": {error.strerror}')
        self.kept[path] = ENGINE_TYPES[rule.type]
        return {"id": _FILE, "contents": content, "loader": "copy"}

    def _name(self, path: str) -> str:
        return Path(os.path.relpath(path, self.modules_root)).as_posix()

    def _refuse_dropped(self, name: str) -> Fields:
        rule = self.rules.find_dropped(name, loose=True)
        if rule is None:
            return {}
        return _refused(
            f'"{name}" matches the {rule.type} rule for {", ".join(rule.globs)}, '
            f"but an earlier {rule.type} rule ends them: "
            "add fallthrough = true to the earlier one"
        )


def _join(folder: str, path: str) -> Path:
    return Path(os.path.normpath(Path(folder, path)))


def _filter(number: int, pattern: str, namespace: str = "") -> Value:
    return {"id": number, "filter": pattern, "namespace": namespace}


def _refused(text: str) -> Fields:
    message: Fields = {
        "id": "",
        "pluginName": "",
        "text": text,
        "location": None,
        "notes": [],
        "detail": -1,
    }
    return {"id": _FILE, "errors": [message]}
