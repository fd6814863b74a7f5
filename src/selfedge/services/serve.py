"""The services of a serve node: each account has its own, over its own storage."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from selfedge.binding import AnyBinding, Context, Service
from selfedge.edge.place import Places
from selfedge.edge.server import EdgeService, Report
from selfedge.front.pages import EXCEPTION, Page
from selfedge.services.dev import Log, Stacks
from selfedge.services.front import FrontService
from selfedge.services.server import Gate, Services
from selfedge.sharing import Shared
from selfedge.telemetry.ledger import Ledger
from selfedge.telemetry.snapshot import ServiceFigure

StacksOf = Callable[[str, str], Stacks | None]
"""(account, script) → who knows its code."""


class Contexts(Protocol):
    """Makes the storage of accounts."""

    def __call__(self, account: str) -> AbstractAsyncContextManager[Context]:
        """Open what the services of `account` stand on."""


class Accounts:
    """The services of all accounts, started when first needed."""

    def __init__(
        self,
        bindings: Sequence[AnyBinding],
        contexts: Contexts,
        places: Places,
        stacks: StacksOf,
        tail: Callable[[str], Service],
        log: Log,
        ledger: Ledger,
    ) -> None:
        self._ledger = ledger
        self._bindings = bindings
        self._contexts = contexts
        self._places = places
        self._stacks = stacks
        self._tail = tail
        self._log = log
        self._open: dict[str, tuple[Context, Services]] = {}
        self._stack = AsyncExitStack()
        self._shared = Shared()
        self._opening = asyncio.Lock()

    async def of(self, account: str) -> tuple[Context, Services]:
        """Return what an account's bindings stand on, and its services."""
        async with self._opening:
            if account in self._open:
                return self._open[account]
            own = await self._stack.enter_async_context(self._contexts(account))
            context = replace(own, shared=self._shared)
            edge = EdgeService(self._places, self._explain(account))
            services = Services(
                self._bindings,
                context,
                {"edge": edge, "tail": self._tail(account)},
                self._ledger.timed(account),
            )
            await self._stack.enter_async_context(services)
            await services.wake()
            self._open[account] = context, services
            return self._open[account]

    async def running(self, account: str, kind: str) -> Service:
        """Return an account's service of a kind, started if it was not needed yet."""
        _, services = await self.of(account)
        return await services.running(kind)

    async def gate(self, account: str) -> Gate:
        """Return a new gate to the services of an account."""
        _, services = await self.of(account)
        return services.gate()

    def figures(self) -> Sequence[ServiceFigure]:
        """Return what services that run tell of themselves."""
        return [
            ServiceFigure(account=account, name=one.name, of=one.of, value=one.value)
            for account, (_, services) in sorted(self._open.items())
            for one in services.figures()
        ]

    async def close(self) -> None:
        """End all services."""
        await self._stack.aclose()

    def _explain(self, account: str) -> Callable[[str, Report], Page]:
        def explain(part: str, report: Report) -> Page:
            script = part.partition("@")[0]
            known = self._stacks(account, script)
            stack, shown = known.stack_of(report.stack) if known else ("", False)
            if not shown:
                where = f"{report.method} {report.url}"
                self._log(
                    "error", f"[{script}] Uncaught {stack or report.stack}\n  {where}"
                )
            return replace(EXCEPTION, detail=f"Ray ID: {report.ray}")

        return explain


@asynccontextmanager
async def front_gate(front: FrontService, context: Context) -> AsyncIterator[Gate]:
    """Yield the gate by which the front asks."""
    bindings: Iterable[AnyBinding] = ()
    async with Services(bindings, context, {"front": front}) as services:
        gate = services.gate()
        await gate.allow({"front:front"})
        try:
            yield gate
        finally:
            await gate.close()
