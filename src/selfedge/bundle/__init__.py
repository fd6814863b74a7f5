"""From TypeScript to modules that the engine loads, and back for stack traces."""

from selfedge.bundle.bundler import bundle
from selfedge.bundle.model import Bundle, Module
from selfedge.bundle.sourcemap import Origin, SourceMap, remap

__all__ = ["Bundle", "Module", "Origin", "SourceMap", "bundle", "remap"]
