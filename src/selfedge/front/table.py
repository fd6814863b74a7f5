"""What each host and path leads to: the catalog → the table of `front.js`, pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from selfedge.catalog.model import Account, ScriptState, State
from selfedge.front.config import origin_name
from selfedge.front.pages import LONG, LOOP, MISSING, ORIGIN, Page

Script: TypeAlias = tuple[str, str]
"""(account id, script name)."""

Rule: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A version of a Worker that a process answers for."""

    slot: str
    version: str
    percentage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A route's pattern, taken apart."""

    host: str  # without its wildcard
    wild: bool  # what stands before `host` does not matter
    path: str  # starts with "/"
    open: bool  # what follows `path` does not matter


def parse_pattern(text: str) -> Pattern:
    """Return the parts of "*.example.com/api/*"; a scheme in front is ignored."""
    rest = text.partition("://")[2] or text
    host, slash, path = rest.partition("/")
    path = slash + path
    if not path and host.endswith("*"):  # "example.com*"
        host, path = host[:-1], "/*"
    wild = host.startswith("*")
    return Pattern(
        host=host.removeprefix("*").lower(),
        wild=wild,
        path=path.removesuffix("*") or "/",
        open=path.endswith("*"),
    )


def table(
    state: State, running: Mapping[Script, Sequence[Running]], domain: str
) -> Mapping[str, object]:
    """Return the table; `domain` is what the Workers' own names end in."""
    exact: dict[str, list[Rule]] = defaultdict(list)
    wild: dict[str, list[Rule]] = defaultdict(list)
    for pattern, rule in _rules(state, running, domain):
        matching = {**rule, "path": pattern.path, "open": pattern.open}
        (wild if pattern.wild else exact)[pattern.host].append(matching)
    return {
        "exact": {host: _sorted(rules) for host, rules in exact.items()},
        "wild": sorted(
            ([suffix, _sorted(rules)] for suffix, rules in wild.items()),
            key=lambda entry: -len(str(entry[0])),
        ),
        "missing": _page(MISSING),
        "long": _page(LONG),
        "loop": _page(LOOP),
        "origin": _page(ORIGIN),
    }


def origins(state: State) -> Mapping[str, str]:
    """Return the name and URL of each zone's origin."""
    urls = {
        zone.origin
        for account in state.accounts.values()
        for zone in account.zones.values()
        if zone.origin
    }
    return {origin_name(url): url for url in sorted(urls)}


def served(state: State, domain: str) -> Sequence[str]:
    """Return the domains that the node answers for, each with all below it."""
    zones = {
        zone.name
        for account in state.accounts.values()
        for zone in account.zones.values()
    }
    return sorted({domain, *zones})


def _rules(
    state: State, running: Mapping[Script, Sequence[Running]], domain: str
) -> Iterator[tuple[Pattern, Rule]]:
    seen: set[str] = set()  # names that an older account has
    for account in sorted(state.accounts.values(), key=lambda one: one.created_on):
        for script in account.scripts.values():
            shares = running.get((account.id, script.name), ())
            if shares:
                rule = _rule(account, script, shares)
                local = "" if script.name in seen else f"{script.name}.localhost"
                for text in _patterns(account, script, domain, local):
                    yield parse_pattern(text), rule
        seen.update(account.scripts)
        yield from _behind(account)


def _rule(account: Account, script: ScriptState, shares: Sequence[Running]) -> Rule:
    return {
        "name": f"{account.id}/{script.name}",
        "script": script.name,
        "shares": [
            {
                "slot": share.slot,
                "version": share.version,
                "percentage": share.percentage,
            }
            for share in shares
        ],
        **_origin_of(account, script),
    }


def _patterns(
    account: Account, script: ScriptState, domain: str, local: str
) -> Iterator[str]:
    if script.workers_dev.enabled:
        yield f"{script.name}.{account.subdomain}.{domain}/*"
        if local:
            yield f"{local}/*"
    yield from (f"{one.hostname}/*" for one in script.domains)
    yield from (route.pattern for route in script.routes)


def _origin_of(account: Account, script: ScriptState) -> Rule:
    """Return where the Worker's own fetch of its own host goes."""
    zones = {route.zone_id for route in script.routes}
    zones |= {domain.zone_id for domain in script.domains}
    for zone_id in zones & account.zones.keys():
        if url := account.zones[zone_id].origin:
            return {"origin": origin_name(url)}
    return {}


def _behind(account: Account) -> Iterator[tuple[Pattern, Rule]]:
    """Yield what is left of each zone that has an origin."""
    for zone in account.zones.values():
        if zone.origin:
            rule: Rule = {"name": "", "origin": origin_name(zone.origin)}
            yield parse_pattern(f"{zone.name}/*"), rule
            yield parse_pattern(f"*.{zone.name}/*"), rule


def _sorted(rules: list[Rule]) -> list[Rule]:
    """Sort the most specific first; a Worker comes before an origin."""
    return sorted(
        rules,
        key=lambda rule: (
            rule["open"] is True,
            -len(str(rule["path"])),
            "shares" not in rule,
        ),
    )


def _page(page: Page) -> Mapping[str, object]:
    return {"status": page.status, "text": page.html()}
