"""Collects the figures of a node from all that know some."""

import os
import time
from collections.abc import Mapping
from typing import Any

from selfedge.services.serve import Accounts
from selfedge.supervisor.fleet import Fleet
from selfedge.supervisor.usage import private_bytes, usage
from selfedge.telemetry.ledger import Ledger
from selfedge.telemetry.snapshot import Process, Snapshot


async def measured(fleet: Fleet, accounts: Accounts, ledger: Ledger) -> Snapshot:
    """Return the figures as they are now."""
    await fleet.take()
    return Snapshot(
        time_s=time.time(),
        workers=ledger.workers(),
        ends=ledger.ends(),
        processes=[_ours(), *(_process(one) for one in fleet.report())],
        calls=ledger.calls(),
        figures=accounts.figures(),
    )


def _ours() -> Process:
    """Return the process that does the services and the API."""
    pid = os.getpid()
    used = usage(pid)
    return Process(
        kind="node",
        account="",
        scripts=["node"],
        running=True,
        restarts=0,
        cpu_s=used.cpu_s if used else 0.0,
        resident_bytes=used.resident_bytes if used else 0,
        private_bytes=private_bytes(pid),
    )


def _process(entry: Mapping[str, Any]) -> Process:
    return Process(
        kind=entry["kind"],
        account=entry["account"],
        scripts=entry["scripts"],
        running=entry["pid"] is not None,
        restarts=entry["restarts"],
        cpu_s=entry["cpu_s"],
        resident_bytes=entry["resident_bytes"],
        private_bytes=entry["private_bytes"],
    )
