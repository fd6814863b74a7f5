"""The result file, and the page that the README quotes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from machine import slug
from rounds import Results, Series
from rows import Row
from table import missed, notes, ratio, table

Facts = dict[str, Any]
"""machine, versions, date, commit, settings, load: as in the JSON file."""


def write(folder: Path, rows: Sequence[Row], results: Results, facts: Facts) -> Path:
    """Write the result file and latest.md into `folder`; return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = slug(facts["machine"]["cpu"], facts["machine"]["cores"])
    path = folder / f"{facts['date'][:10]}-{machine}.json"
    content = {**facts, "rows": [_row(row, results) for row in rows]}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    (folder / "latest.md").write_text(page(rows, results, facts))
    return path


def page(rows: Sequence[Row], results: Results, facts: Facts) -> str:
    """Return the table with what it needs to be understood."""
    where, used = facts["machine"], facts["versions"]
    told = (
        f"{facts['date'][:10]}, {where['cpu']}, {where['cores']} cores, "
        f"Linux {where['kernel']}. wrangler {used['wrangler']} on Node "
        f"{used['node'].removeprefix('v')}, workerd {used['workerd']}, Python "
        f"{used['python']}. Medians of {facts['settings']['rounds']} interleaved "
        "rounds, `wrk -t1 -c32`; bare workerd is "
        "`workerd serve --experimental --watch wrangler.jsonc`."
    )
    lines = ["<!-- Written by `make bench`. -->", table(rows, results), told]
    if said := notes(rows, results):
        lines += ["", said]
    return "\n".join(lines) + "\n"


def _row(row: Row, results: Results) -> dict[str, Any]:
    series = results[row.key]
    return {
        "key": row.key,
        "title": row.title,
        "unit": row.unit,
        "systems": {name: _series(one) for name, one in series.items()},
        "ratios": {of: ratio(series, of) for of in series},
        "bars": [
            {"limit": bar.limit, "of": bar.of, "missed": missed(row, bar, series)}
            for bar in row.bars
        ],
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "median": series.value,
        "rounds": series.rounds,
        "discarded_rounds": series.discarded,
        "failure": series.failure,
    }
