"""How each row of the table is measured; every function returns samples."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from load import rate
from probe import Failed, ask, until
from systems import READY_S, System, copied, running
from tree import name, private_bytes, tree

STARTS = 7
SAVES = 7
HELP_RUNS = 10
_WARM_UP_S = 1
_BETWEEN_SAVES_S = 0.4  # a person does not save twice within a watcher's debounce
_SETTLE_S = 2.0  # after which an idle process has dropped what it can
_HELP_TIMEOUT_S = 20.0
_REMOTE = {"selfedge-client-ip": "203.0.113.9"}  # has the geolocation answer too


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and for how long to measure."""

    workers: Path
    scratch: Path
    seconds: int


Measure = Callable[[System, Plan], list[float]]
"""Raises Failed when it cannot be made."""


def requests(worker: str, path: str = "/", seed: str | None = None) -> Measure:
    """Return the measure of requests per second on `path` of `worker`."""

    def measure(system: System, plan: Plan) -> list[float]:
        with (
            copied(plan.workers / worker, plan.scratch) as project,
            running(system, project) as server,
        ):
            server.answers(seed or path)
            rate(server.port, path, _WARM_UP_S)
            return [rate(server.port, path, plan.seconds)]

    return measure


def first_response(worker: str, path: str = "/") -> Measure:
    """Return the measure of seconds from the command to its first good answer."""

    def measure(system: System, plan: Plan) -> list[float]:
        with copied(plan.workers / worker, plan.scratch) as project:
            samples = [_start(system, project, path) for _ in range(STARTS + 1)]
        return samples[1:]  # the first one filled the disk cache

    return measure


def new_response(system: System, plan: Plan) -> list[float]:
    """Return seconds from saving a source to the first answer of the new one."""
    with (
        copied(plan.workers / "hello", plan.scratch) as project,
        running(system, project) as server,
    ):
        before = server.answers().body
        source = project / "worker.ts"
        samples = []
        for number in range(SAVES + 1):
            after = b"saved %d" % number
            time.sleep(_BETWEEN_SAVES_S)
            text = source.read_text().replace(before.decode(), after.decode())
            started = time.perf_counter()
            source.write_text(text)
            until(
                server.port,
                "/",
                lambda answer, after=after: answer.body == after,  # type: ignore[misc]
                within_s=READY_S,
                alive=lambda: server.alive,
            )
            samples.append(time.perf_counter() - started)
            before = after
        return samples[1:]


def idle_memory(system: System, plan: Plan) -> list[float]:
    """Return the private MB of all processes, once each service has answered."""
    with (
        copied(plan.workers / "everything", plan.scratch) as project,
        running(system, project) as server,
    ):
        server.answers()
        ask(server.port, "/", _REMOTE)
        time.sleep(_SETTLE_S)
        pids = tree(server.process.pid)
        parts = {pid: private_bytes(pid) / 1e6 for pid in pids}
        shown = ", ".join(f"{name(pid)} {size:.1f}" for pid, size in parts.items())
        print(f"    MB: {shown}", file=sys.stderr)
        return [sum(parts.values())]


def help_text(system: System, plan: Plan) -> list[float]:
    """Return seconds that `selfedge --help` takes."""
    command = [system.command(plan.scratch, 0).argv[0], "--help"]
    return [_run(command) for _ in range(HELP_RUNS + 1)][1:]


def _start(system: System, project: Path, path: str) -> float:
    started = time.perf_counter()
    with running(system, project) as server:
        server.answers(path)
        return time.perf_counter() - started


def _run(command: list[str]) -> float:
    started = time.perf_counter()
    try:
        subprocess.run(
            command, capture_output=True, timeout=_HELP_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(f"{' '.join(command)}: {error}") from error
    return time.perf_counter() - started
