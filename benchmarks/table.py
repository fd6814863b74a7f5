"""Figures, ratios and bars as a table that a README can quote."""

from collections.abc import Mapping, Sequence

from rounds import Results, Series
from rows import SELFEDGE, TITLES, Bar, Row

_HEAD = ("work", *TITLES.values(), "x wrangler dev", "x bare", "must reach", "")
_LEFT = {0, 6, 7}  # columns of text
_NONE = "-"


def ratio(series: Mapping[str, Series], of: str) -> float | None:
    """Return selfedge's figure as a multiple of that of `of`."""
    own = series[SELFEDGE].value
    other = series[of].value if of in series else None
    return own / other if own is not None and other else None


def missed(row: Row, bar: Bar, series: Mapping[str, Series]) -> bool:
    """Tell whether selfedge is not where `bar` asks it to be, or nobody knows."""
    reached = ratio(series, bar.of) if bar.of else series[SELFEDGE].value
    if reached is None:
        return True
    return reached < bar.limit if row.more_is_better else reached > bar.limit


def table(rows: Sequence[Row], results: Results) -> str:
    """Return the results as a Markdown table, aligned for a terminal."""
    lines = [_line(row, results[row.key]) for row in rows]
    columns = list(zip(_HEAD, *lines, strict=True))
    widths = [max(3, *(len(cell) for cell in column)) for column in columns]
    rule = [
        "-" * width if index in _LEFT else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    return "".join(
        "| " + " | ".join(_aligned(line, widths)) + " |\n"
        for line in (_HEAD, rule, *lines)
    )


def notes(rows: Sequence[Row], results: Results) -> str:
    """Return what a reader must know: failures, and rounds that never agreed."""
    lines = []
    for row in rows:
        for name, series in results[row.key].items():
            what = f"{row.title} under {TITLES[name]}"
            if series.failure:
                lines.append(f"- {what} failed: {series.failure}")
            elif series.disagrees:
                values = ", ".join(_figure(value, row.unit) for value in series.values)
                lines.append(f"- {what}: rounds disagree ({values})")
    return "\n".join(lines)


def _line(row: Row, series: Mapping[str, Series]) -> Sequence[str]:
    figures = [_cell(row, series.get(name)) for name in TITLES]
    ratios = [_ratio(series, of) for of in ("wrangler", "workerd")]
    bars = "; ".join(_bar(row, bar) for bar in row.bars)
    return (f"{row.title}, {row.unit}", *figures, *ratios, bars, _mark(row, series))


def _mark(row: Row, series: Mapping[str, Series]) -> str:
    if not row.bars:
        return ""
    failed = [bar for bar in row.bars if missed(row, bar, series)]
    if not failed:
        return "✓"
    return "✗ MISSED: " + "; ".join(_bar(row, bar) for bar in failed)


def _bar(row: Row, bar: Bar) -> str:
    sign = "≥" if row.more_is_better else "≤"
    if bar.of is None:
        return f"{sign} {_figure(bar.limit, row.unit)}"
    return f"{sign} {bar.limit:g} x {TITLES[bar.of]}"


def _cell(row: Row, series: Series | None) -> str:
    if series is None:
        return _NONE
    return "failed" if series.value is None else _figure(series.value, row.unit)


def _ratio(series: Mapping[str, Series], of: str) -> str:
    found = ratio(series, of)
    return _NONE if found is None else f"{found:.2f}"


def _figure(value: float, unit: str) -> str:
    return f"{value:.3f}" if unit == "s" else f"{value:,.0f}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> Sequence[str]:
    return [
        cell.ljust(width) if index in _LEFT else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
