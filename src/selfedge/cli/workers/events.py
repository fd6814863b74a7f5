"""Events of Workers as text for people: pure."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

_OUTCOMES = {
    "ok": "Ok",
    "canceled": "Canceled",
    "exception": "Exception",
    "exceededCpu": "Exceeded CPU Limit",
    "exceededMemory": "Exceeded Memory Limit",
}
ERRORS = ("exception", "exceededCpu", "exceededMemory", "unknown")
"""Outcomes that `--status error` stands for, as in wrangler."""


def lines(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one event: what started it, what it said, what it threw."""
    outcome = str(event.get("outcome"))
    yield f"{_cause(event)} - {_OUTCOMES.get(outcome, outcome)} @ {_moment(event)}"
    for log in event.get("logs") or ():
        said = " ".join(_said(one) for one in log.get("message") or ())
        yield f"  ({log.get('level')}) {said}"
    for thrown in event.get("exceptions") or ():
        first = f"{thrown.get('name')}: {thrown.get('message')}"
        stack = str(thrown.get("stack") or "").splitlines()
        yield f"  {first}"
        yield from (f"  {line}" for line in stack if line.strip() not in {"", first})


def _cause(event: Mapping[str, Any]) -> str:
    trigger = event.get("event") or {}
    if request := trigger.get("request"):
        status = (trigger.get("response") or {}).get("status")
        return f"{request.get('method')} {request.get('url')}" + (
            f" {status}" if status else ""
        )
    for name, words in (
        ("cron", "Cron"),
        ("queue", "Queue"),
        ("rpcMethod", "RPC"),
        ("message", "Tail"),
        ("scheduledTime", "Alarm"),
    ):
        if name in trigger:
            return f"{words} {trigger[name]}"
    return str(event.get("entrypoint") or event.get("scriptName") or "Event")


def _moment(event: Mapping[str, Any]) -> str:
    time_ms = event.get("eventTimestamp") or event.get("time")
    if not time_ms:
        return "?"
    moment = datetime.fromtimestamp(float(time_ms) / 1000).astimezone()
    return moment.isoformat(sep=" ", timespec="milliseconds")


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
