"""A Worker sees the same queues here, in `wrangler dev` and in the engine's own."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness import fetch
from harness.project import write
from harness.wrangler_dev import wrangler_dev
from selfedge.settings import cache_dir
from selfedge.workerd.install import engine

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "behaviour.json").read_text())
"""What the Worker sees in each case of behaviour.js."""

QUEUES = {
    "producers": [{"binding": "Q", "queue": "jobs"}],
    "consumers": [
        {
            "queue": "jobs",
            "max_batch_size": 4,
            "max_batch_timeout": 0,
            "max_retries": 2,
            "dead_letter_queue": "dead",
        },
        {"queue": "dead", "max_batch_timeout": 0},
    ],
}
PROJECT = {
    "wrangler.jsonc": json.dumps(
        {
            "name": "queues",
            "main": "index.js",
            "compatibility_date": "2026-01-01",
            "queues": QUEUES,
        }
    ),
    "index.js": (HERE / "behaviour.js").read_text(),
}
ACKED, THROWN = {"once": "ack"}, {"once": "throw"}
ONLY_WRANGLER = {
    # it forgets what was acknowledged when the handler throws
    "an_acked_message_of_a_throwing_batch": [
        {"body": ACKED, "attempts": 1},
        {"body": THROWN, "attempts": 1},
        {"body": ACKED, "attempts": 2},
        {"body": THROWN, "attempts": 2},
    ],
    "ack_all_and_throw": [
        {"body": body, "attempts": attempts}
        for attempts in (1, 2)
        for body in ({"once": "ackAllThrow"}, {"n": 2})
    ],
    "too_late": "Error: Queue send failed: Internal Server Error",
}
ONLY_ENGINE = {
    "too_large": "Error: Queue send failed: Payload Too Large",
    "too_many": "Error: Queue sendBatch failed: Payload Too Large",
    "too_late": "sent",  # it has no limit of delays
}


@pytest.fixture(scope="module")
def ours(shared_dev):
    return shared_dev(PROJECT).url


@pytest.fixture(scope="module")
def wrangler(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrangler")
    write(folder, PROJECT)
    with wrangler_dev(folder) as url:
        yield url


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """Run the Worker on the engine alone, which brings a queue service of its own."""
    folder = tmp_path_factory.mktemp("engine")
    write(folder, PROJECT)
    parts = engine(cache_dir(), os.environ)
    paths = [str(parts.esbuild.parent), os.environ.get("PATH", "")]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            parts.workerd,
            *("serve", "--experimental", "wrangler.jsonc"),
            f"--socket-addr=http=127.0.0.1:{port}",
        ],
        cwd=folder,
        env={**os.environ, "PATH": os.pathsep.join(paths)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield answering(f"http://127.0.0.1:{port}", process)
    finally:
        process.kill()
        process.wait()


def answering(url, process):
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if fetch(url).status == 200:
                return url
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the engine does not answer")


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_on_selfedge_sees(ours, case):
    assert fetch(f"{ours}/{case}").json() == EXPECTED[case]


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_on_wrangler_dev_sees(wrangler, case):
    expected = ONLY_WRANGLER.get(case, EXPECTED[case])
    assert fetch(f"{wrangler}/{case}").json() == expected


@pytest.mark.parametrize("case", EXPECTED)
def test_a_worker_on_the_engines_own_queues_sees(bundled, case):
    expected = ONLY_ENGINE.get(case, EXPECTED[case])
    assert fetch(f"{bundled}/{case}").json() == expected


def test_every_case_has_its_expectation(ours):
    assert fetch(ours).json() == list(EXPECTED)
