"""Ratios, bars and marks follow from the rounds."""

import pytest
from machine import cpu_model, slug
from measures import requests
from rounds import Series
from rows import Bar, Row
from table import missed, notes, ratio, table
from tree import parse_private


def row(*bars: Bar, more_is_better: bool = True) -> Row:
    return Row(
        key="work",
        title="some work",
        unit="req/s",
        measure=requests("hello"),
        bars=bars,
        more_is_better=more_is_better,
    )


def series(**values: float) -> dict[str, Series]:
    return {name: Series(rounds=[[value]]) for name, value in values.items()}


def test_a_series_is_the_median_of_its_rounds_medians() -> None:
    assert Series(rounds=[[1.0, 2.0, 9.0], [3.0], [4.0]]).value == 3.0


def test_rounds_disagree_by_more_than_a_third_of_the_lowest() -> None:
    assert not Series(rounds=[[3.0], [4.0]]).disagrees
    assert Series(rounds=[[3.0], [4.1]]).disagrees


@pytest.mark.parametrize(
    ("bar", "more_is_better", "expected"),
    [
        (Bar(6.0, "wrangler"), True, False),
        (Bar(6.1, "wrangler"), True, True),
        (Bar(6.0, "wrangler"), False, False),
        (Bar(5.9, "wrangler"), False, True),
        (Bar(600.0), True, False),
        (Bar(599.0), False, True),
    ],
)
def test_a_bar_is_missed_on_its_wrong_side(
    bar: Bar, *, more_is_better: bool, expected: bool
) -> None:
    measured = series(wrangler=100.0, selfedge=600.0)
    assert missed(row(bar, more_is_better=more_is_better), bar, measured) is expected


def test_a_bar_is_missed_when_a_figure_is_missing() -> None:
    measured = series(selfedge=600.0) | {"wrangler": Series(failure="did not start")}
    assert missed(row(), Bar(1.0, "wrangler"), measured)


def test_the_table_marks_what_is_missed_and_only_that() -> None:
    one = row(Bar(6.0, "wrangler"), Bar(0.6, "workerd"))
    measured = series(wrangler=100.0, workerd=2000.0, selfedge=700.0)
    line = table([one], {"work": measured}).splitlines()[-1]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "some work, req/s",
        "100",
        "2,000",
        "700",
        "7.00",
        "0.35",
        "≥ 6 x wrangler dev; ≥ 0.6 x bare workerd",
        "✗ MISSED: ≥ 0.6 x bare workerd",
    ]


def test_ratios_need_the_other_system() -> None:
    assert ratio(series(selfedge=1.0), "workerd") is None


def test_notes_name_failures_and_noise() -> None:
    measured = {
        "wrangler": Series(failure="did not start"),
        "selfedge": Series(rounds=[[100.0], [200.0]]),
    }
    said = notes([row()], {"work": measured})
    assert "some work under wrangler dev failed: did not start" in said
    assert "some work under selfedge dev: rounds disagree (100, 200)" in said


def test_private_memory_is_clean_and_dirty_together() -> None:
    rollup = "Rss: 900 kB\nPrivate_Clean:  2 kB\nPrivate_Dirty:  3 kB\nSwap: 7 kB\n"
    assert parse_private(rollup) == 5 * 1024


def test_a_machine_is_named_by_its_processor() -> None:
    cpu = cpu_model("flags : x\nmodel name\t: Intel(R) Xeon(R) CPU E5 @ 2.20GHz\n")
    assert slug(cpu, 4) == "intel-xeon-e5-4cores"
