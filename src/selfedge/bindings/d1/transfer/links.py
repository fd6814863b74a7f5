"""URLs that need no token: unguessable, for one file, for one time or a while."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from selfedge.types import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a secret stands for."""

    database: str
    filename: str
    path: Path
    etag: str  # of an upload: the MD5 that its client promised
    expires: float


@dataclass(slots=True)
class Links:
    """Those of one purpose."""

    clock: Clock
    ttl_s: float
    secret: Callable[[], str] = lambda: secrets.token_urlsafe(32)
    _links: dict[str, Link] = field(default_factory=dict)

    def add(self, database: str, filename: str, path: Path, etag: str = "") -> str:
        """Return a new secret."""
        self._drop_expired()
        secret = self.secret()
        self._links[secret] = Link(
            database=database,
            filename=filename,
            path=path,
            etag=etag,
            expires=self.clock() + self.ttl_s,
        )
        return secret

    def get(self, secret: str, database: str) -> Link | None:
        """Return what `secret` stands for, if it does for that database."""
        self._drop_expired()
        link = self._links.get(secret)
        return link if link is not None and link.database == database else None

    def take(self, secret: str, database: str) -> Link | None:
        """Do the same, and never again."""
        link = self.get(secret, database)
        return self._links.pop(secret) if link else None

    def _drop_expired(self) -> None:
        now = self.clock()
        for secret, link in list(self._links.items()):
            if link.expires <= now:
                del self._links[secret]
                link.path.unlink(missing_ok=True)
