"""Every error that selfedge raises on purpose.

SelfedgeError
├── UserError            the caller can mend it: exit code 2, HTTP 4xx
│   ├── UsageError           a wrong option or argument
│   ├── ManifestError        the wrangler file, with file, line and column
│   ├── BuildError           the Worker's code does not bundle, or does not start
│   ├── PlatformError        this machine cannot run the engine
│   └── ApiError             a call of the control API that cannot be answered
└── NodeError            we, or the machine, must mend it: exit code 1, HTTP 5xx
    ├── InstallError         an engine or a model could not be fetched
    ├── StateInUse           another process owns the state directory
    ├── StorageError         the disk is full, or a file is damaged
    └── EngineError          workerd did not start, or died

Messages name the thing, the limit or cause, and the remedy.
"""

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One fault in a Worker's code, and where it is."""

    text: str
    position: Position | None = None  # its path is relative to the project
    source: str = ""  # the line of code, or a part of a very long one
    offset: int = 0  # characters of the line before `source`
    length: int = 1  # characters of `source` that are marked, from the column on
    notes: Sequence[str] = ()  # remedies

    def __str__(self) -> str:
        lines = [f"{self.position}: {self.text}" if self.position else self.text]
        if self.position and self.source:
            number = f"{self.position.line:>5}"
            indent = " " * (self.position.column - 1 - self.offset)
            lines.append(f"{number} │ {self.source}")
            lines.append(f"{' ' * len(number)} ╵ {indent}{'^' * max(1, self.length)}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


class BuildError(UserError):
    """The Worker's code does not bundle, or does not start."""

    code = "build"

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class PlatformError(UserError):
    """This machine cannot run the engine."""

    code = "platform"


class ApiError(UserError):
    """A call of the control API that cannot be answered.

    `status` is HTTP's, `number` the code in Cloudflare's envelope.
    """

    code = "api"

    def __init__(self, message: str, *, status: int, number: int) -> None:
        super().__init__(message)
        self.status = status
        self.number = number


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
