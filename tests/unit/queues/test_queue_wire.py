"""What producers may send, and how outcomes are read."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.queues import wire
from selfedge.bindings.queues.compile import from_resource, resource
from selfedge.bindings.queues.config import Consumer, Producer, entries, uploaded
from selfedge.bindings.queues.config import parse as parse_table
from selfedge.bindings.queues.delivery import wanted_again
from selfedge.bindings.queues.errors import (
    InvalidContentType,
    InvalidDelay,
    InvalidRequest,
    QueueError,
    TooLarge,
)
from selfedge.bindings.queues.wire import Outcome, Retry, RetryBatch, Taken


def encoded(*bodies, **more):
    items = [{"body": base64.b64encode(body).decode(), **more} for body in bodies]
    return json.dumps({"messages": items}).encode()


def test_a_message_without_format_is_v8():
    assert wire.message(b"x", None, None) == wire.Sent(b"x", "v8", None)
    assert wire.message(b"x", "text", "7") == wire.Sent(b"x", "text", 7)


def test_the_delay_of_a_message_wins_over_that_of_its_batch():
    (own,) = wire.batch(encoded(b"a", contentType="text", delaySecs=3), "9")
    (common,) = wire.batch(encoded(b"a"), "9")
    assert (own.delay_s, common.delay_s) == (3, 9)


@pytest.mark.parametrize("delay", ["-1", "86401", "x", "1.5", "²", "1e3", "9" * 30])
def test_a_wrong_delay_is_refused(delay):
    with pytest.raises(InvalidDelay):
        wire.message(b"", "text", delay)


@pytest.mark.parametrize("delay", [True, 1.5, -1, [], "1e3", float("nan"), 10**30])
def test_a_wrong_delay_in_a_batch_is_refused(delay):
    with pytest.raises(InvalidDelay):
        wire.delay_of(delay)


def test_a_format_that_there_is_not_is_refused():
    with pytest.raises(InvalidContentType, match="must be one of"):
        wire.message(b"", "xml", None)


def test_sizes_are_held():
    assert wire.message(b"x" * 128_000, "bytes", None)
    with pytest.raises(TooLarge, match="128001 bytes exceeds limit of 128000"):
        wire.message(b"x" * 128_001, "bytes", None)
    with pytest.raises(TooLarge, match="count of 101"):
        wire.batch(encoded(*[b""] * 101), None)
    with pytest.raises(TooLarge, match="batch size"):
        wire.batch(encoded(*[b"x" * 100_000] * 3), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"messages": 1}',
        b'{"messages": [{"body": 1}]}',
        b'{"messages": [{"body": "*"}]}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_batch_is_refused(body):
    with pytest.raises(InvalidRequest):
        wire.batch(body, None)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_refused(body):
    with suppress(QueueError):
        wire.batch(body, None)


@given(st.text(min_size=1), st.text(min_size=1), st.none() | st.integers(0, 86400))
def test_a_resource_says_queue_script_and_delay(queue, script, delay):
    assert from_resource(resource(queue, script, delay)) == (queue, script, delay)


def taken(*names):
    return [Taken(n, name, 0, 1, "text", b"", 0, 0) for n, name in enumerate(names)]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(outcome="ok"), {}),
        (Outcome(outcome="ok", ack_all=True), {}),
        (Outcome(outcome="exception"), {"a": 5, "b": 5, "c": 5}),
        (Outcome(outcome="exception", explicit_acks=("a",)), {"b": 5, "c": 5}),
        (
            Outcome(outcome="ok", retry_batch=RetryBatch(retry=True, delay_seconds=9)),
            {"a": 9, "b": 9, "c": 9},
        ),
        (
            Outcome(
                outcome="ok",
                retry_batch=RetryBatch(retry=True, delay_seconds=9),
                retry_messages=(Retry("a", 0),),
                explicit_acks=("b",),
            ),
            {"a": 0, "c": 9},
        ),
        (Outcome(outcome="ok", retry_messages=(Retry("c"),)), {"c": 5}),
        (
            Outcome(
                outcome="ok",
                retry_batch=RetryBatch(delay_seconds=9),
                retry_messages=(Retry("c"),),
            ),
            {"c": 9},
        ),
        (Outcome(outcome="exception", ack_all=True), {}),
    ],
)
def test_what_comes_again(outcome, expected):
    assert wanted_again(taken("a", "b", "c"), outcome, 5) == expected


def test_an_odd_outcome_counts_as_failed():
    assert wire.outcome({"outcome": 3}) == Outcome()
    assert wire.outcome({}).outcome == "exception"


def test_the_table_gives_producers_and_consumers():
    table = {
        "producers": [{"binding": "Q", "queue": "a", "delivery_delay": 3}],
        "consumers": [{"queue": "b"}],
    }
    producer, consumer = parse_table(table)
    assert producer == Producer(binding="Q", queue="a", delivery_delay=3)
    assert (consumer.max_batch_size, consumer.max_batch_timeout) == (10, 5)
    assert consumer == Consumer(queue="b")


def test_an_uploaded_binding_is_an_entry_of_the_table():
    (sent,) = entries({"producers": [{"binding": "Q", "queue": "a"}]})
    assert sent == {"type": "queue", "name": "Q", "queue_name": "a"}
    (producer,) = parse_table(uploaded([sent]))
    assert producer.name("app") == "a"


def test_a_producer_without_a_queue_has_one_of_its_own():
    assert Producer(binding="MY_Q").name("app") == "app-my-q"
