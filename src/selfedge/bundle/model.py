"""What a Worker's code becomes: modules that the engine loads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

EngineModuleType: TypeAlias = Literal[
    "esModule", "commonJsModule", "text", "data", "wasm", "json"
]
"""The arms of `Worker.Module` in workerd.capnp that we use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module under the name by which others import it."""

    name: str  # "hello.js", "./0a1b-logo.wasm" is "0a1b-logo.wasm"
    type: EngineModuleType
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All modules of a Worker; `modules[0]` is the main one."""

    modules: Sequence[Module]
    exports: Sequence[str]  # names that the main module exports, "default" included
    source_map: bytes | None = field(repr=False)  # of the main module
    inputs: frozenset[Path]  # files read: a change of one means bundle again
    warnings: Sequence[str] = ()


WITHOUT_CODE = Bundle(
    modules=[
        Module(name="static.js", type="esModule", content=b"export default {};\n")
    ],
    exports=["default"],
    source_map=None,
    inputs=frozenset(),
)
"""A Worker of static assets alone."""
