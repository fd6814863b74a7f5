"""Every engine of `selfedge.storage.contract`, to run the same tests against."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

from selfedge.storage.contract import Storage
from selfedge.storage.embedded import EmbeddedStorage

Engine: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Storage]]
"""Opens a storage in a folder."""

ENGINES: dict[str, Engine] = {"embedded": EmbeddedStorage}
