"""`rankside ingest` and `rankside backfill` as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from plugin.ranking.errors import PartlyDone, SettingsError
from rankside.cli.console import Exit, exit_code
from rankside.cli.root import app
from tests.integration.ingest.conftest import documents

Corpus = Callable[..., str]


@pytest.fixture
def name(opensearch_url: str) -> Iterator[str]:
    made = f"test-ingest-{uuid4().hex[:10]}"
    yield made
    for index in httpx.get(f"{opensearch_url}/{made}*").json():
        httpx.delete(f"{opensearch_url}/{index}")


@pytest.fixture
def run(opensearch_url: str, sidecar_url: str) -> Callable[..., Result]:
    """Runs a command against the engine and the sidecar."""

    def command(*words: str, stdin: str | None = None) -> Result:
        where = ["--url", opensearch_url, "--sidecar", sidecar_url]
        return CliRunner().invoke(app, [*words, *where], input=stdin)

    return command


def count(url: str, name: str) -> int:
    return int(httpx.get(f"{url}/{name}/_count").json()["count"])


def test_a_file_is_ingested_and_the_report_is_a_sentence(
    run: Callable[..., Result], corpus: Corpus, name: str, opensearch_url: str
) -> None:
    done = run("ingest", corpus(*documents(30)), "--index", name, "--batch", "7")

    assert done.exit_code == 0, done.output
    assert f"{name}: 30 indexed, 0 skipped, 0 rejected of 30 read" in " ".join(done.output.split())
    assert count(opensearch_url, name) == 30


def test_standard_input_is_ingested_and_the_report_is_json(
    run: Callable[..., Result], name: str, opensearch_url: str
) -> None:
    lines = "".join(json.dumps(one) + "\n" for one in documents(12))

    done = run("ingest", "-", "--index", name, "--limit", "10", "--json", stdin=lines)

    report = json.loads(done.stdout)
    assert (report["index"], report["read"], report["indexed"]) == (name, 10, 10)
    assert set(report) >= {"embedded", "skipped", "rejected", "retried", "seconds"}
    assert set(report) >= {"documents_per_second", "dead_letter", "checkpoint"}
    assert count(opensearch_url, name) == 10


def test_what_is_rejected_makes_it_partly_done(
    run: Callable[..., Result], corpus: Corpus, name: str, tmp_path: Path
) -> None:
    dead = tmp_path / "dead.jsonl"

    done = run(
        *("ingest", corpus(*documents(5), "{"), "--index", name),
        *("--dead-letter", str(dead), "--json"),
    )

    assert json.loads(done.stdout)["dead_letter"] == str(dead)
    assert isinstance(done.exception, PartlyDone)
    assert exit_code(done.exception) is Exit.PARTLY_DONE
    assert str(dead) in str(done.exception)
    assert len(dead.read_text().splitlines()) == 1


def test_a_dry_run_shows_the_mapping_and_makes_nothing(
    run: Callable[..., Result], corpus: Corpus, name: str, opensearch_url: str
) -> None:
    shown = run("ingest", corpus(*documents(5), "{"), "--index", name, "--dry-run")
    as_json = run("ingest", corpus(*documents(5)), "--index", name, "--dry-run", "--json")

    assert shown.exit_code == as_json.exit_code == 0, shown.output
    assert "5 documents of 6 records; 1 broken" in shown.output
    assert "knn_vector" in shown.output
    assert json.loads(as_json.stdout)["create"]["settings"]["index"]["knn"] is True
    assert httpx.get(f"{opensearch_url}/{name}*").json() == {}


def test_backfill_counts_then_does_and_then_rebuilds(
    run: Callable[..., Result], name: str, opensearch_url: str
) -> None:
    for one in documents(9):
        path = f"{opensearch_url}/{name}-1/_doc/{one.pop('_id')}?refresh=true"
        httpx.put(path, json=one).raise_for_status()
    alias = {"actions": [{"add": {"index": f"{name}-1", "alias": name}}]}
    httpx.post(f"{opensearch_url}/_aliases", json=alias).raise_for_status()

    counted = run("backfill", "--index", name, "--dry-run")
    done = run("backfill", "--index", name)
    again = run("backfill", "--index", name, "--json")
    rebuilt = run("backfill", "--index", name, "--rebuild", "--delete-old", "--json")

    assert counted.exit_code == 0, counted.output
    assert "9 documents, 0 current, 9 missing" in counted.output
    assert "the mapping lacks rankside_vector" in counted.output
    assert "9 updated, 9 of them with a vector" in done.output
    assert json.loads(again.stdout)["current"] == 9
    report = json.loads(rebuilt.stdout)
    assert (report["swapped"], report["old_deleted"], report["documents"]) == (True, True, 9)
    assert set(httpx.get(f"{opensearch_url}/{name}").json()) == {report["new"]}
    assert count(opensearch_url, name) == 9


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", "no-such-file.jsonl", "--index", "x"),
        ("ingest", "-", "--index", "x", "--in-process"),
        ("backfill", "--index", "x", "--delete-old"),
        ("backfill", "--index", "x", "--rebuild", "--in-place"),
        ("backfill", "--index", "x", "--rebuild", "--dry-run"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_as_asked_is_a_usage_error(
    run: Callable[..., Result], words: tuple[str, ...]
) -> None:
    done = run(*words)

    assert isinstance(done.exception, SettingsError)
    assert exit_code(done.exception) is Exit.USAGE
