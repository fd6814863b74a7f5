"""The body of an upload, as what it says and the code that it has: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from selfedge.control.workers.metadata import (
    Metadata,
    check_metadata,
    read_metadata,
)
from selfedge.control.workers.modules import Code, read_code
from selfedge.control.workers.multipart import Part, parse
from selfedge.control.workers.problem import BAD_UPLOAD, bad, invalid

METADATA = "metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A Worker as a client sends it."""

    metadata: Metadata
    code: Code | None  # None: static files only


def read_upload(content_type: str, body: bytes, today: str) -> Upload:
    """Return what is in the body of an upload.

    Raises:
        ApiError: it is not a form with metadata and modules that can run.
    """
    parts = parse(content_type, body)
    metadata = read_metadata(field(METADATA, parts).body)
    return upload_of(metadata, [one for one in parts if one.name != METADATA], today)


def upload_of(metadata: Metadata, modules: Sequence[Part], today: str) -> Upload:
    """Return an upload of this metadata and these modules.

    Raises:
        ApiError: they cannot run.
    """
    check_metadata(metadata, today)
    if metadata.main_module is not None:
        return Upload(metadata=metadata, code=read_code(metadata.main_module, modules))
    if metadata.assets is None and not metadata.keep_assets:
        raise invalid(
            "The metadata names no `main_module`: an upload has code, static files "
            "or both."
        )
    return Upload(metadata=metadata, code=None)


def field(name: str, parts: Sequence[Part]) -> Part:
    """Return the part of this name.

    Raises:
        ApiError: there is none.
    """
    for part in parts:
        if part.name == name:
            return part
    raise bad(f"The form has no part `{name}`.", BAD_UPLOAD)
