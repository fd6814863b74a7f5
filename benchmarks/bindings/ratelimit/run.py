"""Rate limits of a Worker under `wrangler dev` and `selfedge dev`, in turns.

    .venv/bin/python benchmarks/bindings/ratelimit/run.py --rounds 3 --seconds 5

README.md in this folder says what is measured and how.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from sides import SCRATCH, Row, compare  # noqa: E402 - found through the line above
from systems import Selfedge, Wrangler  # noqa: E402

ROWS = {
    "no check": Row("/none"),
    "one check": Row("/one"),
    "a key at its limit": Row("/full"),
    "20 checks at once": Row("/many", each=20, least=10_000),
}

if __name__ == "__main__":
    systems = [Wrangler.installed(SCRATCH), Selfedge()]
    sys.exit(compare(systems, HERE / "worker", ROWS, sys.argv[1:]))
