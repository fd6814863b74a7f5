"""The table `[r2]` of `selfedge.toml`: the store that holds bodies of objects."""

import os
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from selfedge.errors import UsageError
from selfedge.types import Environ

_Url = Annotated[str, msgspec.Meta(pattern=r"^s3://[^/]+(/.*)?$")]
_Http = Annotated[str, msgspec.Meta(pattern=r"^https?://.+$")]


class Remote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store, and the variables that hold its keys."""

    url: _Url  # "s3://bucket/prefix"
    endpoint: _Http | None = None  # of a store that is not Amazon's
    region: str = "auto"
    key_env: str = "AWS_ACCESS_KEY_ID"
    secret_env: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable

    def keys(self, environ: Environ = os.environ) -> tuple[str, str]:
        """Return key and secret.

        Raises:
            UsageError: one of the variables is not set.
        """
        names = (self.key_env, self.secret_env)
        for name in names:
            if not environ.get(name):
                raise UsageError(
                    f"[r2] of selfedge.toml keeps objects in {self.url}, but the "
                    f"variable {name} is not set: it holds a key of that store."
                )
        key, secret = (environ[name] for name in names)
        return key, secret


def read(file: Path | None) -> Remote | None:
    """Return the table of `file`; None when there is no file, or no table.

    Raises:
        UsageError: it cannot be read, or is wrong.
    """
    if file is None:
        return None
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8")).get("r2")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}") from error
    if found is None:
        return None
    try:
        return msgspec.convert(found, Remote)
    except msgspec.ValidationError as error:
        raise UsageError(f"{file}: [r2]: {error}") from error
