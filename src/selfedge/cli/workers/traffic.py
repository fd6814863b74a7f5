"""Which versions clients reach: read, parsed and changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from selfedge.cli.workers import script_path
from selfedge.client.api import Api
from selfedge.errors import UsageError

SHOWN = 10
_MESSAGE = "workers/message"


def newest(node: Api, name: str) -> Sequence[Any]:
    """Return the newest versions of a Worker, the last first."""
    query = {"deployable": "true", "per_page": str(SHOWN)}
    found = node.call("GET", script_path(name, "/versions"), query=query)
    return list(found["items"])


def deployed(
    node: Api,
    name: str,
    shares: Sequence[Mapping[str, Any]],
    message: str | None,
    *,
    force: bool = False,
) -> Any:
    """Make a deployment; `force` also goes back over changed secrets.

    Raises:
        ApiError: a version is not there, or does not start.
    """
    notes = {"annotations": {_MESSAGE: message}} if message is not None else {}
    asked = {"strategy": "percentage", "versions": list(shares), **notes}
    query = {"force": "true"} if force else None
    path = script_path(name, "/deployments")
    return node.call("POST", path, json=asked, query=query)


def parsed_shares(given: Sequence[str]) -> list[dict[str, Any]]:
    """Return what VERSION, VERSION@60 and VERSION@60% say.

    Raises:
        UsageError: there are more than two, or they do not make 100.
    """
    if len(given) > 2:
        raise UsageError("a deployment has one version, or two")
    shares: list[dict[str, Any]] = []
    for text in given:
        version, _, percent = text.partition("@")
        shares.append({"version_id": version, "percentage": _percent(percent)})
    told = [one["percentage"] for one in shares if one["percentage"] is not None]
    left = [one for one in shares if one["percentage"] is None]
    for one in left:
        one["percentage"] = (100 - sum(told)) / len(left)
    if shares and abs(sum(one["percentage"] for one in shares) - 100) > 0.01:
        raise UsageError("the percentages must make 100")
    return shares


def _percent(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise UsageError(f"a percentage is a number from 0 to 100, not {text!r}")
    return value
