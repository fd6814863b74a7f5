"""What it costs to see what happens.

    .venv/bin/python benchmarks/serve/observability.py --rounds 7

Hello world on a node of `selfedge serve`, in turns:

- counted: as every Worker is;
- attached: its events are reported, and nobody wants them;
- kept: all of them are kept in its log;
- tailed: `selfedge tail` hears all of them.

`--before FOLDER` is a checkout of an older selfedge, measured beside them. Printed are
medians: requests per second, processor time of the Worker's process for one of them,
which other work on the machine disturbs less, and shares of the first row.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # `run` is the one beside this

from deploys import COMMAND, Node, node  # noqa: E402 - after the path is set
from load import CONNECTIONS, THREADS, parse_rate  # noqa: E402
from run import HELLO, Calls  # noqa: E402

from selfedge.supervisor.usage import usage  # noqa: E402

WORKERS: Mapping[str, Mapping[str, object]] = {
    "counted": {"enabled": False},
    "attached": {"enabled": True, "head_sampling_rate": 1e-12},
    "kept": {"enabled": True},
    "tailed": {"enabled": False},
}


class Side:
    """One Worker of one node, and what was measured of it."""

    def __init__(self, at: Node, calls: Calls, name: str) -> None:
        self._at = at
        self._calls = calls
        self._name = name
        self.rates: list[float] = []
        self.cpu_us: list[float] = []

    def measure(self, seconds: int) -> None:
        """Load it for a while."""
        wrk(self._at, self._name, 1)
        before = self._cpu_s()
        rate = wrk(self._at, self._name, seconds)
        self.rates.append(rate)
        self.cpu_us.append((self._cpu_s() - before) / (rate * seconds) * 1e6)

    def _cpu_s(self) -> float:
        processes = self._calls.processes()
        pid = next(one["pid"] for one in processes if self._name in one["scripts"])
        used = usage(int(str(pid)))
        assert used is not None
        return used.cpu_s


def wrk(at: Node, name: str, seconds: int) -> float:
    """Return requests per second of a Worker."""
    done = subprocess.run(
        [
            "wrk",
            f"-t{THREADS}",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "-H",
            f"Host: {name}.localhost",
            f"http://127.0.0.1:{at.port}/",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return parse_rate(done.stdout)


@contextmanager
def tail(at: Node, name: str) -> Iterator[None]:
    """Listen to a Worker while the context is open."""
    process = subprocess.Popen(
        [COMMAND, "tail", name, "--format", "json"],
        env={**os.environ, **at.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        assert b"Listening" in process.stderr.readline()
        yield
    finally:
        process.terminate()
        process.communicate()


def observe(calls: Calls, name: str) -> None:
    """Set how a Worker is observed."""
    account = calls.account
    calls.call(
        "PATCH",
        f"/accounts/{account}/workers/scripts/{name}/script-settings",
        json.dumps({"observability": WORKERS[name]}).encode(),
        "application/json",
    )


@contextmanager
def before(folder: Path, source: Path | None) -> Iterator[Mapping[str, Side]]:
    """Yield hello world on a node of an older selfedge, if there is one."""
    if source is None:
        yield {}
        return
    with ExitStack() as stack:
        with path_of(source / "src"):
            at = stack.enter_context(node(folder, "--idle", "0"))
        calls = Calls(at)
        calls.deploy("hello", HELLO)
        yield {"before": Side(at, calls, "hello")}


@contextmanager
def path_of(source: Path) -> Iterator[None]:
    """Have processes that start meanwhile import from `source`."""
    own = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(source)
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if own is not None:
            os.environ["PYTHONPATH"] = own


def measured(arguments: argparse.Namespace, folder: Path) -> Mapping[str, Side]:
    """Return all sides, measured in turns."""
    with (
        node(folder / "now", "--idle", "0") as at,
        before(folder / "before", arguments.before) as older,
    ):
        calls = Calls(at)
        for name in WORKERS:
            calls.deploy(name, HELLO)
            observe(calls, name)
        sides = {**older, **{name: Side(at, calls, name) for name in WORKERS}}
        with tail(at, "tailed"):
            for _ in range(arguments.rounds):
                for side in sides.values():
                    side.measure(arguments.seconds)
        return sides


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--before", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as raw:
        sides = measured(arguments, Path(raw))
    first = next(iter(sides.values()))
    for name, side in sides.items():
        rate, cpu = statistics.median(side.rates), statistics.median(side.cpu_us)
        shares = [
            own / other for own, other in zip(side.rates, first.rates, strict=True)
        ]
        print(
            f"{name:9} {rate:9.0f} req/s  {cpu:6.1f} µs a request  "
            f"{statistics.median(shares):5.2f} of the rate  "
            f"{statistics.median(first.cpu_us) / cpu:5.2f} of the processor's"
        )


if __name__ == "__main__":
    main()
