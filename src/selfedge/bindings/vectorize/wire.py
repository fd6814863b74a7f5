"""The V2 protocol: bytes ↔ typed requests and answers."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import Raw

from selfedge.bindings.vectorize import limits
from selfedge.bindings.vectorize.engine.contract import Hit, Vector, floats
from selfedge.bindings.vectorize.errors import (
    IdTooLong,
    MetadataTooLarge,
    NamespaceTooLong,
    TooMany,
    TopKTooLarge,
    UnreadableRequest,
    UnreadableVectors,
    VectorizeError,
)
from selfedge.bindings.vectorize.filters.parse import conditions
from selfedge.bindings.vectorize.index.model import (
    Info,
    Operation,
    Query,
    Returned,
)

T = TypeVar("T")
Failed: TypeAlias = Callable[..., VectorizeError]

_NULL = Raw(b"null")


class _Vector(msgspec.Struct):
    id: str
    values: list[float]
    namespace: str | None = None
    metadata: Raw = _NULL


class _Vectors(msgspec.Struct):
    vectors: list[_Vector]


class _Ids(msgspec.Struct):
    ids: list[str]


class _Query(msgspec.Struct, rename="camel"):
    vector: list[float] | None = None
    vector_id: str | None = None
    top_k: int | None = None
    namespace: str | None = None
    filter: Raw = _NULL
    return_values: bool | None = None
    return_metadata: bool | str | None = None


_LINE = msgspec.json.Decoder(_Vector)
_VECTORS = msgspec.json.Decoder(_Vectors)
_IDS = msgspec.json.Decoder(_Ids)
_QUERY = msgspec.json.Decoder(_Query)


def parse_vectors(
    body: bytes,
    *,
    as_json: bool,
    operation: Operation,
    most: int = limits.BATCH_MAX,
    discard: bool = False,
) -> list[Vector]:
    """Read the body of insert or upsert; of equal ids one is kept.

    `discard` leaves out lines that cannot be read.

    Raises:
        VectorizeError: it is malformed, empty, or over a limit.
    """
    form = "json" if as_json else "ndjson"
    failed = partial(UnreadableVectors, operation=operation, form=form)
    kept: dict[str, Vector] = {}
    count = 0
    read = _from_json if as_json else partial(_from_lines, discard=discard)
    for vector in read(body, failed):
        count += 1
        if operation == "upsert" or vector.id not in kept:
            kept[vector.id] = vector
    if not count:
        raise failed("it holds no vectors; send at least one")
    if count > most:
        raise TooMany("vector", count, most)
    return list(kept.values())


def parse_ids(body: bytes, *, most: int = limits.BATCH_MAX) -> Sequence[str]:
    """Read the body of getByIds or deleteByIds.

    Raises:
        VectorizeError: it is malformed or over a limit.
    """
    ids = _decoded(_IDS.decode, body, UnreadableRequest).ids
    if len(ids) > most:
        raise TooMany("id", len(ids), most)
    for vector_id in ids:
        _check_id(vector_id)
    return list(dict.fromkeys(ids))


def parse_query(body: bytes) -> Query:
    """Read the body of a query.

    Raises:
        VectorizeError: it is malformed or over a limit.
    """
    asked = _decoded(_QUERY.decode, body, UnreadableRequest)
    if (asked.vector is None) == (asked.vector_id is None):
        raise UnreadableRequest("expected either vector or vectorId")
    if asked.vector_id is not None:
        _check_id(asked.vector_id)
    _check_namespace(asked.namespace)
    values = asked.vector or ()
    if (fault := _fault(values, math.hypot(*values))) is not None:
        raise UnreadableRequest(f"vector: {fault}")
    returned = _returned(asked.return_metadata)
    with_values = bool(asked.return_values)
    return Query(
        values=asked.vector,
        vector_id=asked.vector_id,
        top_k=_top_k(asked.top_k, with_payload=with_values or returned is Returned.ALL),
        namespace=asked.namespace,
        conditions=_decoded(conditions, bytes(asked.filter), UnreadableRequest),
        return_values=with_values,
        return_metadata=returned,
    )


def matches(hits: Sequence[Hit], query: Query) -> bytes:
    """Write the answer to `query`."""
    found = []
    for hit in hits:
        match: dict[str, Any] = {"id": hit.vector.id, "score": hit.score}
        if query.return_values:
            match["values"] = hit.vector.values
        _add_namespace(match, hit.vector)
        if query.return_metadata is not Returned.NONE:
            _add_metadata(match, hit.vector)
        found.append(match)
    return msgspec.json.encode({"count": len(found), "matches": found})


def vectors(found: Iterable[Vector]) -> bytes:
    """Write the answer to getByIds: a bare array."""
    answer = []
    for vector in found:
        item: dict[str, Any] = {"id": vector.id, "values": vector.values}
        _add_namespace(item, vector)
        _add_metadata(item, vector)
        answer.append(item)
    return msgspec.json.encode(answer)


def described(info: Info) -> bytes:
    """Write the answer to describe."""
    return msgspec.json.encode(
        {
            "vectorCount": info.vectors,
            "dimensions": info.dimensions,
            "processedUpToDatetime": info.processed_at,
            "processedUpToMutation": info.processed,
        }
    )


def mutated(mutation_id: str) -> bytes:
    """Write the answer to a mutation."""
    return msgspec.json.encode({"mutationId": mutation_id})


def refused(error: VectorizeError) -> bytes:
    """Write an error as the engine's client reads it."""
    return msgspec.json.encode({"error": str(error), "code": error.number})


def _from_json(body: bytes, failed: Failed) -> Iterator[Vector]:
    decoded = _decoded(_VECTORS.decode, body, failed)
    for number, vector in enumerate(decoded.vectors, 1):
        yield _vector(vector, partial(failed, line=number))


def _from_lines(
    body: bytes, failed: Failed, *, discard: bool = False
) -> Iterator[Vector]:
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            failed_here = partial(failed, line=number)
            try:
                vector = _vector(_decoded(_LINE.decode, line, failed_here), failed_here)
            except UnreadableVectors:
                if not discard:
                    raise
            else:
                yield vector


def _vector(read: _Vector, failed: Failed) -> Vector:
    _check_id(read.id)
    _check_namespace(read.namespace)
    length = math.hypot(*read.values)  # the engine needs it, too
    if (fault := _fault(read.values, length)) is not None:
        raise failed(f'values of id="{read.id}": {fault}')
    values, metadata = floats(read.values), bytes(read.metadata)
    if metadata == b"null":
        return Vector(read.id, values, read.namespace, length=length)
    if not metadata.startswith(b"{"):
        raise failed(f'metadata of id="{read.id}": expected an object')
    if len(metadata) > limits.METADATA_MAX_BYTES:
        metadata = _compact(read.id, metadata)
    return Vector(read.id, values, read.namespace, metadata, length=length)


def _compact(vector_id: str, metadata: bytes) -> bytes:
    compact = msgspec.json.encode(msgspec.json.decode(metadata))
    if len(compact) > limits.METADATA_MAX_BYTES:
        raise MetadataTooLarge(vector_id, len(compact))
    return compact


def _fault(values: Sequence[float], length: float) -> str | None:
    """Return why `values` cannot be 32-bit floats, or None."""
    if length > limits.FLOAT32_MAX and max(map(abs, values)) > limits.FLOAT32_MAX:
        return f"a value is beyond the 32-bit floats (±{limits.FLOAT32_MAX:.4g})"
    return None


def _check_id(vector_id: str) -> None:
    size = len(vector_id.encode())
    if not 1 <= size <= limits.ID_MAX_BYTES:
        raise IdTooLong(size)


def _check_namespace(namespace: str | None) -> None:
    size = len((namespace or "").encode())
    if size > limits.NAMESPACE_MAX_BYTES:
        raise NamespaceTooLong(size)


def _returned(asked: bool | str | None) -> Returned:  # noqa: FBT001 - as on the wire
    if not isinstance(asked, str):
        return Returned.ALL if asked else Returned.NONE
    try:
        return Returned(asked)
    except ValueError:
        raise UnreadableRequest(
            f'returnMetadata: expected "none", "indexed", "all" or a boolean,'
            f" got {asked!r}"
        ) from None


def _top_k(asked: int | None, *, with_payload: bool) -> int:
    top_k = limits.TOP_K_DEFAULT if asked is None else asked
    if top_k < 1:
        raise TopKTooLarge(f"min top K is 1, but got {top_k}")
    if top_k > limits.TOP_K_MAX:
        raise TopKTooLarge(f"max top K is {limits.TOP_K_MAX}, but got {top_k}")
    if with_payload and top_k > limits.TOP_K_MAX_WITH_PAYLOAD:
        raise TopKTooLarge(
            "with returnValues=true or returnMetadata=all, max top K is"
            f" {limits.TOP_K_MAX_WITH_PAYLOAD}, but got {top_k}; for a top K up to"
            f" {limits.TOP_K_MAX}, retry with returnValues=false and"
            " returnMetadata=indexed"
        )
    return top_k


def _add_namespace(item: dict[str, Any], vector: Vector) -> None:
    if vector.namespace is not None:
        item["namespace"] = vector.namespace


def _add_metadata(item: dict[str, Any], vector: Vector) -> None:
    if vector.metadata is not None:
        item["metadata"] = Raw(vector.metadata)


def _decoded(read: Callable[[bytes], T], body: bytes, failed: Failed) -> T:
    try:
        return read(body)
    except UnicodeDecodeError:
        raise failed("it is not valid UTF-8") from None
    except msgspec.MsgspecError as error:
        hint = " (NaN and Infinity are null in JSON)" if "`null`" in str(error) else ""
        raise failed(f"{error}{hint}") from None
    except RecursionError:
        raise failed("it is nested too deeply") from None
