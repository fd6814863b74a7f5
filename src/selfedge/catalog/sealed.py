"""Secret values at rest: each a file of its own, encrypted with the node's key."""

import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from selfedge.catalog.files import explained, make_folder, read, write_whole
from selfedge.errors import StorageError

_KEY = "key"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_ID = re.compile(r"[0-9a-f]{32}")


class Secrets:
    """Sealed values in a folder; `key` there, made at first use, opens them."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_folder(folder)
        self._cipher: AESGCM | None = None

    def seal(self, text: str) -> str:
        """Keep `text` encrypted; return the id that reveals it.

        Raises:
            StorageError: the disk cannot be written, or the key is gone.
        """
        secret_id = secrets.token_hex(16)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._open_key().encrypt(nonce, text.encode(), secret_id.encode())
        write_whole(self._folder / secret_id, nonce + sealed)
        return secret_id

    def reveal(self, secret_id: str) -> str:
        """Return a sealed value.

        Raises:
            StorageError: it is not there, or the key is not its own.
        """
        if not _ID.fullmatch(secret_id):
            raise StorageError(f"{secret_id[:40]!r} is not the id of a secret.")
        raw = read(self._folder / secret_id)
        nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        try:
            return self._open_key().decrypt(nonce, sealed, secret_id.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise StorageError(
                f"{self._folder / secret_id} cannot be decrypted: it is damaged, or "
                f"{self._folder / _KEY} is another node's. Put the secret again."
            ) from error

    def keep_only(self, ids: Iterable[str]) -> None:
        """Remove all values but these; what cannot be removed stays."""
        kept = frozenset(ids)
        for secret_id in self._ids():
            if secret_id not in kept:
                with suppress(OSError):
                    (self._folder / secret_id).unlink(missing_ok=True)

    def _open_key(self) -> AESGCM:
        if self._cipher is None:
            path = self._folder / _KEY
            if not path.exists():
                self._make_key(path)
            key = read(path)
            if len(key) != _KEY_BYTES:
                raise StorageError(
                    f"{path} is damaged: put it back from a backup, or move the "
                    f"folder {self._folder} away and put all secrets again."
                )
            self._cipher = AESGCM(key)
        return self._cipher

    def _make_key(self, path: Path) -> None:
        if self._ids():
            raise StorageError(
                f"{path} is gone, and with it what opens the secrets beside it. Put "
                f"it back from a backup, or remove all of {self._folder} and put all "
                "secrets again."
            )
        write_whole(path, secrets.token_bytes(_KEY_BYTES))

    def _ids(self) -> list[str]:
        with explained(self._folder):
            return [p.name for p in self._folder.iterdir() if _ID.fullmatch(p.name)]
