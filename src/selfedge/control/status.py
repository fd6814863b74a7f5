"""What runs on the node: its processes, as the fleet knows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfedge import __version__
from selfedge.binding import Call, Route
from selfedge.control.fleet import Fleet

PATH = "/node/status"


@dataclass(frozen=True, slots=True)
class Status:
    """Shows each caller what is of its account."""

    fleet: Fleet

    def routes(self) -> Sequence[Route]:
        """Return its route; Cloudflare has none like it."""
        return [Route(method="GET", path=PATH, answer=self._status)]

    async def _status(self, call: Call) -> Mapping[str, object]:
        only = call.caller.account
        found = [
            entry
            for entry in self.fleet.report()
            if only is None or entry.get("account") == only
        ]
        return {"version": __version__, "processes": found}
