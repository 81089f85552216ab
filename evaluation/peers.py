"""What others would use instead, to be measured beside Rankside: each as its makers install it.

infinity-emb pins other versions than ours, so it has an environment of its own, made once.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sentence_transformers import CrossEncoder

from evaluation.local_sidecar import Served, free_port, served
from evaluation.vectors import default_folder
from evaluation.weights import MODEL
from plugin.models import registry
from plugin.models.files import no_progress_bars
from plugin.models.loading import package_folder
from plugin.ranking.errors import SettingsError

INFINITY_PACKAGE = "infinity-emb[torch,server]==0.0.78"
SKIPPED = {
    "text-embeddings-inference": "a Rust program that no package index has; it is built from its "
    "repository or run as a container image, and neither can be had here",
}
"""What was not measured, and why."""


def minilm_folder() -> Path:
    """The files of the embedded model.

    Raises:
        ModelUnavailable: its package is not installed.
    """
    folder = package_folder(registry.get(MODEL))
    if folder is None:
        raise SettingsError(f"{MODEL} comes in no package; give a model that does")
    return folder


def cross_encoder_folder(folder: Path) -> Path:
    """A cross-encoder of the embedded model's size, made in ``folder``.

    MiniLM's layers with a head of random weights: as fast as a trained one, and its scores mean
    nothing.
    """
    with no_progress_bars():
        made = CrossEncoder(str(minilm_folder()), num_labels=1, device="cpu")
        made.save_pretrained(str(folder))
    return folder


@contextmanager
def infinity(models: Mapping[str, Path]) -> Iterator[Served]:
    """infinity-emb with ``models`` by name, on the CPU, until the block ends; its API is at /v1.

    Raises:
        SettingsError: it cannot be installed.
        SidecarUnavailable: it did not start; the message has the end of its log.
    """
    port = free_port()
    command = [str(_environment("infinity", INFINITY_PACKAGE) / "bin" / "infinity_emb"), "v2"]
    for name, folder in models.items():
        command += ["--model-id", str(folder), "--served-model-name", name]
    command += ["--engine", "torch", "--device", "cpu", "--no-bettertransformer"]
    command += ["--no-vector-disk-cache"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--url-prefix", "/v1"]
    offline = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    with served(command, port, offline, ready="/health") as found:
        yield found


def resident_mib(pid: int) -> float | None:
    """The most memory that a process and its children have held, MiB; None where nobody tells."""
    pids, total = [pid], 0
    try:
        for one in pids:
            children = Path(f"/proc/{one}/task/{one}/children").read_text("ascii")
            pids += map(int, children.split())
            lines = Path(f"/proc/{one}/status").read_text("utf-8").splitlines()
            # One that has ended, and nobody has waited for yet, holds nothing.
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except OSError:
        return None
    return round(total / 1024, 1)


def _environment(name: str, requirement: str) -> Path:
    """A virtual environment with ``requirement``; it is made where there is none."""
    folder = default_folder() / "peers" / f"{name}-{requirement.rpartition('==')[2]}"
    done = folder / ".installed"
    if not done.exists():
        uv = [sys.executable, "-m", "uv"]
        steps = (
            [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
            [*uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), requirement],
        )
        for step in steps:
            ran = subprocess.run(step, capture_output=True, text=True, check=False)  # noqa: S603
            if ran.returncode != 0:
                raise SettingsError(
                    f"{requirement} cannot be installed ({ran.stderr.strip()[-200:]}); measure "
                    "without it, or where a package index is at hand"
                )
        done.touch()
    return folder
