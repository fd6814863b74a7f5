"""An invocation as listeners see it: pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Event: TypeAlias = dict[str, Any]
"""A tail item, as Cloudflare documents it."""

MARK = "selfedge:request"
"""First value of the log entry in which the edge tells what the engine does not."""

_ENTRANCE = "selfedgeEntrance_"
REDACTED = "REDACTED"
_SECRET_HEADERS = {"cookie", "set-cookie"}
_SECRET_PARTS = ("auth", "key", "secret", "token", "jwt")
_HEX_ID = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F][0-9a-fA-F-]{30,}[0-9a-fA-F]")
_BASE64_ID = re.compile(r"[A-Za-z0-9_+=-]{21,}")
_MIXED = 2  # of each: capitals, small letters, digits, as Cloudflare counts

Stack = Callable[[str], str]
"""A stack of the bundle → the same with positions of the source that was written."""


def shaped(raw: Mapping[str, Any], script: str, version: str, stack: Stack) -> Event:
    """Return what listeners get for what the engine told."""
    told, logs = _told(raw.get("logs") or ())
    event = {
        "wallTime": told.get("wallTime", raw.get("wallTime") or 0),
        "cpuTime": raw.get("cpuTime") or 0,
        "truncated": bool(raw.get("truncated")),
        "executionModel": raw.get("executionModel") or "stateless",
        "outcome": told.get("outcome") or raw.get("outcome") or "unknown",
        "scriptName": script,
        "scriptVersion": {"id": version},
        "diagnosticsChannelEvents": raw.get("diagnosticsChannelEvents") or [],
        "exceptions": [
            _exception(one, stack)
            for one in (*(raw.get("exceptions") or ()), *told.get("exceptions", ()))
        ],
        "logs": logs,
        "eventTimestamp": raw.get("eventTimestamp"),
        "event": _trigger(raw.get("event"), told),
    }
    entrypoint = str(raw.get("entrypoint") or "")
    if entrypoint.startswith(_ENTRANCE) or not entrypoint.startswith("selfedge"):
        event["entrypoint"] = entrypoint.removeprefix(_ENTRANCE) or None
    if raw.get("durableObjectId"):
        event["durableObjectId"] = raw["durableObjectId"]
    return event


def ended(script: str, version: str, outcome: str, time_ms: float) -> Event:
    """Return what listeners get when a process was ended for what it used."""
    return {
        "wallTime": 0,
        "cpuTime": 0,
        "truncated": False,
        "executionModel": "stateless",
        "outcome": outcome,
        "scriptName": script,
        "scriptVersion": {"id": version},
        "diagnosticsChannelEvents": [],
        "exceptions": [],
        "logs": [],
        "eventTimestamp": time_ms,
        "event": None,
    }


def overload(missed: int) -> Event:
    """Return what a listener is told that could not keep up."""
    text = f"This listener is too slow: {missed} events were left out."
    return {
        "outcome": "unknown",
        "scriptName": None,
        "exceptions": [],
        "logs": [],
        "eventTimestamp": None,
        "event": {"message": text, "type": "overload"},
    }


def wanted(
    event: Event,
    filters: Sequence[Mapping[str, Any]],
    chance: Callable[[], float],
    own_ip: str,
) -> bool:
    """Whether a listener with `filters` gets `event`; an unknown filter is none."""
    request = (event.get("event") or {}).get("request") or {}
    headers = request.get("headers") or {}

    def from_ip(addresses: Sequence[str]) -> bool:
        chosen = {own_ip if one == "self" else one for one in addresses}
        return headers.get("cf-connecting-ip") in chosen

    passes: Mapping[str, Callable[[Any], bool]] = {
        "sampling_rate": lambda rate: chance() < float(rate),
        "outcome": lambda outcomes: event["outcome"] in outcomes,
        "method": lambda methods: (
            str(request.get("method", "")).upper() in {one.upper() for one in methods}
        ),
        "header": lambda wish: _has_header(headers, wish),
        "client_ip": from_ip,
        "query": lambda text: any(str(text) in str(part) for part in _said(event)),
        "scriptVersion": lambda version: event["scriptVersion"]["id"] == version,
    }
    return all(
        passes[name](value)
        for one in filters
        for name, value in one.items()
        if name in passes
    )


def _has_header(headers: Mapping[str, str], wish: Mapping[str, Any]) -> bool:
    held = headers.get(str(wish.get("key", "")).lower())
    return held is not None and str(wish.get("query") or "") in held


def _said(event: Event) -> Iterator[object]:
    for log in event["logs"]:
        yield from log.get("message") or ()


def _told(logs: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], list[Any]]:
    """Return what the edge told, and the log entries that are the user's."""
    told: Mapping[str, Any] = {}
    kept = []
    for log in logs:
        message = log.get("message") or []
        if message and message[0] == MARK:
            told = message[1] if len(message) > 1 else {}
        else:
            kept.append(log)
    return told, kept


def _exception(one: Mapping[str, Any], stack: Stack) -> Mapping[str, Any]:
    if not one.get("stack"):
        return one
    return {**one, "stack": stack(str(one["stack"]))}


def _trigger(trigger: Any, told: Mapping[str, Any]) -> Any:
    if not isinstance(trigger, Mapping) or "request" not in trigger:
        return trigger
    request = trigger["request"]
    headers = {**(request.get("headers") or {}), **told.get("headers", {})}
    shown = {
        **request,
        "url": _without_ids(str(request.get("url", ""))),
        "headers": {name: _header(name, value) for name, value in headers.items()},
        "cf": told.get("cf", request.get("cf")),
    }
    answer = {"response": told["response"]} if "response" in told else {}
    return {**trigger, "request": shown, **answer}


def _header(name: str, value: str) -> str:
    hidden = name in _SECRET_HEADERS or any(part in name for part in _SECRET_PARTS)
    return REDACTED if hidden else value


def _without_ids(url: str) -> str:
    """Return `url` with what may be an identifier or a credential hidden."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    path = _HEX_ID.sub(REDACTED, path)
    return scheme + mark + host + slash + _BASE64_ID.sub(_if_mixed, path)


def _if_mixed(match: re.Match[str]) -> str:
    text = match[0]
    counts = (
        sum(map(str.isupper, text)),
        sum(map(str.islower, text)),
        sum(map(str.isdigit, text)),
    )
    return REDACTED if min(counts) >= _MIXED else text
