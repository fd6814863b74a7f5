"""`selfedge serve`."""

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

import click

from selfedge.cli.progress import progress
from selfedge.cli.terminal import LEVELS, Printer
from selfedge.client.address import Address
from selfedge.errors import UsageError
from selfedge.node.certificates import CertificateFiles, self_signed
from selfedge.settings import Settings, cache_dir
from selfedge.telemetry.logs.files import USUAL, Retention

LISTEN = "127.0.0.1:8787"
API = "127.0.0.1:8788"
PORT_MAX = 65535
MIB = 1024 * 1024


class ServeTerminal(Printer):
    """Prints for an operator, or for a journal."""

    def first(self, address: Address) -> None:
        """Show the token of a new node: it cannot be shown again."""
        click.echo("This node is new. Its token, shown only now:\n")
        for line in address.exports():
            click.secho(line, bold=True)
        click.echo()

    def ready(self, urls: Sequence[str], api: Address, workers: int) -> None:
        """Say where clients and callers of the API can connect."""
        for url in urls:
            click.echo(f"Ready on {click.style(url, bold=True)}")
        count = f"{workers} Worker{'' if workers == 1 else 's'}"
        click.secho(f"Control API on {api.url} · {count} deployed", dim=True)
        click.secho(f"Dashboard on {api.dashboard}", dim=True)


@click.command()
@click.option(
    "--data-dir",
    "data",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is kept; made when absent.",
)
@click.option(
    "--listen",
    "listens",
    multiple=True,
    metavar="HOST:PORT",
    help=f"Address for clients; may be repeated. [default: {LISTEN}]",
)
@click.option(
    "--api",
    default=API,
    show_default=True,
    metavar="HOST:PORT",
    help="Address of the control API, which wrangler calls.",
)
@click.option(
    "--workers-domain",
    "domain",
    default="localhost",
    show_default=True,
    help="Workers are reached at NAME.SUBDOMAIN.DOMAIN.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Certificate with its chain, as PEM; SIGHUP reads it again.",
)
@click.option(
    "--tls-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Its key, as PEM.",
)
@click.option(
    "--tls-self-signed", is_flag=True, help="Make a certificate that nobody trusts."
)
@click.option(
    "--trust-proxy",
    "proxies",
    multiple=True,
    metavar="CIDR",
    help="Proxies that may tell the client's address and scheme; may be repeated.",
)
@click.option(
    "--config",
    "project_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A selfedge.toml: AI models of your own.",
)
@click.option(
    "--limits",
    default="paid",
    show_default=True,
    type=click.Choice(["free", "paid", "unbound"]),
    help="What a Worker may use that names no limits.",
)
@click.option(
    "--idle",
    "idle_s",
    default=300.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds after which an idle Worker's process is stopped; 0: never.",
)
@click.option(
    "--slots",
    default=512,
    show_default=True,
    type=click.IntRange(8, 4096),
    help="Versions of Workers that can run at a time, in all.",
)
@click.option(
    "--api-rate",
    default=1200,
    show_default=True,
    type=click.IntRange(min=0),
    help="Calls of the API that a token may make in 5 minutes; 0: any number.",
)
@click.option(
    "--sandbox",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "require", "off"]),
    help="Whether Workers run in bubblewrap.",
)
@click.option(
    "--geoip-db",
    "databases",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A MaxMind-format database of your own; may be repeated.",
)
@click.option(
    "--log-days",
    default=USUAL.days,
    show_default=True,
    type=click.FloatRange(min=0.01),
    help="How long the logs of Workers are kept.",
)
@click.option(
    "--log-mib",
    default=USUAL.bytes_of_worker // MIB,
    show_default=True,
    type=click.IntRange(1, 1024 * 1024),
    help="The most that the log of one Worker takes, in MiB.",
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
def command(  # noqa: PLR0913, PLR0917 - one for each option
    data: Path,
    listens: Sequence[str],
    api: str,
    domain: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_self_signed: bool,  # noqa: FBT001
    proxies: Sequence[str],
    project_file: Path | None,
    limits: str,
    idle_s: float,
    slots: int,
    api_rate: int,
    sandbox: str,
    databases: Sequence[Path],
    log_days: float,
    log_mib: int,
    strict_models: bool,  # noqa: FBT001
    log_level: str,
) -> int:
    """Run a node to which wrangler deploys Workers."""
    import uvloop  # noqa: PLC0415 - only who runs something needs it

    from selfedge.node.options import Listen, ServeOptions  # noqa: PLC0415
    from selfedge.node.serve import serve  # noqa: PLC0415
    from selfedge.workerd.install import engine  # noqa: PLC0415

    cache = cache_dir()
    options = ServeOptions(
        data=data.absolute(),
        listens=[Listen(*_address(text, "--listen")) for text in listens or [LISTEN]],
        api=Listen(*_address(api, "--api")),
        domain=domain.lower().strip("."),
        certificate=_certificate(data, domain, tls_cert, tls_key, made=tls_self_signed),
        proxies=[_network(text) for text in proxies],
        geoip=[path.absolute() for path in databases],
        limits=limits,
        idle_s=idle_s or None,
        slots=slots,
        api_rate=api_rate,
        sandbox=sandbox,
        logs=Retention(days=log_days, bytes_of_worker=log_mib * MIB),
    )
    settings = Settings(
        cache_dir=cache,
        strict_models=strict_models,
        project_file=project_file.absolute() if project_file else None,
    )
    terminal = ServeTerminal(log_level)
    found = engine(cache, os.environ, progress)
    return uvloop.run(serve(options, found, settings, terminal))


def _certificate(
    data: Path, domain: str, chain: Path | None, key: Path | None, *, made: bool
) -> CertificateFiles | None:
    if (chain is None) != (key is None):
        raise UsageError("--tls-cert and --tls-key go together.")
    if chain and key:
        files = CertificateFiles(chain=chain.absolute(), key=key.absolute())
        files.read()  # tells now what is wrong with it
        return files
    if made:
        return self_signed(data.absolute() / "tls", [domain, "localhost", "127.0.0.1"])
    return None


def _address(text: str, option: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > PORT_MAX:
        raise UsageError(f"{option} {text!r} is not HOST:PORT, like {LISTEN}.")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - as it is written


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise UsageError(f"--trust-proxy: {error}; write 10.0.0.0/8.") from error
