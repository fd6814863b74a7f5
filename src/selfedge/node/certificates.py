"""The certificate of a node's listeners: the operator's files, or one made here."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfedge.errors import UsageError
from selfedge.front.config import Certificate

_DAYS = 3650
_KEY_MODE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """Where a certificate with its chain, and its key, are kept as PEM."""

    chain: Path
    key: Path

    def read(self) -> Certificate:
        """Return what is in the files now.

        Raises:
            UsageError: one cannot be read, or they do not belong together.
        """
        try:
            chain, key = self.chain.read_text(), self.key.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the certificate: {error}") from error
        _check(chain, key, self)
        return Certificate(chain=chain, key=key)


def self_signed(folder: Path, hosts: Sequence[str]) -> CertificateFiles:
    """Return a certificate for `hosts`, made in `folder` if it is not there yet."""
    files = CertificateFiles(chain=folder / "self-signed.pem", key=folder / "key.pem")
    if not (files.chain.exists() and files.key.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(files, hosts)
    return files


def _make(files: CertificateFiles, hosts: Sequence[str]) -> None:
    from cryptography import x509  # noqa: PLC0415 - few nodes make one
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names += [x509.DNSName(host), x509.DNSName(f"*.{host}")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files.key.touch(mode=_KEY_MODE)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    files.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _check(chain: str, key: str, files: CertificateFiles) -> None:
    from cryptography import x509  # noqa: PLC0415 - few nodes have one
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    try:
        certificate = x509.load_pem_x509_certificate(chain.encode())
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{files.chain} and {files.key} must be a certificate and its key as PEM, "
            f"without a password: {error}"
        ) from error
    if certificate.public_key() != private.public_key():
        raise UsageError(f"the key {files.key} is not that of {files.chain}.")
