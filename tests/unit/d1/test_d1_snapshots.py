"""Which snapshots stay, and how long."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.d1.database.snapshots import Snapshot, Snapshots, expired

HOUR = 3600 * 1_000_000
DAY = 24 * HOUR
NOW = 20_000 * DAY
AGES = st.lists(st.tuples(st.integers(0, 40 * DAY), st.booleans()), max_size=60)


def at(age, *, kept=False):
    return Snapshot(NOW - age, kept, Path("x"))


@given(AGES)
def test_what_stays_is_thin_and_what_was_asked_for_stays(ages):
    there = [at(age, kept=kept) for age, kept in ages]
    stays = set(there) - set(expired(there, NOW))
    for one in there:
        age = NOW - one.time_us
        if age <= HOUR or (one.kept and age <= 30 * DAY):
            assert one in stays
        if age > 30 * DAY:
            assert one not in stays
    routine = [one for one in stays if not one.kept]
    hours = [o.time_us // HOUR for o in routine if HOUR < NOW - o.time_us <= DAY]
    days = [o.time_us // DAY for o in routine if NOW - o.time_us > DAY]
    assert len(hours) == len(set(hours))
    assert len(days) == len(set(days))


@given(AGES)
def test_thinning_again_removes_nothing(ages):
    there = [at(age, kept=kept) for age, kept in ages]
    gone = expired(there, NOW)
    assert expired([one for one in there if one not in gone], NOW) == []


def test_files_are_found_by_their_time(tmp_path):
    snapshots = Snapshots(tmp_path / "s")
    assert (snapshots.all(), snapshots.at(5)) == ([], None)
    for time_us, kept in ((30, False), (10, True), (20, False)):
        snapshots.path(time_us, kept=kept).touch()
    (tmp_path / "s" / "note.sqlite.part").touch()
    assert [(one.time_us, one.kept) for one in snapshots.all()] == [
        (10, True),
        (20, False),
        (30, False),
    ]
    found = [snapshots.at(time_us) for time_us in (9, 10, 25, 99)]
    assert [one and one.time_us for one in found] == [None, 10, 20, 30]
