"""A real text corpus: the paragraphs of the docstrings of installed packages.

    .venv/bin/python benchmarks/vectorize/corpus.py --seconds 200

They are embedded with MiniLM in selfedge's own runner, and searched by a Worker.
"""

import argparse
import ast
import random
import site
import statistics
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from raw import Raw
from run import TOP_K, exact, recall
from worker import Worker, command, running

from selfedge.bindings.vectorize.engine import graph

Rows = Sequence[Sequence[float]]

PACKAGES = "numpy", "hypothesis", "cloudflare", "onnxruntime"
_LENGTHS = range(60, 500)  # characters of a paragraph
QUERIES = 100


def paragraphs() -> Sequence[str]:
    """Return all that differ, in an order that does not change."""
    (home,) = site.getsitepackages()
    roots = [Path(home, name) for name in PACKAGES]
    found = {
        text
        for root in roots
        for path in sorted(root.rglob("*.py"))
        for text in _of(path)
        if len(text) in _LENGTHS
    }
    ordered = sorted(found)
    random.Random(1).shuffle(ordered)  # noqa: S311 - no secret
    return ordered


def _of(path: Path) -> Iterator[str]:
    kinds = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield from (" ".join(part.split()) for part in text.split("\n\n"))


def main(arguments: Sequence[str]) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=200)
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # of the packages' own escapes
    texts = paragraphs()
    print(f"{len(texts)} paragraphs of docstrings", flush=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as worker:
        rows = list(worker.embedded(texts, chosen.seconds))
        print(f"{len(rows)} embedded, {len(rows[0])} dimensions", flush=True)
        _measure(Path(folder), worker, rows[QUERIES:], rows[:QUERIES])
    return 0


def _measure(folder: Path, worker: Worker, kept: Rows, queries: Rows) -> None:
    width = str(len(kept[0]))
    command(folder, "create", "bench", "--dimensions", width, "--metric=cosine")
    field = "--property-name=n", "--type=number"
    command(folder, "create-metadata-index", "bench", *field)
    worker.fill(kept)
    vectors, category = np.array(kept, np.float32), np.arange(len(kept)) % 10
    asked = np.array(queries, np.float32)
    for name, allowed, options in (
        ("all", None, {}),
        ("a tenth", category == 3, {"filter": {"n": 3}}),
    ):
        best = [exact(vectors, query, allowed) for query in asked]
        found = [worker.nearest(query, topK=TOP_K, **options) for query in queries]
        print(f"recall, {name}: {recall(found, best):.3f}")
    times = worker.seconds(queries)
    print(f"p50 in the Worker: {statistics.median(times) * 1000:.2f} ms")
    graph.SORT_KIB = 1024
    with Raw(folder / "raw", len(kept[0])) as raw:
        raw.fill(vectors, category)
        raw.optimise()
        best = [exact(vectors, query, None) for query in asked]
        found = raw.queries(asked, TOP_K, None)[0]
        print(f"recall, sorted, though it is so small: {recall(found, best):.3f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
