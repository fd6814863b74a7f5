"""What `selfedge tail` asks for, and how events look to people."""

import pytest

from selfedge.cli.workers.events import lines
from selfedge.cli.workers.tail import filters

NOTHING = {
    "statuses": (),
    "methods": (),
    "search": None,
    "sampling_rate": None,
    "version_id": None,
}
OUTCOMES = ["exception", "exceededCpu", "exceededMemory", "unknown"]


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({}, []),
        ({"statuses": ("error", "ok")}, [{"outcome": [*OUTCOMES, "ok"]}]),
        ({"sampling_rate": 0.0}, [{"sampling_rate": 0.0}]),
        (
            {"methods": ("GET",), "search": "x", "version_id": "v"},
            [{"method": ["GET"]}, {"query": "x"}, {"scriptVersion": "v"}],
        ),
    ],
)
def test_filters_are_those_of_wrangler(chosen, wanted):
    assert filters(**{**NOTHING, **chosen}) == wanted


def test_a_request_tells_its_answer_logs_and_stack():
    event = {
        "outcome": "exception",
        "eventTimestamp": 86_400_000,
        "logs": [{"level": "warn", "message": ["a", {"b": 1}]}],
        "exceptions": [
            {"name": "E", "message": "m", "stack": "E: m\n    at f (index.ts:1:2)"}
        ],
        "event": {
            "request": {"method": "GET", "url": "http://w/"},
            "response": {"status": 500},
        },
    }
    head, *rest = lines(event)
    assert head.startswith("GET http://w/ 500 - Exception @ 197")
    assert rest == ['  (warn) a {"b": 1}', "  E: m", "      at f (index.ts:1:2)"]


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ({"cron": "* * * * *", "scheduledTime": 1}, "Cron * * * * *"),
        ({"queue": "q", "batchSize": 1}, "Queue q"),
        ({"rpcMethod": "add"}, "RPC add"),
        ({"message": "too slow", "type": "overload"}, "Tail too slow"),
        (None, "w"),
    ],
)
def test_other_events_tell_what_started_them(trigger, words):
    event = {"outcome": "ok", "scriptName": "w", "event": trigger}
    assert list(lines(event)) == [f"{words} - Ok @ ?"]
