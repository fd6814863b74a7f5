"""What a database does for its callers: transactions, time limits, bookmarks."""

import asyncio
import time

import pytest
from d1_support import ENDLESS, ID, RESOURCE, Time, results, rows, run, service

from selfedge.bindings.d1.compile import resource
from selfedge.bindings.d1.database.model import Query
from selfedge.bindings.d1.errors import (
    Closing,
    D1Error,
    DuplicateName,
    InvalidName,
    NoSnapshot,
    QueryTooLong,
    UnknownDatabase,
)
from selfedge.bindings.d1.limits import Limits
from selfedge.bindings.d1.registry import Registry
from selfedge.bindings.d1.service import SNAPSHOT_INTERVAL_S

SHORT = Limits(query_s=0.2)
LONG_S = 10.0


async def filled(d1):
    await results(d1, "CREATE TABLE t (a)", "INSERT INTO t VALUES (0), (1), (2)")


async def marked(d1, sql):
    """Run one query and return its bookmark."""
    return (await d1.query(RESOURCE, [Query(sql)], list))[1]


def test_a_batch_is_all_or_nothing(tmp_path):
    async def body(d1):
        await filled(d1)
        with pytest.raises(D1Error, match="no such table: nowhere"):
            await results(d1, "DELETE FROM t", "INSERT INTO nowhere VALUES (1)")
        with pytest.raises(D1Error, match="no such table: nowhere"):
            await results(d1, "DROP TABLE t", "INSERT INTO nowhere VALUES (1)")
        return await rows(d1, "SELECT count(*) FROM t")

    assert run(body, tmp_path) == [(3,)]


@pytest.mark.parametrize("sql", [ENDLESS, f"CREATE TABLE e AS {ENDLESS}"])
def test_a_query_that_runs_too_long_is_stopped_and_the_next_is_served(tmp_path, sql):
    async def body(d1):
        await filled(d1)
        began = time.monotonic()
        with pytest.raises(QueryTooLong, match=r"over 0.2 s and was stopped"):
            await results(d1, sql)
        assert time.monotonic() - began < LONG_S
        await results(d1, "INSERT INTO t VALUES (9)")
        return await rows(d1, "SELECT count(*) FROM t")

    assert run(body, tmp_path, limits=SHORT) == [(4,)]


def test_a_batch_of_short_statements_has_the_time_of_one(tmp_path):
    step = ENDLESS.replace("FROM n)", "FROM n LIMIT 20000)")

    async def body(d1):
        with pytest.raises(QueryTooLong):
            await results(d1, *[step] * 5000)

    run(body, tmp_path, limits=SHORT)


def test_reads_go_on_beside_a_long_read_and_a_long_write(tmp_path):
    async def body(d1):
        await filled(d1)
        long = [
            asyncio.ensure_future(results(d1, ENDLESS)),
            asyncio.ensure_future(results(d1, f"CREATE TABLE e AS {ENDLESS}")),
        ]
        await asyncio.sleep(0)
        found = await rows(d1, "SELECT count(*) FROM t")
        ended = [task.done() for task in long]
        await asyncio.gather(*long, return_exceptions=True)
        return found, ended

    assert run(body, tmp_path, limits=Limits(query_s=0.6)) == ([(3,)], [False, False])


def test_many_writers_and_readers_lose_nothing(tmp_path):
    async def body(d1):
        await results(d1, "CREATE TABLE t (a)")
        writes = [rows(d1, "INSERT INTO t VALUES (?)", float(i)) for i in range(200)]
        reads = [rows(d1, "SELECT count(*) FROM t") for _ in range(200)]
        mixed = [one for pair in zip(writes, reads, strict=True) for one in pair]
        await asyncio.gather(*mixed)
        return await rows(d1, "SELECT count(*), sum(a) FROM t")

    assert run(body, tmp_path) == [(200, sum(range(200)))]


def test_a_caller_that_goes_away_harms_nobody(tmp_path):
    async def body(d1):
        await filled(d1)
        gone = asyncio.ensure_future(results(d1, "INSERT INTO t VALUES (7)"))
        await asyncio.sleep(0)
        gone.cancel()
        return await rows(d1, "SELECT count(*) >= 3 FROM t")

    assert run(body, tmp_path) == [(1,)]


def test_bookmarks_ascend_also_when_the_clock_goes_back(tmp_path):
    clock = Time()

    async def body(d1):
        found = [await marked(d1, "CREATE TABLE IF NOT EXISTS t (a)")]
        for _ in range(3):
            clock.now -= 10
            found.append(await marked(d1, "INSERT INTO t VALUES (1)"))
        await d1.bookmark(ID)  # leaves a snapshot
        return found

    first = run(body, tmp_path, clock=clock)
    clock.now -= 1000
    second = run(body, tmp_path, clock=clock)
    assert first + second == sorted(set(first + second))


def test_a_read_does_not_move_the_bookmark(tmp_path):
    async def body(d1):
        await filled(d1)
        return [
            await marked(d1, sql)
            for sql in ("SELECT 1", "SELECT 2", "UPDATE t SET a = 1 WHERE 0")
        ]

    assert len(set(run(body, tmp_path))) == 1


def test_a_restore_brings_back_what_a_bookmark_named(tmp_path):
    clock = Time()

    async def body(d1):
        await filled(d1)
        mark = await d1.bookmark(ID)
        clock.now += 60
        await results(d1, "DELETE FROM t", "CREATE TABLE later (b)")
        done = await d1.restore(ID, mark)
        back = await rows(d1, "SELECT count(*) FROM t")
        with pytest.raises(D1Error, match="no such table: later"):
            await rows(d1, "SELECT * FROM later")
        undone = await d1.restore(ID, done.previous)
        return done, mark, back, undone.exact, await rows(d1, "SELECT count(*) FROM t")

    done, mark, back, undone, forth = run(body, tmp_path, clock=clock)
    assert (done.bookmark, done.exact, undone) == (mark, True, True)
    assert (back, forth) == ([(3,)], [(0,)])


def test_a_restore_goes_to_the_newest_snapshot_before(tmp_path):
    clock = Time()

    async def body(d1):
        await filled(d1)
        kept = await d1.bookmark(ID)
        clock.now += 60
        between = await marked(d1, "INSERT INTO t VALUES (8)")
        clock.now += 60
        await results(d1, "INSERT INTO t VALUES (9)")
        done = await d1.restore(ID, between)
        named = await d1.bookmark(ID, int((clock.now - 90) * 1_000_000))
        return kept, done, named, await rows(d1, "SELECT count(*) FROM t")

    kept, done, named, found = run(body, tmp_path, clock=clock)
    assert (done.bookmark, done.exact, named) == (kept, False, kept)
    assert found == [(3,)]


def test_time_travel_without_a_snapshot_says_what_there_is(tmp_path):
    clock = Time()

    async def body(d1):
        await filled(d1)
        with pytest.raises(NoSnapshot, match="no snapshot that old"):
            await d1.bookmark(ID, 1)
        with pytest.raises(NoSnapshot, match="no bookmark of this database"):
            await d1.restore(ID, "00000000-00000000-00000000-" + "0" * 32)

    run(body, tmp_path, clock=clock)


def test_asking_again_copies_nothing_again(tmp_path):
    async def body(d1):
        await filled(d1)
        first, again = await d1.bookmark(ID), await d1.bookmark(ID)
        folder = d1.registry.folder(ID) / "snapshots"
        return first == again, len(list(folder.iterdir()))

    assert run(body, tmp_path) == (True, 1)


def test_the_state_survives_a_restart(tmp_path):
    async def first(d1):
        await filled(d1)

    async def second(d1):
        return await rows(d1, "SELECT count(*) FROM t")

    run(first, tmp_path)
    assert run(second, tmp_path) == [(3,)]


def test_bindings_of_one_id_share_and_names_find(tmp_path):
    async def body(d1):
        made = d1.registry.create("by-name")
        other = resource(ID, "another name")
        d1.bound([other, resource("", "by-name")])
        await d1.query(other, [Query("CREATE TABLE t (a)")], list)
        shared = await rows(d1, "SELECT count(*) FROM t")
        return shared, d1.bound_id(resource("", "by-name")) == made.uuid

    assert run(body, tmp_path) == ([(0,)], True)


def test_no_id_leads_out_of_the_folder(tmp_path):
    async def body(d1):
        for identifier in ("..", "../x", "/etc", ".", "a/b", "%2e%2e"):
            d1.bound([resource(identifier, "n")])
            assert d1.registry.folder(identifier).parent == tmp_path / "d1"

    run(body, tmp_path / "d1")
    assert {one.name for one in tmp_path.iterdir()} == {"d1"}


def test_a_database_that_was_deleted_is_unknown_and_its_disk_is_free(tmp_path):
    async def body(d1):
        await filled(d1)
        await d1.delete(d1.registry.find(ID))
        with pytest.raises(UnknownDatabase):
            await rows(d1, "SELECT 1")
        return [path.name for path in tmp_path.iterdir()]

    assert run(body, tmp_path) == []


def test_deleting_does_not_wait_for_a_long_query(tmp_path):
    async def body(d1):
        long = asyncio.ensure_future(results(d1, ENDLESS))
        while d1.database(ID).idle_s != 0.0:
            await asyncio.sleep(0)
        await results(d1, "CREATE TABLE t (a)")
        await asyncio.wait_for(d1.delete(d1.registry.find(ID)), LONG_S)
        with pytest.raises(D1Error, match="D1 is stopping"):
            await long

    run(body, tmp_path)


@pytest.mark.parametrize("name", ["", "-x", "a/b", "x" * 129, "é", "a\nb"])
def test_a_name_that_no_database_may_have_is_refused(tmp_path, name):
    async def body(d1):
        with pytest.raises(InvalidName):
            d1.registry.create(name)

    run(body, tmp_path)


def test_names_are_taken_once(tmp_path):
    async def body(d1):
        d1.registry.create("a")
        with pytest.raises(DuplicateName):
            d1.registry.create("a")

    run(body, tmp_path)


def test_a_description_that_is_damaged_is_left_out_and_told(tmp_path):
    told = []

    async def main():
        async with service(tmp_path) as d1:
            path = d1.registry.folder(ID) / "database.json"
        path.write_text("{")
        again = Registry(tmp_path, clock=Time(), new_id=str, notice=told.append)
        return again.all()

    assert asyncio.run(main()) == []
    assert "cannot be read" in told[0]


def test_the_interval_of_snapshots_is_what_the_readme_says():
    assert SNAPSHOT_INTERVAL_S == 15 * 60


def test_a_damaged_file_is_told_and_a_restore_mends_it(tmp_path):
    clock = Time()

    async def before(d1):
        await filled(d1)
        return await d1.bookmark(ID)

    async def after(d1):
        with pytest.raises(D1Error, match="is damaged"):
            await rows(d1, "SELECT count(*) FROM t")
        done = await d1.restore(ID, mark)
        return done.bookmark, await rows(d1, "SELECT count(*) FROM t")

    mark = run(before, tmp_path, clock=clock)
    clock.now += 60
    (tmp_path / ID / "database.sqlite").write_bytes(b"damage" * 4096)
    assert run(after, tmp_path, clock=clock) == (mark, [(3,)])
    assert (tmp_path / ID / "damaged-database.sqlite").exists()


def test_stopping_does_not_wait_for_a_large_copy(tmp_path):
    async def main():
        async with service(tmp_path) as d1:
            await filled(d1)
            await results(d1, *["INSERT INTO t VALUES (zeroblob(1900000))"] * 30)
            copying = asyncio.ensure_future(d1.bookmark(ID))
            await asyncio.sleep(0)
            d1.stopping.set()
            return await asyncio.gather(copying, return_exceptions=True)

    (found,) = asyncio.run(main())
    assert isinstance(found, D1Error)
    assert list((tmp_path / ID / "snapshots").glob("*")) == []


def test_closing_answers_those_who_wait_at_once(tmp_path):
    async def main():
        async with service(tmp_path) as d1:
            await filled(d1)
            slow = f"CREATE TABLE e AS {ENDLESS}"
            waiting = [asyncio.ensure_future(results(d1, slow)) for _ in range(20)]
            await asyncio.sleep(0)
            await asyncio.wait_for(d1.close(), LONG_S)
            return await asyncio.gather(*waiting, return_exceptions=True)

    assert {type(one) for one in asyncio.run(main())} == {Closing}


def test_the_first_callers_may_come_together(tmp_path):
    async def body(d1):
        return await asyncio.gather(*(rows(d1, "SELECT 1") for _ in range(50)))

    assert run(body, tmp_path) == [[(1,)]] * 50


def test_a_database_that_rests_is_described_and_wakes(tmp_path):
    async def body(d1):
        await filled(d1)
        for lane in d1.database(ID).rest():
            await asyncio.to_thread(lane.join)
        described = await d1.described(d1.registry.find(ID))
        found = await asyncio.gather(*(rows(d1, "SELECT a FROM t") for _ in range(9)))
        return described, found

    described, found = run(body, tmp_path)
    assert described == (1, 8192)
    assert found == [[(0,), (1,), (2,)]] * 9


def test_readers_know_the_size_and_the_row_id_of_the_last_write(tmp_path):
    async def body(d1):
        await filled(d1)
        (grown,) = await results(d1, "INSERT INTO t VALUES (zeroblob(100000))")
        (one,) = await results(d1, "SELECT 1")
        two = await results(d1, "SELECT 1", "SELECT 2")
        return grown, [one, *two]

    grown, reads = run(body, tmp_path)
    assert grown.size_after > 100_000
    for read in reads:
        assert (read.size_after, read.last_row_id) == (grown.size_after, 4)
        assert read.changed_db is False


async def until(condition):
    """Wait until `condition` holds."""
    deadline = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_a_database_that_changes_gets_snapshots_and_one_that_does_not_none(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("selfedge.bindings.d1.service.SNAPSHOT_INTERVAL_S", 0.0)
    clock = Time()

    async def body(d1):
        folder = d1.registry.folder(ID) / "snapshots"

        def count():
            return len(list(folder.glob("*.sqlite")))

        await filled(d1)
        await until(lambda: count() == 1)
        looked = {d1._open[ID].looked}
        await until(lambda: looked.add(d1._open[ID].looked) or len(looked) > 3)
        unchanged = count()
        clock.now += 60
        await results(d1, "INSERT INTO t VALUES (9)")
        await until(lambda: count() == 2)
        return unchanged

    assert run(body, tmp_path, clock=clock, limits=SHORT) == 1


def test_an_idle_database_gives_its_threads_back_and_answers_again(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("selfedge.bindings.d1.service.IDLE_S", 0.0)

    async def body(d1):
        await filled(d1)
        folder = d1.registry.folder(ID)
        await until(lambda: not (folder / "database.sqlite-wal").exists())
        return await rows(d1, "SELECT count(*) FROM t")

    assert run(body, tmp_path, limits=SHORT) == [(3,)]
