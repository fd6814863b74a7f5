from selfedge.telemetry.counts import Counts
from selfedge.telemetry.ledger import VERSIONS_MAX, Ledger

ONE = Counts(statuses=(0, 0, 1, 0, 0, 0))


def test_counts_of_a_version_add_up():
    ledger = Ledger()
    ledger.add("a", "w", "v1", ONE)
    ledger.add("a", "w", "v1", ONE + ONE)
    ledger.add("a", "w", "v2", ONE)
    told = {one.version: one.counts.requests for one in ledger.workers()}
    assert told == {"v1": 3, "v2": 1}


def test_the_difference_of_counts_and_the_counts_make_the_later_ones():
    later = ONE + ONE + Counts(exceptions=2, wall_ms=3.5)
    assert ONE + (later - ONE) == later


def test_versions_that_were_counted_for_longest_ago_are_dropped():
    ledger = Ledger()
    for number in range(VERSIONS_MAX):
        ledger.add("a", "w", f"v{number}", ONE)
    ledger.add("a", "w", "v0", ONE)
    ledger.add("a", "w", "new", ONE)
    versions = {one.version for one in ledger.workers()}
    assert len(versions) == VERSIONS_MAX
    assert "v0" in versions
    assert "v1" not in versions


def test_calls_are_counted_by_account_and_kind():
    ledger = Ledger()
    ledger.timed("a")("kv", 0.3, failed=False)
    ledger.timed("a")("kv", 7.0, failed=True)
    ledger.timed("b")("kv", 1e9, failed=False)
    first, second = ledger.calls()
    assert (first.took.count, first.failed, first.took.sum_ms) == (2, 1, 7.3)
    assert second.took.counts[-1] == 1


def test_ends_are_counted_by_cause():
    ledger = Ledger()
    ledger.ended("a", "w", "crashed")
    ledger.ended("a", "w", "crashed")
    assert ledger.ends() == {("a", "w", "crashed"): 2}
