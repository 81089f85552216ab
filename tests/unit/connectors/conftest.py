"""A scripted HTTP server, plain and with TLS, for both engine clients and the sidecar's."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

JSON = "application/json"
Answer = tuple[int, str, bytes]


@dataclass
class Script:
    """What the server answers, call by call; the last answer is repeated."""

    answers: list[Answer] = field(default_factory=lambda: [(200, JSON, b"{}")])
    delay: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def handler_of(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.seen.append((self.command, self.path, headers, body))
            status, kind, content = script.next()
            threading.Event().wait(script.delay)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            for name, value in script.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def script() -> Script:
    return Script()


class QuietServer(ThreadingHTTPServer):
    """Clients that hang up in a handshake are what some tests are about."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass


def serve(server: QuietServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    for address in serve(QuietServer(("127.0.0.1", 0), handler_of(script))):
        yield f"http://{address}"


@dataclass
class Certificates:
    """An authority, and a server's and a client's certificate that it signed."""

    folder: Path

    def __getitem__(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def make(self) -> None:
        self._run("req", "-x509", "-subj", "/CN=ca", "-keyout", self["ca-key"], "-out", self["ca"])
        for name in ("server", "client"):
            request = self.folder / f"{name}.csr"
            self._run(
                "req", "-subj", f"/CN={name}", "-keyout", self[f"{name}-key"], "-out", request
            )  # fmt: skip
            extension = self.folder / f"{name}.ext"
            extension.write_text("subjectAltName=IP:127.0.0.1")
            subprocess.run(
                ["openssl", "x509", "-req", "-in", request, "-CA", self["ca"], "-CAkey",
                 self["ca-key"], "-extfile", extension, "-out", self[name]],
                check=True, capture_output=True,
            )  # fmt: skip

    @staticmethod
    def _run(*words: str | Path) -> None:
        command = ["openssl", *words, "-newkey", "rsa:2048", "-nodes"]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not on PATH")
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make()
    return made


@pytest.fixture(params=[False, True], ids=["server", "mutual"])
def secure(
    request: pytest.FixtureRequest, script: Script, certificates: Certificates
) -> Iterator[tuple[str, bool]]:
    server = QuietServer(("127.0.0.1", 0), handler_of(script))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates["server"], certificates["server-key"])
    if request.param:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates["ca"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for address in serve(server):
        yield f"https://{address}", request.param
