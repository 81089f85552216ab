"""Bearer keys: several, from a file, compared in constant time, rotated without a restart."""

from __future__ import annotations

import hashlib
import hmac
import logging
from pathlib import Path

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from plugin.ranking.errors import SettingsError
from plugin.sidecar.errors import answer
from plugin.sidecar.record import record_in

logger = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/health/live", "/health/ready", "/metrics", "/openapi.json"})
"""Asked by probes and scrapers, which carry no keys; they tell nothing about documents."""


class KeyFile:
    """The keys of a file: one a line, blank lines and lines that begin with ``#`` left out.

    The file is read again when it changes. While it cannot be read, the keys read last stay; a
    file without keys lets nobody in.

    Raises SettingsError where it cannot be read at the start, or holds no key then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._mark = self._changed_at()
            self._keys = self._read()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"sidecar.keys_file {path} cannot be read: {error}; give a file with one key a line"
            ) from error
        if not self._keys:
            raise SettingsError(
                f"sidecar.keys_file {path} holds no key; put one a line, or leave the setting out"
            )

    def admits(self, key: str) -> bool:
        """Whether ``key`` is one of the file's; every key is compared, whichever fits."""
        self._refresh()
        given = _digest(key)
        found = False
        for known in self._keys:
            found |= hmac.compare_digest(given, _digest(known.get_secret_value()))
        return found

    def _refresh(self) -> None:
        try:
            mark = self._changed_at()
            if mark == self._mark:
                return
            self._keys, self._mark = self._read(), mark
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("the keys read last stay, as %s cannot be read: %s", self._path, error)
            return
        logger.info("read %d keys anew from %s", len(self._keys), self._path)

    def _changed_at(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> tuple[SecretStr, ...]:
        lines = (line.strip() for line in self._path.read_text("utf-8").splitlines())
        return tuple(SecretStr(line) for line in lines if line and not line.startswith("#"))


class BearerAuth:
    """Lets requests with a key through, before anything of their body is read."""

    def __init__(self, app: ASGIApp, keys: KeyFile | None) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if (
            self._keys is None
            or scope["type"] != "http"
            or scope["path"] in OPEN_PATHS
            or self._keys.admits(_bearer(scope))
        ):
            await self._app(scope, receive, send)
            return
        refusal = answer(
            record_in(scope).id,
            401,
            "unauthorized",
            "no bearer key, or not one of the keys; send `Authorization: Bearer <key>`",
            {"WWW-Authenticate": "Bearer"},
        )
        await refusal(scope, receive, send)


def _bearer(scope: Scope) -> str:
    value = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    scheme, _, key = value.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _digest(key: str) -> bytes:
    """Of equal length for every key, so that not even lengths show."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
