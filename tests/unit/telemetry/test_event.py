"""What listeners see of an invocation, and what is hidden from them."""

import asyncio
from functools import partial

import pytest

from selfedge.telemetry.event import MARK, REDACTED, ended, shaped, wanted
from selfedge.telemetry.hub import WAITING_MAX, Hub

RAW = {
    "outcome": "ok",
    "eventTimestamp": 1,
    "entrypoint": "selfedgeEdge",
    "logs": [
        {"message": ["hi", {"a": 1}], "level": "log", "timestamp": 1},
        {"message": [MARK, {"wallTime": 7, "headers": {"cf-ray": "1-LAB"}}]},
    ],
    "exceptions": [],
    "event": {
        "request": {
            "url": "http://a.test/x",
            "method": "GET",
            "headers": {
                "cookie": "c",
                "x-api-key": "k",
                "authorization": "b",
                "accept": "*",
            },
        },
        "response": {"status": 200},
    },
}


def event(**changes):
    return shaped({**RAW, **changes}, "worker", "version", lambda stack: f"TS {stack}")


def test_what_the_edge_tells_is_joined_and_is_no_log():
    seen = event()
    assert seen["logs"] == RAW["logs"][:1]
    assert seen["wallTime"] == 7
    assert seen["event"]["request"]["headers"]["cf-ray"] == "1-LAB"
    assert "entrypoint" not in seen


def test_headers_that_may_be_secret_are_hidden():
    headers = event()["event"]["request"]["headers"]
    assert headers["cookie"] == headers["x-api-key"] == REDACTED
    assert headers["authorization"] == REDACTED
    assert headers["accept"] == "*"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.test/plain/path?q=1", "http://a.test/plain/path?q=1"),
        (f"http://a.test/{'0a' * 16}/x", f"http://a.test/{REDACTED}/x"),
        ("http://a.test/AbCd12efGH34ijKL56mnO/x", f"http://a.test/{REDACTED}/x"),
        ("http://a.test/justsmalllettersinalongpath", None),
    ],
)
def test_identifiers_in_urls_are_hidden(url, shown):
    request = {**RAW["event"]["request"], "url": url}
    seen = event(event={"request": request})
    assert seen["event"]["request"]["url"] == (shown or url)


def test_stacks_have_the_positions_that_were_written():
    seen = event(exceptions=[{"name": "E", "message": "m", "stack": "at x"}])
    assert seen["exceptions"][0]["stack"] == "TS at x"


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ([], True),
        ([{"outcome": ["exception"]}], False),
        ([{"outcome": ["ok"]}, {"method": ["get"]}], True),
        ([{"method": ["POST"]}], False),
        ([{"header": {"key": "Accept"}}], True),
        ([{"header": {"key": "accept", "query": "json"}}], False),
        ([{"query": "hi"}], True),
        ([{"query": "absent"}], False),
        ([{"scriptVersion": "other"}], False),
        ([{"sampling_rate": 0.4}], False),
        ([{"sampling_rate": 0.6}], True),
        ([{"client_ip": ["self"]}], False),
    ],
)
def test_filters_choose(filters, passes):
    assert wanted(event(), filters, lambda: 0.5, "192.0.2.1") is passes


def test_every_filter_takes_events_without_a_request():
    gone = ended("worker", "version", "exceededCpu", 1.0)
    assert wanted(gone, [{"outcome": ["exceededCpu"]}], lambda: 0.5, "")
    assert not wanted(gone, [{"method": ["GET"]}], lambda: 0.5, "")


def test_a_listener_that_is_too_slow_misses_events_and_is_told():
    async def listen():
        hub = Hub()
        with hub.listening(("a", "w")) as listener:
            for number in range(WAITING_MAX + 5):
                hub.publish(("a", "w"), partial(dict, number=number))
            seen = [await listener.next() for _ in range(WAITING_MAX + 1)]
        assert not hub.heard(("a", "w"))
        return seen

    seen = asyncio.run(listen())
    assert [one["number"] for one in seen[:-1]] == list(range(WAITING_MAX))
    assert seen[-1]["event"]["type"] == "overload"
    assert "5 events" in seen[-1]["event"]["message"]


def test_an_event_that_nobody_wants_is_not_made():
    def make():
        raise AssertionError

    Hub().publish(("a", "w"), make)
    Hub(lambda _: 1e-300).publish(("a", "w"), make)


def test_events_are_kept_by_the_share_of_their_worker():
    class Kept(list):
        def keep(self, script, event):
            self.append((script, event))

    store = Kept()
    hub = Hub(lambda script: float(script[1] == "seen"), store)
    assert hub.heard(("a", "seen"))
    assert not hub.heard(("a", "other"))
    for name in ("seen", "other"):
        hub.publish(("a", name), partial(dict, name=name))
    assert store == [(("a", "seen"), {"name": "seen"})]
