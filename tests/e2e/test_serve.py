"""`rankside serve` as a process: starting, serving, draining, refusing to start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

START_SECONDS = 120


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "rankside", "serve", *options]


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RANKSIDE_")}
    return {**kept, "HF_HUB_OFFLINE": "1", **variables}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


@pytest.fixture
def process(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A sidecar on a free port that goes on serving for a second after SIGTERM."""
    variables = environment(
        RANKSIDE_SIDECAR__DRAIN_DELAY="1", RANKSIDE_SIDECAR__DRAIN_TIMEOUT="120"
    )
    with (
        log.open("wb") as file,
        subprocess.Popen(command("--port", "0"), stderr=file, env=variables) as made,
    ):
        yield made
        made.kill()


@pytest.fixture
def url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Its address, once it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while not any(line.get("phase") == "ready" for line in lines(log)):
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, log.read_text("utf-8")
        time.sleep(0.1)
    (address,) = [
        str(line["message"]).removeprefix("listening on ")
        for line in lines(log)
        if str(line["message"]).startswith("listening")
    ]
    return address


def test_sigterm_drains_and_ends_well(
    process: subprocess.Popen[bytes], url: str, log: Path
) -> None:
    texts = [f"a document about number {n} " * 20 for n in range(30)]
    answers: list[httpx.Response] = []
    busy = threading.Thread(
        target=lambda: answers.append(
            httpx.post(f"{url}/v1/embeddings", json={"input": texts}, timeout=60)
        )
    )
    with httpx.Client(base_url=url, timeout=10) as client:
        assert client.get("/health/ready").status_code == 200
        busy.start()
        while "rankside_queue_tokens 0.0" in client.get("/metrics").text:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while client.get("/health/ready").status_code != 503:
            assert time.monotonic() < deadline
        assert client.get("/health/live").status_code == 200
    busy.join()
    assert answers[0].status_code == 200
    assert len(answers[0].json()["data"]) == 30
    assert process.wait(60) == 0
    phases = [line["phase"] for line in lines(log) if "phase" in line]
    assert phases == ["loading", "warming", "ready", "draining", "stopped"]


def run(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*options),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        env=environment(**variables),
        check=False,
    )


def test_a_taken_port_is_one_sentence_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("--port", port)
    assert ended.returncode == 2
    assert "cannot listen on 127.0.0.1:" in ended.stderr
    assert "choose another with --port" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        (("--model", "nope"), {}, "model 'nope' is not in the registry"),
        (("--device", "toaster"), {}, "model.device = 'toaster' is wrong"),
        ((), {"RANKSIDE_SIDECAR__PORT": "x"}, "sidecar.port"),
        ((), {"RANKSIDE_SIDECAR__KEYS_FILE": "absent"}, "sidecar.keys_file absent"),
    ],
)
def test_wrong_settings_stop_the_start(
    options: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    ended = run("--port", "0", *options, **variables)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_model_that_cannot_be_loaded_ends_with_the_models_exit_code(tmp_path: Path) -> None:
    config = tmp_path / "rankside.toml"
    config.write_text(
        f'[model]\nname = "mine"\npath = "{tmp_path}"\n'
        '[model.profile]\ndimensions = 8\nmax_tokens = 64\npooling = "mean"\n',
        "utf-8",
    )
    ended = run("--port", "0", "--config", str(config))
    assert ended.returncode == 4
    assert "model mine cannot be loaded" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_extra_the_remedy_is_named(tmp_path: Path) -> None:
    hidden = tmp_path / "uvicorn.py"
    hidden.write_text("raise ModuleNotFoundError('No module', name='uvicorn')\n", "utf-8")
    ended = run("--port", "0", PYTHONPATH=str(tmp_path))
    assert ended.returncode == 2
    assert "uvicorn is not installed; install rankside[sidecar]" in ended.stderr
