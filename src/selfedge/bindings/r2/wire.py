"""The JSON of workerd's R2 client ↔ typed requests and objects; pure."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from selfedge.bindings.r2 import errors
from selfedge.bindings.r2.model import (
    ALGORITHMS,
    Conditions,
    HttpMetadata,
    ListQuery,
    Object,
    Page,
    Part,
    PutOptions,
    Range,
)

REQUEST_HEADER = "CF-R2-Request"
SIZE_HEADER = "CF-R2-Metadata-Size"
ERROR_HEADER = "CF-R2-Error"

_HTTP, _CUSTOM = 0, 1  # what a list may include
_Number = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class _Record(msgspec.Struct, frozen=True):
    k: str
    v: str


class _Request(msgspec.Struct, frozen=True, rename="camel", tag_field="method"):
    """What all requests may say."""


class _Keyed(_Request, frozen=True, rename="camel", kw_only=True):
    object: str
    ssec: Any = None


class Head(_Keyed, frozen=True, tag="head"):
    """Read an object without its bytes."""


class Get(_Keyed, frozen=True, rename="camel", kw_only=True, tag="get"):
    """Read an object."""

    range: Range | None = None
    range_header: str | None = None
    only_if: Conditions | None = None

    @property
    def asked(self) -> Range | str | None:
        """The part that is asked for; a header wins."""
        return self.range if self.range_header is None else self.range_header


class _Written(_Keyed, frozen=True, rename="camel", kw_only=True):
    custom_fields: list[_Record] = []
    http_fields: HttpMetadata = HttpMetadata()
    storage_class: str | None = None

    @property
    def options(self) -> PutOptions:
        """What is stored with the object."""
        return PutOptions(
            http=self.http_fields,
            custom={one.k: one.v for one in self.custom_fields},
            storage_class=self.storage_class,
        )


class Put(_Written, frozen=True, rename="camel", kw_only=True, tag="put"):
    """Write an object; its bytes follow."""

    only_if: Conditions | None = None
    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None
    sha384: str | None = None
    sha512: str | None = None

    @property
    def options(self) -> PutOptions:
        """What is stored with the object, and under which conditions.

        Raises:
            InvalidArgument: a checksum is none.
        """
        return PutOptions(
            http=self.http_fields,
            custom={one.k: one.v for one in self.custom_fields},
            storage_class=self.storage_class,
            conditions=self.only_if,
            digests=dict(_digests(self)),
        )


class CreateUpload(_Written, frozen=True, kw_only=True, tag="createMultipartUpload"):
    """Begin an upload in parts."""


class UploadPart(_Keyed, frozen=True, rename="camel", kw_only=True, tag="uploadPart"):
    """Write a part; its bytes follow."""

    upload_id: str
    part_number: _Number


class _NamedPart(msgspec.Struct, frozen=True):
    etag: str
    part: _Number


class CompleteUpload(
    _Keyed, frozen=True, rename="camel", kw_only=True, tag="completeMultipartUpload"
):
    """Make an object of parts."""

    upload_id: str
    parts: list[_NamedPart] = []

    @property
    def named(self) -> Sequence[Part]:
        """The parts."""
        return [Part(number=one.part, etag=one.etag) for one in self.parts]


class AbortUpload(
    _Keyed, frozen=True, rename="camel", kw_only=True, tag="abortMultipartUpload"
):
    """Give up an upload in parts."""

    upload_id: str


class Delete(_Request, frozen=True, kw_only=True, tag="delete"):
    """Remove one object or several."""

    object: str | None = None
    objects: list[str] | None = None

    @property
    def keys(self) -> Sequence[str]:
        """The keys of all."""
        if self.objects is not None:
            return self.objects
        return [] if self.object is None else [self.object]


class List(_Request, frozen=True, rename="camel", kw_only=True, tag="list"):
    """List objects."""

    limit: _Number = 1000
    prefix: str = ""
    delimiter: str = ""
    cursor: str | None = None
    start_after: str = ""
    include: list[int] = []
    new_runtime: bool = False  # older ones expect all metadata

    @property
    def query(self) -> ListQuery:
        """What is asked."""
        return ListQuery(
            limit=self.limit,
            prefix=self.prefix,
            delimiter=self.delimiter,
            cursor=self.cursor,
            start_after=self.start_after,
            http=_HTTP in self.include or not self.new_runtime,
            custom=_CUSTOM in self.include or not self.new_runtime,
        )


Request: TypeAlias = (
    Head
    | Get
    | Put
    | CreateUpload
    | UploadPart
    | CompleteUpload
    | AbortUpload
    | Delete
    | List
)

_DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request, strict=False)


def request(raw: bytes) -> Request:
    """Return what a request's JSON asks.

    Raises:
        InvalidArgument: it asks for nothing that R2 knows.
    """
    try:
        asked = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise errors.InvalidArgument(f"Metadata missing or invalid: {error}") from error
    if getattr(asked, "ssec", None) is not None:
        raise errors.InvalidArgument(
            "selfedge does not encrypt objects with keys of clients (SSE-C): "
            "leave ssecKey out."
        )
    return asked


class _Shown(msgspec.Struct, omit_defaults=True, rename="camel", kw_only=True):
    """An object as workerd reads it."""

    name: str
    version: str
    size: int
    etag: str
    uploaded: int
    http_fields: HttpMetadata
    custom_fields: list[_Record]
    checksums: dict[str, str]
    storage_class: str
    range: Range | None = None


def object_json(found: Object, span: tuple[int, int] | None = None) -> bytes:
    """Return an object's JSON; `span` is (offset, length) of what follows it."""
    return msgspec.json.encode(_shown(found, span))


def page_json(page: Page) -> bytes:
    """Return the JSON of a list."""
    shown: dict[str, Any] = {
        "objects": [_shown(found, None) for found in page.objects],
        "truncated": page.cursor is not None,
        "delimitedPrefixes": page.prefixes,
    }
    if page.cursor is not None:
        shown["cursor"] = page.cursor
    return msgspec.json.encode(shown)


def answer_json(**fields: str) -> bytes:
    """Return a short answer's JSON."""
    return msgspec.json.encode(fields)


def error_json(number: int, message: str) -> bytes:
    """Return the value of the error header: raw UTF-8, on one line."""
    text = message.encode(errors="replace").decode()
    return msgspec.json.encode({"version": 1, "v4code": number, "message": text})


def _shown(found: Object, span: tuple[int, int] | None) -> _Shown:
    return _Shown(
        name=found.key,
        version=found.version,
        size=found.size,
        etag=found.etag,
        uploaded=found.uploaded,
        http_fields=found.http,
        custom_fields=[_Record(k, v) for k, v in found.custom.items()],
        checksums=_numbered(found.checksums),
        storage_class=found.storage_class,
        range=None if span is None else Range(offset=span[0], length=span[1]),
    )


def _numbered(checksums: Mapping[str, str]) -> dict[str, str]:
    return {str(ALGORITHMS.index(name)): text for name, text in checksums.items()}


def _digests(put: Put) -> Sequence[tuple[str, bytes]]:
    """Return the checksums that a put names: MD5 in base64, others in hex."""
    found = []
    for name in ALGORITHMS:
        text: str | None = getattr(put, name)
        if text is None:
            continue
        try:
            decoded = (
                base64.b64decode(text, validate=True)
                if name == "md5"
                else bytes.fromhex(text)
            )
        except (binascii.Error, ValueError) as error:
            raise errors.InvalidArgument(f"{name} is no checksum.") from error
        found.append((name, decoded))
    return found
