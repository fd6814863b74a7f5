"""Custom domains of Workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from selfedge.api.body import read_as
from selfedge.api.paging import numbered
from selfedge.binding import Call, Page, Route
from selfedge.catalog.domains import (
    NO_DOMAIN,
    WantedDomain,
    changeset,
    put_domains,
    remove_domain,
)
from selfedge.catalog.model import Account, Domain, State
from selfedge.catalog.scripts import account_of
from selfedge.control.workers.limits import DOMAINS_MAX
from selfedge.control.workers.problem import invalid, missing
from selfedge.control.workers.shown import ENVIRONMENT
from selfedge.control.workers.workers import Workers

_WORKERS = "/accounts/{account}/workers"
_OF_SCRIPT = f"{_WORKERS}/scripts/{{script}}/domains"
_ALL = f"{_WORKERS}/domains"


class _Origin(msgspec.Struct, frozen=True, kw_only=True):
    hostname: str
    zone_id: str | None = None
    zone_name: str | None = None


class _Records(msgspec.Struct, frozen=True, kw_only=True):
    origins: list[_Origin]
    override_scope: bool = False
    override_existing_origin: bool = False
    override_existing_dns_record: bool = False


class _Attached(_Origin, frozen=True, kw_only=True):
    service: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Domains:
    """Gives Workers hostnames, and takes them."""

    workers: Workers

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method=method, path=path, answer=answer)
            for method, path, answer in (
                ("POST", f"{_OF_SCRIPT}/changeset", self._changeset),
                ("PUT", f"{_OF_SCRIPT}/records", self._put),
                ("GET", f"{_ALL}/records", self._list),
                ("GET", f"{_ALL}/records/{{domain}}", self._get),
                ("GET", _ALL, self._list),
                ("PUT", _ALL, self._attach),
                ("GET", f"{_ALL}/{{domain}}", self._get),
                ("DELETE", f"{_ALL}/{{domain}}", self._detach),
            )
        ]

    async def _changeset(self, call: Call) -> Mapping[str, Any]:
        name = self.workers.script(call).name
        wanted = _wanted(await read_as(call, list[_Origin]))
        state = self.workers.catalog.state
        changes = changeset(state, call.account, name, wanted, self._new_id)
        return {
            "added": _briefly(state, call.account, changes.added, modified=False),
            "removed": _briefly(state, call.account, changes.removed, modified=False),
            "updated": _briefly(state, call.account, changes.updated, modified=True),
            "conflicting": [],
        }

    async def _put(self, call: Call) -> Sequence[Mapping[str, Any]]:
        name = self.workers.script(call).name
        given = await read_as(call, _Records)
        wanted = _wanted(given.origins)

        def edit(state: State) -> State:
            changes = changeset(state, call.account, name, wanted, self._new_id)
            take_over = given.override_existing_origin
            return put_domains(state, call.account, name, changes, take_over=take_over)

        await self.workers.catalog.change(edit)
        await self.workers.fleet.route()
        account = self._account(call)
        return [
            _shown(account, name, domain) for domain in account.scripts[name].domains
        ]

    async def _attach(self, call: Call) -> Mapping[str, Any]:
        given = await read_as(call, _Attached)

        def edit(state: State) -> State:
            script = account_of(state, call.account).scripts.get(given.service)
            if script is None:
                raise missing(f"There is no Worker {given.service[:80]!r}.", NO_DOMAIN)
            kept = [
                WantedDomain(hostname=one.hostname, zone_id=one.zone_id)
                for one in script.domains
            ]
            wanted = [*kept, *_wanted([given])]
            changes = changeset(state, call.account, script.name, wanted, self._new_id)
            return put_domains(
                state, call.account, script.name, changes, take_over=False
            )

        await self.workers.catalog.change(edit)
        await self.workers.fleet.route()
        hostname = given.hostname.lower()
        found = [one for one in self._all(call) if one["hostname"] == hostname]
        return found[0]

    async def _detach(self, call: Call) -> Mapping[str, Any]:
        domain_id = call.path["domain"]
        await self.workers.catalog.change(
            lambda state: remove_domain(state, call.account, domain_id)
        )
        await self.workers.fleet.route()
        return {"id": domain_id}

    async def _list(self, call: Call) -> Page:
        query = {key: call.query[key] for key in call.query if key != "page"}
        if call.query.get("page", "0") != "0":  # wrangler counts from 0 here
            query["page"] = call.query["page"]
        filters = {
            key: call.query[key]
            for key in ("hostname", "service", "zone_id", "zone_name")
            if call.query.get(key)
        }
        found = [
            one
            for one in self._all(call)
            if all(one[key] == value for key, value in filters.items())
        ]
        return numbered(found, query)

    async def _get(self, call: Call) -> Mapping[str, Any]:
        for one in self._all(call):
            if one["id"] == call.path["domain"]:
                return one
        raise missing(
            f"The account has no custom domain {call.path['domain'][:80]}.", NO_DOMAIN
        )

    def _account(self, call: Call) -> Account:
        return account_of(self.workers.catalog.state, call.account)

    def _all(self, call: Call) -> Sequence[Mapping[str, Any]]:
        account = self._account(call)
        return [
            _shown(account, script.name, domain)
            for script in account.scripts.values()
            for domain in script.domains
        ]

    def _new_id(self) -> str:
        return self.workers.new_id().replace("-", "")


def _wanted(origins: Sequence[_Origin]) -> Sequence[WantedDomain]:
    if len(origins) > DOMAINS_MAX:
        raise invalid(
            f"There are {len(origins)} custom domains, {DOMAINS_MAX} of a Worker are "
            "the most."
        )
    return [
        WantedDomain(
            hostname=one.hostname, zone_id=one.zone_id, zone_name=one.zone_name
        )
        for one in origins
    ]


def _briefly(
    state: State, account: str, domains: Sequence[Domain], *, modified: bool
) -> Sequence[Mapping[str, Any]]:
    known = account_of(state, account)
    return [{**_shown(known, "", one), "modified": modified} for one in domains]


def _shown(account: Account, script: str, domain: Domain) -> Mapping[str, Any]:
    zone = account.zones.get(domain.zone_id)
    return {
        "id": domain.id,
        "hostname": domain.hostname,
        "zone_id": domain.zone_id,
        "zone_name": zone.name if zone else "",
        "service": script,
        "environment": ENVIRONMENT,
    }
