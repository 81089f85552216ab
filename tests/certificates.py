"""Certificates made by openssl, for a day or two."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path

    @property
    def files(self) -> dict[str, Path]:
        """As uvicorn takes them."""
        return {"ssl_certfile": self.certificate, "ssl_keyfile": self.key}


def authority(folder: Path, name: str) -> Identity:
    """One who signs, whom somebody may be told to trust."""
    return _made(folder, name)


def signed(folder: Path, name: str, *, by: Identity) -> Identity:
    """A server or client on 127.0.0.1."""
    signer = ("-CA", str(by.certificate), "-CAkey", str(by.key))
    leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
    return _made(folder, name, *signer, *leaf, "-addext", "subjectAltName=IP:127.0.0.1")


def _made(folder: Path, name: str, *more: str) -> Identity:
    made = Identity(folder / f"{name}.pem", folder / f"{name}.key")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ("-keyout", str(made.key), "-out", str(made.certificate))
    command = ["openssl", "req", "-x509", "-subj", f"/CN={name}", *kind, *files, *more]
    subprocess.run(command, check=True, capture_output=True)
    return made
