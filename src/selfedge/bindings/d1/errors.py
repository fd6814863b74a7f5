"""What D1 refuses, in Cloudflare's words and numbers where they are known.

D1Error               `number` is the API's code, `status` its HTTP status
├── SqlFailed             7500  SQLite refused it; the words end in its code
│   └── Damaged               its file is no whole database any more
├── Closing               7500
├── NoStatements          7500
├── UnreadableRequest     7400  not a request of the D1 protocol
├── UnknownDatabase       7404
├── DuplicateName         7502
├── InvalidName           7400
├── TooManyDatabases      7406
├── QueryTooLong          7500  over 30 s, stopped
├── ResultTooLarge        7500
├── DumpTooLarge          7500
├── Overloaded            7500  too many wait
├── DiskFailed            7500  the folder of a database cannot be written
├── TransferFailed        7500  an import or an export
└── NoSnapshot            7500  time travel has nothing for that time
"""

from pathlib import Path
from typing import ClassVar

from selfedge.bindings.d1 import limits
from selfedge.errors import UserError


class D1Error(UserError):
    """A request that is answered with an error."""

    code = "d1"
    number: ClassVar[int] = 7500
    status: ClassVar[int] = 400


class SqlFailed(D1Error):
    """SQLite refused a statement, or could not carry it out."""


class Damaged(SqlFailed):
    """The file of the database is not whole any more."""

    status = 500


class Closing(D1Error):
    """The node stops."""

    status = 503

    def __init__(self) -> None:
        super().__init__("D1 is stopping; try again when it runs.")


class NoStatements(D1Error):
    """There is nothing but comments and spaces."""

    def __init__(self) -> None:
        super().__init__("No SQL statements detected.")


class UnreadableRequest(D1Error):
    """Not a request of the D1 protocol."""

    number = 7400


class UnknownDatabase(D1Error):
    """There is no database of that id or name."""

    number = 7404
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The database {name[:80]} could not be found; see which there are with:"
            " selfedge d1 list"
        )


class DuplicateName(D1Error):
    """A database of that name is there already."""

    number = 7502

    def __init__(self, name: str) -> None:
        super().__init__(f"A database with the name '{name}' already exists")


class InvalidName(D1Error):
    """The name is empty, too long, or has characters that no name may have."""

    number = 7400

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Invalid database name {name[:80]!r}: it has 1 to"
            f" {limits.NAME_MAX_CHARS} letters, digits, underscores, hyphens, dots"
            " and spaces, and begins with a letter or a digit."
        )


class TooManyDatabases(D1Error):
    """There are as many as there may be."""

    number = 7406

    def __init__(self) -> None:
        super().__init__(
            f"There are {limits.DATABASES_MAX} databases already; delete one."
        )


class QueryTooLong(D1Error):
    """It ran longer than a query may, and was stopped."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"D1 DB exceeded its time limit: the query ran for over {limit_s:g} s and"
            " was stopped. Ask for less at once, or add an index: SQLITE_INTERRUPT"
        )


class ResultTooLarge(D1Error):
    """The rows are more than fits a Worker's memory."""

    def __init__(self) -> None:
        super().__init__(
            f"The result is over {limits.RESULT_MAX_BYTES} bytes; use LIMIT, or select"
            " fewer columns."
        )


class DumpTooLarge(D1Error):
    """The file is more than fits a Worker's memory."""

    def __init__(self) -> None:
        super().__init__(
            f"The database is over {limits.RESULT_MAX_BYTES} bytes, more than fits a"
            " Worker; export it with: selfedge d1 export"
        )


class Overloaded(D1Error):
    """Too many queries wait for this database."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            "D1 DB is overloaded. Too many requests queued: over"
            f" {limits.WAITING_MAX}. Send fewer at once."
        )


class DiskFailed(D1Error):
    """The folder of a database cannot be written."""

    status = 500

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"{folder} cannot be written: {error.strerror or error}. Free some space"
            " there, or let it be written, and try again."
        )


class TransferFailed(D1Error):
    """An import or an export cannot go on."""


class NoSnapshot(D1Error):
    """Time travel has nothing for that time."""

    status = 404
