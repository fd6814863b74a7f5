"""How often, how slowly, and what of it is written down."""

import json
import socket
import stat
import time
from itertools import count

import pytest

from harness.api import api_server
from harness.control import serve_api
from selfedge.api.body import read_bytes
from selfedge.binding import Route
from selfedge.control.audit import AuditLog
from selfedge.control.connections import Patience
from selfedge.control.rate import Rate, Rates, TooManyRequests, Windows, calls_at
from selfedge.control.server import Rules

# rates


def test_a_name_over_its_rate_waits_until_its_window_ends():
    now = [1000.0]
    windows = Windows(Rate(most=2, seconds=60), lambda: now[0])
    assert [windows.count("a") for _ in range(3)] == [None, None, 60]
    assert windows.count("b") is None
    now[0] += 59.5
    assert windows.count("a") == 1
    now[0] += 0.5
    assert windows.count("a") is None


def test_a_clock_that_goes_back_locks_nobody_out():
    now = [1000.0]
    windows = Windows(Rate(most=1, seconds=60), lambda: now[0])
    windows.count("a")
    now[0] = 10.0
    assert windows.count("a") is None


def test_names_without_end_take_no_room_without_end():
    windows = Windows(Rate(most=1, seconds=60), lambda: 0.0)
    for number in range(20_000):
        windows.count(f"{number}")
    assert len(windows._counts) <= 10_000


def test_a_peer_that_is_refused_often_is_named():
    rates = Rates(lambda: 0.0, failures=Rate(most=1, seconds=60))
    rates.failed("192.0.2.1")
    with pytest.raises(TooManyRequests, match=r"192\.0\.2\.1"):
        rates.failed("192.0.2.1")


def test_a_token_that_calls_too_often_is_told_when_to_come_back(tmp_path):
    rates = Rates(lambda: 0.0, calls=Rate(most=3, seconds=300))
    with serve_api(tmp_path, rules=Rules(rates=rates)) as api:
        heard = [api.ask("/user", "read") for _ in range(4)]
        assert [one.status for one in heard] == [200, 200, 200, 429]
        assert heard[-1].headers["Retry-After"] == "300"
        assert heard[-1].code == 971
        assert api.ask("/user", "deploy").status == 200


def test_without_a_rate_a_token_may_call_as_often_as_it_likes(tmp_path):
    assert calls_at(0) is None
    assert calls_at(7) == Rate(most=7, seconds=300)
    rates = Rates(lambda: 0.0, calls=None)
    for _ in range(5000):
        rates.called("x")


def test_wrong_tokens_are_limited_and_a_good_one_still_opens(tmp_path):
    rates = Rates(lambda: 0.0, failures=Rate(most=2, seconds=60))
    with serve_api(tmp_path, rules=Rules(rates=rates)) as api:
        assert [api.ask("/user", "wrong").status for _ in range(3)] == [401, 401, 429]
        assert api.ask("/user", "admin").status == 200


# the audit log


@pytest.fixture
def audited(tmp_path):
    log = AuditLog(tmp_path / "logs", lambda: 0.0, lambda _: None)
    with serve_api(tmp_path, rules=Rules(audit=log)) as api:
        yield api, tmp_path / "logs" / "audit.jsonl"


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_each_change_is_one_line_without_its_body(audited):
    api, file = audited
    body = b'{"name": "hunter2", "scope": "read"}'
    made = api.ask("/user/tokens?secret=1", method="POST", body=body)
    text = made.envelope()["result"]["value"]
    me = api.ask("/user/tokens/verify").envelope()["result"]["id"]
    assert lines(file) == [
        {
            "time": "1970-01-01T00:00:00.000Z",
            "token_id": me,
            "token_name": "first",
            "account": "",
            "method": "POST",
            "path": "/client/v4/user/tokens",
            "status": 200,
            "peer": "127.0.0.1",
        }
    ]
    assert text not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_reading_leaves_no_line_and_what_was_refused_does(audited):
    api, file = audited
    for path in ("/user", "/accounts", "/user/tokens", "/nope"):
        api.ask(path)
    api.ask("/user", "wrong")
    api.ask("/user/tokens", "wrong", method="POST", body=b"{}")
    assert not file.exists()
    api.ask("/user/tokens", "read", method="POST", body=b"{}")
    api.ask(f"/accounts/{api.a}/x%2Fy", "b-admin", method="DELETE")
    assert [(one["status"], one["token_name"]) for one in lines(file)] == [
        (403, "read"),
        (403, "b-admin"),
    ]
    assert lines(file)[1]["path"].endswith("/x%2Fy")


def test_a_full_file_makes_room_and_old_ones_go(tmp_path):
    log = AuditLog(tmp_path, lambda: 0.0, print, most_bytes=1000, most_files=3)
    for number in range(100):
        log.write({"path": f"{number:03}" * 10})
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names in (
        ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"],
        ["audit.jsonl.1", "audit.jsonl.2"],
    )
    kept = [line for name in reversed(names) for line in lines(tmp_path / name)]
    numbers = [int(one["path"][:3]) for one in kept]
    assert numbers == list(range(100 - len(numbers), 100))
    assert all(path.stat().st_size < 1200 for path in tmp_path.iterdir())


def test_a_log_that_cannot_be_written_is_told_once_and_fails_no_call(tmp_path):
    told = []
    (tmp_path / "logs").write_text("a file where a folder should be")
    log = AuditLog(tmp_path / "logs", lambda: 0.0, told.append)
    for _ in range(3):
        log.write({"path": "\udcff"})
    assert len(told) == 1
    assert "audit.jsonl" in told[0]


# connections


@pytest.fixture(scope="module")
def impatient():
    async def length(call):
        return len(await read_bytes(call, most_bytes=1_000_000))

    routes = [Route(method="POST", path="/length", answer=length)]
    patience = Patience(first_request_s=0.2, body_look_s=0.2)
    with api_server(routes, patience=patience) as api:
        yield api


HEAD = (
    "POST /client/v4/length HTTP/1.1\r\nHost: localhost\r\n"
    "Authorization: Bearer the-token\r\nContent-Length: {}\r\n\r\n"
)


def ended(one):
    """Read until the server has hung up; return what it said."""
    try:
        return b"".join(iter(lambda: one.recv(1000), b""))
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("said", [b"", b"POST /cl", HEAD.format(5).encode()])
def test_who_connects_and_dawdles_is_hung_up_on(impatient, said):
    with socket.create_connection(("127.0.0.1", impatient.port), 10) as one:
        one.sendall(said)
        began = time.monotonic()
        assert ended(one) == b""
        assert time.monotonic() - began < 5


def test_a_body_that_drips_is_hung_up_on(impatient):
    with socket.create_connection(("127.0.0.1", impatient.port), 10) as one:
        one.sendall(HEAD.format(1000).encode())
        one.settimeout(0.05)
        began = time.monotonic()
        for _ in count():
            assert time.monotonic() - began < 5
            try:
                one.sendall(b"x")
                if one.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break


def test_a_slow_body_that_goes_on_is_read(impatient):
    with socket.create_connection(("127.0.0.1", impatient.port), 10) as one:
        one.sendall(HEAD.format(20 * 2048).encode())
        one.settimeout(0.03)
        for _ in range(19):  # over half a second in all: the server looks twice
            one.sendall(b"x" * 2048)
            with pytest.raises(TimeoutError):
                one.recv(1)
        one.settimeout(10)
        one.sendall(b"x" * 2048)
        assert b'"result":40960' in one.recv(1000)


def test_no_answer_is_a_page(impatient):
    for heard in (impatient.ask("/nope"), impatient.ask("/nope", token="x")):
        assert heard.headers["X-Content-Type-Options"] == "nosniff"
        assert heard.headers["X-Frame-Options"] == "DENY"
        assert heard.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in heard.headers["Content-Security-Policy"]
