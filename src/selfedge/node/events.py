"""What starts the Workers of an account besides its clients, and where."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from selfedge.binding import Trigger
from selfedge.bindings.cron.compile import KIND
from selfedge.bindings.cron.errors import InvalidCron
from selfedge.bindings.cron.expression import Cron, parse
from selfedge.catalog.model import Account
from selfedge.catalog.store import Catalog
from selfedge.supervisor.plan import dispatch_path


def schedules(catalog: Catalog, account: str) -> Callable[[], Sequence[Trigger]]:
    """Return what returns the schedules of the account's deployed Workers.

    Consumers of queues are no part of the catalog: the queues know them.
    """
    return _Schedules(catalog, account)


class _Schedules:
    """They are asked for often, and read when the account has changed."""

    def __init__(self, catalog: Catalog, account: str) -> None:
        self._catalog = catalog
        self._account = account
        self._seen: Account | None = None
        self._triggers: Sequence[Trigger] = ()

    def __call__(self) -> Sequence[Trigger]:
        known = self._catalog.state.accounts.get(self._account)
        if known is not self._seen:
            self._seen = known
            self._triggers = _triggers(known) if known else ()
        return self._triggers


def _triggers(account: Account) -> Sequence[Trigger]:
    return [
        Trigger(kind=KIND, script=script.name, settings=expression)
        for script in account.scripts.values()
        if script.deployments
        for expression in _read(script.schedules)
    ]


def _read(texts: Sequence[str]) -> Iterator[Cron]:
    for text in texts:
        with suppress(InvalidCron):  # written by an older version
            yield parse(text)


def dispatch(folder: Path, account: str) -> Callable[[str], Path]:
    """Return what tells where a script of the account takes events."""
    return lambda script: dispatch_path(folder, account, script)
