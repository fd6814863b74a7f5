"""What the operator of a node chose, and how the node talks to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from selfedge.client.address import Address
from selfedge.control.rate import CALLS
from selfedge.node.certificates import CertificateFiles
from selfedge.services.front import Network
from selfedge.telemetry.logs.files import USUAL, Retention


class ServeTerminal(Protocol):
    """What `serve` says to its operator."""

    def first(self, address: Address) -> None:
        """The node is new: this is its token, shown once."""

    def ready(self, urls: Sequence[str], api: Address, workers: int) -> None:
        """Clients and callers of the API can connect."""

    def log(self, level: str, text: str) -> None:
        """A Worker, or the engine, said something."""

    def notice(self, text: str) -> None:
        """We say something."""


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the operator chose; paths are absolute."""

    data: Path
    listens: Sequence[Listen]
    api: Listen
    domain: str  # what the Workers' own names end in
    certificate: CertificateFiles | None = None
    proxies: Sequence[Network] = ()  # who may tell the client's address
    geoip: Sequence[Path] = ()
    limits: str = "paid"  # a profile
    idle_s: float | None = 300.0
    slots: int = 512
    sandbox: str = "auto"  # or "require", or "off"
    logs: Retention = USUAL
    api_rate: int = CALLS.most  # calls of a token in 5 minutes; 0: any number
