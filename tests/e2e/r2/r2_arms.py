"""The same Worker under `selfedge dev` and under `wrangler dev`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import fetch
from harness.project import write
from harness.wrangler_dev import wrangler_dev

BEHAVIOUR = Path(__file__).with_name("behaviour.js").read_text()
PROJECT = {
    "wrangler.jsonc": json.dumps(
        {
            "name": "r2",
            "main": "index.js",
            "compatibility_date": "2026-01-01",
            "r2_buckets": [{"binding": "R2", "bucket_name": "behaviour"}],
        }
    ),
    "index.js": BEHAVIOUR,
}


@dataclass(frozen=True)
class Arm:
    """A Worker that runs the cases of behaviour.js."""

    url: str

    def run(self, case: str) -> Any:
        answer = fetch(f"{self.url}/{case}")
        assert answer.status == 200, answer.text
        return answer.json()


@contextmanager
def under_wrangler_dev(folder: Path) -> Iterator[Arm]:
    """Run the Worker under `wrangler dev`."""
    write(folder, PROJECT)
    with wrangler_dev(folder) as url:
        yield Arm(url)
