"""The cases of D1's behaviour under `wrangler dev`: what a Worker sees there."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness.client import fetch
from harness.wrangler import NODE_MAJOR, Wrangler
from selfedge.packages import npm

UNIT = Path(__file__).parents[2] / "unit" / "d1"
EXPECTED = json.loads((UNIT / "behaviour.json").read_text())
START_S = 60.0
_NO_STATEMENT = "SQL code did not contain a statement."
DIFFERENT = {  # (case, position) → what is seen there instead
    ("foreign_keys_hold", 0): {"error": "internal error; reference = …"},
    ("bad_sql", 8): {"error": f"D1_ERROR: {_NO_STATEMENT}", "cause": _NO_STATEMENT},
}
CONFIG = {
    "name": "behaviour",
    "main": "behaviour.js",
    "compatibility_date": "2026-10-01",
    "d1_databases": [{"binding": "DB", "database_id": "behaviour"}],
}


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """The URL of the Worker under `wrangler dev`."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "wrangler.jsonc").write_text(json.dumps(CONFIG))
    (folder / "behaviour.js").write_text((UNIT / "behaviour.js").read_text())
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CLOUDFLARE_")},
        "HOME": str(folder),
        "CI": "1",
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_HIDE_BANNER": "true",
    }
    script = Wrangler.installed(folder).script
    command = [*npm.node(NODE_MAJOR), script, "dev", f"--port={port}"]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [*command, "--inspector-port=0"],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(START_S)
        log.close()


def _wait(url, process):
    deadline = time.monotonic() + START_S
    while True:
        try:
            return fetch(url)
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_under_wrangler_dev_sees(there, case):
    answer = fetch(f"{there}/{case}")
    assert answer.status == 200, answer.text
    expected = list(EXPECTED[case])
    for (of, position), seen in DIFFERENT.items():
        if of == case:
            expected[position] = seen
    assert json.loads(re.sub(r"(reference = )\w+", r"\1…", answer.text)) == expected
