"""Static files under `wrangler dev`, the bare engine and `selfedge dev`, in turns.

    .venv/bin/python benchmarks/bindings/assets/run.py --rounds 3 --seconds 5

README.md in this folder says what is measured and how.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from sides import SCRATCH, Row, compare  # noqa: E402 - found through the line above
from systems import Selfedge, Workerd, Wrangler  # noqa: E402

from selfedge.settings import cache_dir  # noqa: E402
from selfedge.workerd.install import engine  # noqa: E402

ROWS = {
    "a file": Row("/file.txt", times=4),
    "a page": Row("/page", times=4),
    "a file by env.ASSETS": Row("/bound"),
    "the Worker": Row("/code"),
}

if __name__ == "__main__":
    bare = Workerd(engine(cache_dir(), os.environ))
    systems = [Wrangler.installed(SCRATCH), bare, Selfedge()]
    sys.exit(compare(systems, HERE / "worker", ROWS, sys.argv[1:]))
