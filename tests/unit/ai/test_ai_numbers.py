"""JSON that holds bytes as numbers."""

import json
import os

import msgspec
import pytest

from selfedge.bindings.ai import wire
from selfedge.bindings.ai.tasks import numbers

RAW = os.urandom(300_000)


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def as_object(raw: bytes) -> dict[str, int]:
    return {str(place): number for place, number in enumerate(raw)}


@pytest.mark.parametrize(
    "body",
    [
        compact({"image": list(RAW), "top": 1}),
        json.dumps({"image": list(RAW), "top": 1}).encode(),
        compact({"image": as_object(RAW), "top": 1}),
    ],
    ids=["array", "array with blanks", "Uint8Array"],
)
def test_large_fields_of_numbers_are_bytes(body: bytes) -> None:
    assert numbers.decode(body) == {"image": RAW, "top": 1}


@pytest.mark.parametrize(
    "field",
    [
        [256] * 100_000,
        [-1] * 100_000,
        [0.5] * 100_000,
        [1] * 100_000 + ["a"],
        [{"role": "user", "content": "x" * 50}] * 9_000,
        {**as_object(bytes(100_000)), "5": 256},
        dict(reversed(as_object(bytes(100_000)).items())),
        {**as_object(bytes(100_000)), "length": 1},
        {"0": 1, "a": ["x" * 400_000]},
        {"0": 1, "1": {"2": "x" * 400_000}},
        "x" * 400_000,
    ],
)
def test_whatever_else_is_large_stays_as_it_is(field: object) -> None:
    assert numbers.decode(compact({"field": field})) == {"field": field}


@pytest.mark.parametrize("tail", [b"", b",", b'"', b"]", b'{"0":'])
def test_large_text_that_is_no_json_is_refused(tail: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        numbers.decode(b'{"image":[' + b"1," * 200_000 + tail)


def test_an_engine_client_s_large_array_arrives_as_bytes() -> None:
    body = compact({"inputs": {"image": as_object(RAW)}, "options": {"a": 1}})
    run = wire.read_run({"cf-consn-model-id": "@cf/a/b"}, {}, body)
    assert run.inputs == {"image": RAW}
    assert run.options == {"a": 1}
