"""What Vectorize refuses, in Cloudflare's numbers and words where they are known.

VectorizeError       `number` is the wire's `code`, `status` the HTTP status
├── UnknownIndex         3000
├── DuplicateIndex       3002
├── IndexRefused         3003, ours: an index cannot be as it is asked for
├── WrongQueryWidth      40006
├── TooMany              40007
├── IdTooLong            40008
├── NamespaceTooLong     40009
├── WrongWidth           40012
├── MetadataTooLarge     40016
├── UnreadableVectors    40023
├── TopKTooLarge         40025
├── UnreadableRequest    40026
├── MetadataIndexRefused 40027, ours
├── UnknownVector        40404, ours
├── NoSuchRoute          10000, ours
├── UploadTooLarge       10413, ours
├── UploadCut            10499, ours
└── IndexFailed          50000, ours: the index is damaged, or the disk is full
"""

from typing import ClassVar

from selfedge.bindings.vectorize import limits
from selfedge.errors import UserError


class VectorizeError(UserError):
    """A request that is answered with an error."""

    code = "vectorize"
    number: ClassVar[int]
    status: ClassVar[int] = 400


class UnknownIndex(VectorizeError):
    """There is no index of that name."""

    number = 3000
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(
            f'vectorize.index.not_found - no index is named "{name}"; see which there'
            " are with: selfedge vectorize list"
        )


class DuplicateIndex(VectorizeError):
    """An index of that name is there already."""

    number = 3002
    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(
            f'vectorize.index.duplicate_name - Index name "{name}" is taken;'
            " choose another, or delete that index first"
        )


class IndexRefused(VectorizeError):
    """An index cannot be as it is asked for."""

    number = 3003


class MetadataIndexRefused(VectorizeError):
    """A metadata index cannot be made or deleted."""

    number = 40027


class WrongQueryWidth(VectorizeError):
    """A query's vector is not as wide as the index."""

    number = 40006

    def __init__(self, *, expected: int, got: int) -> None:
        super().__init__(
            f"invalid query vector, expected {expected} dimensions,"
            f" and got {got} dimensions"
        )


class TooMany(VectorizeError):
    """More vectors or ids than one call may carry."""

    number = 40007

    def __init__(self, thing: str, got: int, most: int) -> None:
        super().__init__(
            f"too many {thing}s in payload; max {thing} count is {most}, got {got}"
        )


class IdTooLong(VectorizeError):
    """An id over 64 bytes, or an empty one."""

    number = 40008

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"id too long; max is {limits.ID_MAX_BYTES} bytes, got {size_bytes} bytes"
            if size_bytes
            else "id is empty; give each vector an id"
        )


class NamespaceTooLong(VectorizeError):
    """A namespace over 64 bytes."""

    number = 40009

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"namespace too long; max is {limits.NAMESPACE_MAX_BYTES} bytes,"
            f" got {size_bytes} bytes"
        )


class WrongWidth(VectorizeError):
    """A vector is not as wide as its index, or as no index can be."""

    number = 40012

    def __init__(self, vector_id: str, *, expected: str, got: int) -> None:
        super().__init__(
            f'invalid vector for id="{vector_id}", expected {expected} dimensions,'
            f" and got {got} dimensions"
        )


class MetadataTooLarge(VectorizeError):
    """Metadata over 10 KiB."""

    number = 40016

    def __init__(self, vector_id: str, size_bytes: int) -> None:
        super().__init__(
            f'oversized metadata for vector id="{vector_id}"; the compact JSON'
            " representation of the metadata must not exceed"
            f" {limits.METADATA_MAX_BYTES} bytes, got {size_bytes} bytes"
        )


class UnreadableVectors(VectorizeError):
    """A body of insert or upsert that is not what it should be."""

    number = 40023

    def __init__(
        self, reason: str, *, operation: str, form: str, line: int | None = None
    ) -> None:
        where = f"line {line}" if line else "the body"
        super().__init__(
            f"failed to parse {operation} vectors request in {form} format:"
            f" {where} was not expected format: {reason}"
        )


class TopKTooLarge(VectorizeError):
    """`topK` out of its range."""

    number = 40025


class UnreadableRequest(VectorizeError):
    """A body of another operation that is not what it should be."""

    number = 40026

    def __init__(self, reason: str) -> None:
        super().__init__(f"Failed to parse the request body as JSON: {reason}")


class UnknownVector(VectorizeError):
    """A query names a vector that the index does not hold."""

    number = 40404

    def __init__(self, vector_id: str) -> None:
        super().__init__(f'no vector with id="{vector_id}" in the index')


class NoSuchRoute(VectorizeError):
    """The engine's client asks for nothing else; a Worker's own fetch may."""

    number = 10000
    status = 404

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"no operation {method} {path}")


class UploadTooLarge(VectorizeError):
    """A body over 100 MB."""

    number = 10413
    status = 413

    def __init__(self) -> None:
        super().__init__(
            f"the upload is over {limits.UPLOAD_MAX_BYTES // 1_000_000} MB;"
            " send the vectors in several calls"
        )


class UploadCut(VectorizeError):
    """The body ended early: the client is gone, and reads no answer."""

    number = 10499

    def __init__(self) -> None:
        super().__init__("the upload was cut; nothing was written")


class IndexFailed(VectorizeError):
    """An index cannot answer; others go on."""

    number = 50000
    status = 500

    def __init__(self, index: str, reason: str) -> None:
        super().__init__(f"Vectorize index {index!r} {reason}")
