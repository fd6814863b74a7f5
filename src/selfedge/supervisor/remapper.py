"""Stack frames of a project's bundles → positions in the code that was written."""

from collections.abc import Sequence
from pathlib import Path

from selfedge.bundle import SourceMap, remap
from selfedge.compiler.graph import Part
from selfedge.errors import BuildError


class Remapper:
    """Rewrites stacks for the Workers that run now; maps are read when needed."""

    def __init__(self) -> None:
        self._raw: dict[str, tuple[bytes, Path]] = {}
        self._maps: dict[str, SourceMap] = {}

    def use(self, parts: Sequence[Part]) -> None:
        """Take the maps of `parts`."""
        self._maps.clear()
        self._raw = {
            item.script.bundle.modules[0].name: (raw, item.script.manifest.root)
            for item in parts
            if (raw := item.script.bundle.source_map) is not None
        }

    def __call__(self, text: str) -> str:
        """Return `text` with all frames of known modules rewritten."""
        for module, (raw, root) in self._raw.items():
            if f"{module}:" in text:
                text = self._with(module, raw, root, text)
        return text

    def _with(self, module: str, raw: bytes, root: Path, text: str) -> str:
        try:
            if module not in self._maps:
                self._maps[module] = SourceMap.parse(raw)
            return remap(text, {module: self._maps[module]}, root)
        except (BuildError, ValueError):  # a damaged map: the frames stay as they are
            return text
