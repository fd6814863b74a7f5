"""Where a client is: its address → the geographic fields of `request.cf`."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from selfedge.edge.countries import CONTINENTS, EUROPEAN_UNION
from selfedge.errors import UsageError

Place: TypeAlias = dict[str, str | int]
"""Fields of `request.cf` that an address tells; what is not known is left out."""

Lookup: TypeAlias = Callable[[str], object]
"""An address → the record of a MaxMind-format database, or None."""


class Places:
    """Looks addresses up in MaxMind-format databases, the first hit wins."""

    def __init__(self, databases: Sequence[Lookup]) -> None:
        self._databases = databases

    def of(self, ip: str, country: str | None = None) -> Place:
        """Return what is known of `ip`; a chosen `country` replaces its place."""
        if country:
            return _country_fields(country.upper())
        if not _is_address(ip):
            return {}
        for lookup in self._databases:
            record = lookup(ip)
            if isinstance(record, Mapping):
                return _fields(record)
        return {}


def open_database(path: Path) -> Lookup:
    """Return the lookup of an MMDB file, which is mapped, not read.

    Raises:
        UsageError: `path` is not a MaxMind-format database.
    """
    import maxminddb  # noqa: PLC0415 - not needed until the first request

    try:
        reader = maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise UsageError(f"{path} is not a MaxMind-format database: {error}") from error

    def lookup(ip: str) -> object:
        try:
            return reader.get(ip)
        except ValueError:  # an IPv6 address, an IPv4 database
            return None

    return lookup


def _is_address(ip: str) -> bool:
    try:
        ipaddress.ip_address(ip)
    except ValueError:
        return False
    return True


def _fields(record: Mapping[str, object]) -> Place:
    """Read the layouts of ip-location-db (flat) and of MaxMind (nested)."""
    country = _text(record, "country_code") or _text(record, "country", "iso_code")
    place = _country_fields(country) if country else {}
    found: dict[str, str | int | None] = {
        "city": _text(record, "city") or _text(record, "city", "names", "en"),
        "region": _text(record, "state1") or _subdivision(record, "names", "en"),
        "regionCode": _subdivision(record, "iso_code"),
        "postalCode": _text(record, "postcode") or _text(record, "postal", "code"),
        "latitude": _text(record, "latitude") or _text(record, "location", "latitude"),
        "longitude": _text(record, "longitude")
        or _text(record, "location", "longitude"),
        "timezone": _text(record, "timezone") or _text(record, "location", "time_zone"),
        "asn": _number(record, "autonomous_system_number"),
        "asOrganization": _text(record, "autonomous_system_organization"),
    }
    place.update({name: value for name, value in found.items() if value is not None})
    return place


def _country_fields(country: str) -> Place:
    place: Place = {"country": country}
    if continent := CONTINENTS.get(country):
        place["continent"] = continent
    if country in EUROPEAN_UNION:
        place["isEUCountry"] = "1"
    return place


def _subdivision(record: Mapping[str, object], *path: str) -> str | None:
    divisions = record.get("subdivisions")
    if isinstance(divisions, list) and divisions and isinstance(divisions[0], dict):
        return _text(divisions[0], *path)
    return None


def _text(record: Mapping[str, object], *path: str) -> str | None:
    value: object = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def _number(record: Mapping[str, object], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) else None
