"""Names for shapes that several rooms share."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Struct: TypeAlias = dict[str, Any]
"""A struct of `workerd.capnp` as a dict; the schema checks it when it is encoded."""

Clock: TypeAlias = Callable[[], float]
"""Seconds since the epoch."""

Notice: TypeAlias = Callable[[str], None]
"""Tells the user one line."""

Environ: TypeAlias = Mapping[str, str]
