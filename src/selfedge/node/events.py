"""What starts the Workers of an account besides its clients, and where."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from selfedge.binding import Trigger
from selfedge.bindings.cron.compile import KIND
from selfedge.bindings.cron.errors import InvalidCron
from selfedge.bindings.cron.expression import Cron, parse
from selfedge.catalog.store import Catalog
from selfedge.supervisor.plan import dispatch_path


def schedules(catalog: Catalog, account: str) -> Callable[[], Sequence[Trigger]]:
    """Return what returns the schedules of the account's deployed Workers.

    Consumers of queues are no part of the catalog: the queues know them.
    """

    def triggers() -> Sequence[Trigger]:
        known = catalog.state.accounts.get(account)
        return [
            Trigger(kind=KIND, script=script.name, settings=expression)
            for script in (known.scripts.values() if known else ())
            if script.deployments
            for expression in _read(script.schedules)
        ]

    return triggers


def _read(texts: Sequence[str]) -> Iterator[Cron]:
    for text in texts:
        with suppress(InvalidCron):  # written by an older version
            yield parse(text)


def dispatch(folder: Path, account: str) -> Callable[[str], Path]:
    """Return what tells where a script of the account takes events."""
    return lambda script: dispatch_path(folder, account, script)
