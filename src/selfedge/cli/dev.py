"""`selfedge dev`."""

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from selfedge.cli.progress import progress
from selfedge.cli.terminal import LEVELS, ConsoleTerminal
from selfedge.errors import UsageError
from selfedge.settings import Settings, cache_dir

PORT = 8787


@click.command()
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option(
    "--config",
    "-c",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Wrangler file; repeat it to run several Workers. Clients reach the first.",
)
@click.option("--env", "-e", "environment", help="Environment of the wrangler file.")
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes any that is free.",
)
@click.option(
    "--ip", default="127.0.0.1", show_default=True, help="Address to listen on."
)
@click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME:VALUE",
    help="Variable; wins over all files.",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="Where data is kept. [default: .selfedge in the project]",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="HOST=URL",
    help="Send fetches for HOST to URL.",
)
@click.option(
    "--upstream",
    metavar="URL",
    help="The origin behind the Worker: fetches for its own host go there.",
)
@click.option(
    "--country", metavar="CC", help="Pretend that local clients are in this country."
)
@click.option(
    "--client-ip",
    metavar="ADDRESS",
    help="Pretend that local clients have this address.",
)
@click.option(
    "--geoip",
    type=click.Choice(["country", "city"]),
    default="country",
    show_default=True,
    help="Database that tells where a client is; city (130 MB, IP Geolocation by "
    "DB-IP) is fetched once.",
)
@click.option(
    "--geoip-db",
    type=click.Path(path_type=Path),
    help="A MaxMind-format database of your own.",
)
@click.option(
    "--strict-models",
    is_flag=True,
    help="Refuse AI models whose weights are not installed, instead of a stand-in.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="What to show.",
)
@click.option(
    "--api-port",
    default=0,
    show_default="any",
    type=click.IntRange(0, 65535),
    help="Port of the control API, on 127.0.0.1.",
)
@click.option("--no-api", is_flag=True, help="No control API.")
@click.option("--no-reload", is_flag=True, help="Do not watch files.")
def command(  # noqa: PLR0913, PLR0917 - one for each option
    directory: Path,
    configs: Sequence[Path],
    environment: str | None,
    port: int,
    ip: str,
    variables: Sequence[str],
    state_dir: Path | None,
    origins: Sequence[str],
    upstream: str | None,
    country: str | None,
    client_ip: str | None,
    geoip: str,
    geoip_db: Path | None,
    strict_models: bool,  # noqa: FBT001
    log_level: str,
    api_port: int,
    no_api: bool,  # noqa: FBT001
    no_reload: bool,  # noqa: FBT001
) -> int:
    """Run the project in DIRECTORY on this machine, and again at each save."""
    import uvloop  # noqa: PLC0415 - only who runs something needs it

    from selfedge.manifest.reader import find, parse_variables  # noqa: PLC0415
    from selfedge.node.dev import DevOptions, dev  # noqa: PLC0415
    from selfedge.workerd.install import engine  # noqa: PLC0415

    if not directory.is_dir():
        raise UsageError(f"{directory} is not a folder.")
    files = [_absolute(directory, config) for config in configs] or [find(directory)]
    cache = cache_dir()
    options = DevOptions(
        configs=files,
        state=_absolute(directory, state_dir or files[0].parent / ".selfedge"),
        host=ip,
        port=port,
        environment=environment,
        variables=parse_variables(variables),
        origins=dict(_origin(text) for text in origins),
        upstream=_url(upstream, "--upstream") if upstream else None,
        country=_country(country),
        client_ip=_address(client_ip),
        geoip=_databases(geoip, geoip_db, cache),
        reload=not no_reload,
        api_port=None if no_api else api_port,
    )
    settings = Settings(
        cache_dir=cache,
        strict_models=strict_models,
        project_file=files[0].parent / "selfedge.toml",
    )
    terminal = ConsoleTerminal(log_level)
    return uvloop.run(
        dev(options, engine(cache, os.environ, progress), settings, terminal)
    )


def _absolute(directory: Path, path: Path) -> Path:
    return Path(os.path.abspath(directory / path))  # noqa: PTH100 - keeps symlinks


def _origin(text: str) -> tuple[str, str]:
    host, equals, url = text.partition("=")
    if not equals or not host:
        raise UsageError(f"--origin takes HOST=URL, not {text!r}.")
    return host.lower(), _url(url, "--origin")


def _url(text: str, option: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"{option} takes a URL like http://127.0.0.1:3000, not {text!r}."
        )
    return text.rstrip("/")


def _country(text: str | None) -> str | None:
    if text is None:
        return None
    if len(text) != 2 or not text.isalpha() or not text.isascii():
        raise UsageError(f"--country takes two letters like DE, not {text!r}.")
    return text.upper()


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise UsageError(
            f"--client-ip takes an address like 203.0.113.9, not {text!r}."
        ) from error


def _databases(geoip: str, own: Path | None, cache: Path) -> Sequence[Path]:
    if own is not None:
        from selfedge.edge.place import open_database  # noqa: PLC0415

        if not own.is_file():
            raise UsageError(f"--geoip-db: there is no file {own}.")
        open_database(own)  # tells now what is wrong with it
        return [own]
    if geoip == "city":
        from selfedge.edge.city import city_databases  # noqa: PLC0415

        return city_databases(cache, progress)
    return []
