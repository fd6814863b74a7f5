"""The API of a node of `serve`: accounts, tokens and zones of the catalog."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfedge.binding import AnyBinding, Route
from selfedge.catalog.model import State
from selfedge.catalog.store import Catalog
from selfedge.catalog.tokens import Random
from selfedge.control import analytics
from selfedge.control.accounts import Accounts
from selfedge.control.administration import Administration
from selfedge.control.estate import CatalogEstate
from selfedge.control.fleet import Fleet
from selfedge.control.server import Control, Rules
from selfedge.control.sessions import Sessions
from selfedge.control.status import Status
from selfedge.control.table import Rooms, Tables
from selfedge.control.who import CatalogTokens
from selfedge.control.zones import Zones
from selfedge.types import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the API of a node is made of."""

    catalog: Catalog
    fleet: Fleet
    bindings: Iterable[AnyBinding]
    rooms: Rooms  # the services of each account
    clock: Clock
    random: Random


def node_control(
    parts: Parts, rules: Rules, more: Sequence[Route] = ()
) -> tuple[Control, Tables]:
    """Return what answers the API, and its routes; `more` are built-in ones, too."""

    def state() -> State:
        return parts.catalog.state

    estate = CatalogEstate(state)
    who = CatalogTokens(state)
    sessions = Sessions(who, parts.clock)
    built_in = [
        *Accounts(state).routes(),
        *Administration(parts.catalog, parts.fleet, parts.clock, parts.random).routes(),
        *Zones(
            catalog=parts.catalog,
            fleet=parts.fleet,
            clock=parts.clock,
            random=parts.random,
        ).routes(),
        *Status(parts.fleet).routes(),
        *sessions.routes(),
        *more,
    ]
    tables = Tables(built_in, parts.bindings, parts.rooms)
    tables.add(analytics.routes(estate, tables.of_bindings))
    control = Control(who, estate, tables, rules, sessions)
    return control, tables
