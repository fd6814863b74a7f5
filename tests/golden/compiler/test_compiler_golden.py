"""Wrangler file and exports → the engine's config, one file for each case.

A case holds Workers, each `---- worker NAME exports A,B` and its wrangler file
(TOML); then a line of equals signs and the config, or the error.
"""

import json
import re
from pathlib import Path

import pytest

from selfedge.binding import Site
from selfedge.bundle.model import Bundle, Module
from selfedge.compiler.graph import Script, part
from selfedge.compiler.process import Placement, backends, process_config
from selfedge.edge.dispatcher import DISPATCHER_NAME
from selfedge.edge.entry import EDGE_NAME
from selfedge.errors import SelfedgeError
from selfedge.manifest.reader import read
from selfedge.standard import BINDINGS

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
LINE = "=" * 72
WORKER = re.compile(r"^---- worker (\S+) exports (\S+)$", re.MULTILINE)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_config(case, tmp_path, monkeypatch, update_golden):
    monkeypatch.chdir(tmp_path)
    given, _, expected = case.read_text().partition(f"{LINE}\n")
    result = compiled(given, tmp_path)
    if update_golden:
        case.write_text(f"{given}{LINE}\n{result}")
    else:
        assert result == expected


def compiled(given: str, folder: Path) -> str:
    pieces = WORKER.split(given)[1:]
    triples = list(zip(pieces[0::3], pieces[1::3], pieces[2::3], strict=True))
    names = frozenset(name for name, _, _ in triples)
    try:
        parts = [_part(folder, names, *triple) for triple in triples]
    except SelfedgeError as error:
        return f"{type(error).__name__}: {error}\n".replace(f"{folder}/", "")
    placement = Placement(
        services="unix:/run/services.sock",
        successor="unix:/run/2.forward",
        scheme="http",
        edge={"colo": "LAB", "loopback": True, "place": {}},
        dispatched=[one.name for one in parts if any(one.triggers)],
    )
    config = _without_edge(process_config(parts, placement))
    return (
        json.dumps(
            {"config": config, "uses": sorted(backends(parts))},
            indent=1,
            default=_shown,
        )
        + "\n"
    )


def _part(folder, names, name, exports, text):
    (folder / name).mkdir()
    (folder / name / "index.js").write_text("")
    path = folder / name / "wrangler.toml"
    path.write_text(text)
    tables = [binding.table for binding in BINDINGS if binding.table]
    manifest = read(path, tables=tables)
    bundle = Bundle(
        modules=[Module(name=f"{name}.js", type="esModule", content=b"(code)")],
        exports=exports.split(","),
        source_map=None,
        inputs=frozenset(),
    )
    site = Site(
        account="local",
        worker=name,
        workers=names,
        objects="/state/objects",
        secrets=manifest.secrets,
        version={"id": "1", "tag": "", "timestamp": "2026-01-01T00:00:00Z"},
        own_hosts=["127.0.0.1:8787"],
    )
    return _elided(part(Script(manifest=manifest, bundle=bundle), BINDINGS, site))


def _elided(compiled_part):
    """Leave out the text of our own modules: it is not what a case is about."""
    for fragment in compiled_part.fragments:
        for service in fragment.services:
            for module in service.get("worker", {}).get("modules", ()):
                module["esModule"] = "(ours)"
    return compiled_part


def _shown(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _without_edge(config):
    """Leave out the text of the edge module, which all cases share."""
    for service in config["services"]:
        for module in service.get("worker", {}).get("modules", ()):
            if module["name"] in {EDGE_NAME, DISPATCHER_NAME}:
                module["esModule"] = "(the edge)"
    return config
