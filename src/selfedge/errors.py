"""Every error that selfedge raises on purpose.

SelfedgeError
├── UserError            the caller can mend it: exit code 2, HTTP 4xx
│   ├── UsageError           a wrong option or argument
│   ├── ManifestError        the wrangler file, with file, line and column
│   ├── BuildError           the Worker's code does not bundle, or does not start
│   └── PlatformError        this machine cannot run the engine
└── NodeError            we, or the machine, must mend it: exit code 1, HTTP 5xx
    ├── InstallError         an engine or a model could not be fetched
    ├── StateInUse           another process owns the state directory
    ├── StorageError         the disk is full, or a file is damaged
    └── EngineError          workerd did not start, or died

Messages name the thing, the limit or cause, and the remedy.
"""

from dataclasses import dataclass
from typing import ClassVar


class SelfedgeError(Exception):
    """Root of the tree; `code` is stable, `exit_code` is what the command returns."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class UserError(SelfedgeError):
    """The caller can mend it."""

    code = "user-error"
    exit_code = 2


class UsageError(UserError):
    """A wrong option or argument."""

    code = "usage"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text file; `line` and `column` count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class ManifestError(UserError):
    """The wrangler file is wrong at `position`."""

    code = "manifest"

    def __init__(self, message: str, position: Position | None = None) -> None:
        super().__init__(f"{position}: {message}" if position else message)
        self.position = position


class BuildError(UserError):
    """The Worker's code does not bundle, or does not start."""

    code = "build"


class PlatformError(UserError):
    """This machine cannot run the engine."""

    code = "platform"


class NodeError(SelfedgeError):
    """We, or the machine, must mend it."""

    code = "node-error"


class InstallError(NodeError):
    """An engine or a model could not be fetched or unpacked."""

    code = "install"


class StateInUse(NodeError):
    """Another process owns the state directory."""

    code = "state-in-use"


class StorageError(NodeError):
    """The disk is full, or a file of ours is damaged."""

    code = "storage"


class EngineError(NodeError):
    """The engine workerd did not start, or died."""

    code = "engine"
