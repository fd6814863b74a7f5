"""The services of a dev node: those of the bindings, and the edge's with its log."""

from collections.abc import Callable, Iterable
from typing import Protocol

from selfedge.binding import AnyBinding, Context
from selfedge.edge.place import Places
from selfedge.edge.problem import Problem
from selfedge.edge.server import EdgeService, Report
from selfedge.services.server import Services

Log = Callable[[str, str], None]
"""(level, text): shows one entry."""


class Stacks(Protocol):
    """Knows the code that the Workers were written in."""

    def stack_of(self, stack: str) -> tuple[str, bool]:
        """Return `stack` with its positions, and whether it was shown before."""


def services(
    bindings: Iterable[AnyBinding],
    context: Context,
    places: Places,
    stacks: Stacks,
    log: Log,
) -> Services:
    """Return the services, not started; exceptions of Workers go to `log`."""

    def explain(worker: str, report: Report) -> Problem:
        stack, shown = stacks.stack_of(report.stack)
        if not shown:
            log("error", f"[{worker}] Uncaught {stack}")
        title, _, frames = stack.partition("\n")
        return Problem(
            where=f"{worker}: uncaught exception at {report.method} {report.url}",
            title=title,
            detail=frames or "(no stack)",
        )

    return Services(bindings, context, {"edge": EdgeService(places, explain)})
