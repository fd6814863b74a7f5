"""Logs keep what is kept, within bounds, and find it again."""

import asyncio
import os

import pytest

from selfedge.telemetry.logs.files import FILE, FILES_MAX, Retention, append, sweep
from selfedge.telemetry.logs.query import Wanted, find
from selfedge.telemetry.logs.store import PENDING_MAX, LogStore

SCRIPT = ("a" * 32, "talks")


def event(number, *said, outcome="ok", **more):
    return {
        "outcome": outcome,
        "logs": [{"message": list(said), "level": "log", "timestamp": number}],
        "exceptions": [],
        "eventTimestamp": number,
        "event": {"request": {"url": "http://talks/path", "method": "GET"}},
        **more,
    }


def store(tmp_path, notices=None, **retention):
    told = [] if notices is None else notices
    return LogStore(tmp_path, Retention(**retention), lambda: 1000.0, told.append)


def keep(tmp_path, events, **retention):
    async def run():
        logs = store(tmp_path, **retention)
        for one in events:
            logs.keep(SCRIPT, one)
            await logs.flush()

    asyncio.run(run())


def found(tmp_path, **wanted):
    async def run():
        return await store(tmp_path).find(SCRIPT, Wanted(**wanted))

    return [one["eventTimestamp"] for one in asyncio.run(run())]


def test_entries_are_found_by_a_later_process_in_the_order_of_time(tmp_path):
    keep(tmp_path, [event(number) for number in range(5)])
    assert found(tmp_path) == [0, 1, 2, 3, 4]
    assert found(tmp_path, limit=2) == [3, 4]
    assert found(tmp_path, since_ms=2, until_ms=4) == [2, 3]


def test_search_looks_at_logs_exceptions_and_what_was_asked(tmp_path):
    thrown = {"name": "TypeError", "message": "odd", "timestamp": 3}
    keep(
        tmp_path,
        [
            event(1, "Hello", {"deep": [1]}),
            event(2, outcome="exception"),
            event(3, exceptions=[thrown]),
            event(4, event={"cron": "* * * * *"}),
        ],
    )
    assert found(tmp_path, search="hello") == [1]
    assert found(tmp_path, search="DEEP") == [1]
    assert found(tmp_path, search="typeerror: odd") == [3]
    assert found(tmp_path, search="* *") == [4]
    assert found(tmp_path, search="/path") == [1, 2, 3]
    assert found(tmp_path, outcome="exception") == [2]


def test_ids_grow_so_that_one_can_go_on_after_the_last(tmp_path):
    keep(tmp_path, [event(1), event(2), event(3)])
    entries = find(tmp_path / SCRIPT[0] / SCRIPT[1], Wanted())
    ids = [one["id"] for one in entries]
    assert ids == sorted(set(ids))
    assert found(tmp_path, after=ids[1]) == [3]


def test_the_disk_is_bounded_and_the_newest_stay(tmp_path):
    most = 16 * 1024
    keep(
        tmp_path,
        [event(number, "x" * 300) for number in range(200)],
        bytes_of_worker=most,
    )
    files = list((tmp_path / SCRIPT[0] / SCRIPT[1]).iterdir())
    assert len(files) <= FILES_MAX
    assert sum(one.stat().st_size for one in files) < most * 1.3
    kept = found(tmp_path, limit=1000)
    assert kept == list(range(kept[0], 200))
    assert len(kept) > 10


def test_a_line_that_a_crash_broke_off_spoils_no_other(tmp_path):
    keep(tmp_path, [event(1)])
    file = tmp_path / SCRIPT[0] / SCRIPT[1] / FILE
    file.write_bytes(file.read_bytes() + b'{"half')
    keep(tmp_path, [event(2)])
    assert found(tmp_path) == [1, 2]


def test_what_is_too_old_is_removed(tmp_path):
    folder = tmp_path / "a" / "w"
    append(folder, b"{}\n", Retention())
    os.utime(folder / FILE, (0, 0))
    sweep(tmp_path, Retention(days=1), 86400.0 + 1)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_told_once_and_stops_nothing(tmp_path):
    notices = []

    async def run():
        blocked = tmp_path / "file"
        blocked.write_text("")
        logs = store(blocked, notices)
        for number in range(3):
            logs.keep(SCRIPT, event(number))
            await logs.flush()

    asyncio.run(run())
    assert len(notices) == 1
    assert "cannot be written" in notices[0]


def test_too_many_at_once_are_lost_and_counted(tmp_path):
    notices = []

    async def run():
        logs = store(tmp_path, notices)
        for number in range(PENDING_MAX + 7):
            logs.keep(SCRIPT, event(number))
        await logs.flush()

    asyncio.run(run())
    assert notices == ["7 events of Workers were too many for their logs."]


@pytest.mark.parametrize("entry", [b"[]\n", b"null\n", b"\xff\n"])
def test_lines_that_are_no_entries_are_passed_over(tmp_path, entry):
    append(tmp_path, entry, Retention())
    assert find(tmp_path, Wanted()) == []
