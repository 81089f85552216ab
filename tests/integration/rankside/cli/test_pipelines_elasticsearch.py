"""`rankside plan`, `apply` and `destroy` as typed, against an Elasticsearch without inference."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from rankside.cli.root import main

STOCK = ("--path", "stock")
LACKING = (
    "rankside: this Elasticsearch cluster lacks the _inference API, the ingest processor "
    "inference, the ingest processor remove, the ingest processor script; use Elastic's own "
    "distribution, from 8.19 or 9.1 on, with an Enterprise licence, or apply the rest with "
    "--only template\n"
)
NO_PLUGIN = (
    "rankside: this Elasticsearch cluster lacks the plugin rankside on any node; install it, or "
    "apply the rest with --only template\n"
)


@dataclass(frozen=True)
class Result:
    """What a command answered."""

    code: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def run(
    elasticsearch_url: str,
    sidecar_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Type a command for names of this test alone; all of it is removed in the end."""
    name = f"test-cli-{uuid4().hex[:8]}"
    for key in [key for key in os.environ if key.startswith("RANKSIDE_")]:
        monkeypatch.delenv(key)

    def typed(command: str, *words: str) -> Result:
        common = ["--url", elasticsearch_url, "--name", name]
        if command != "destroy":
            common += ["--sidecar", sidecar_url, "--index-pattern", f"{name}-*"]
        monkeypatch.setattr(sys, "argv", ["rankside", command, *common, *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Result(int(ended.value.code or 0), *capsys.readouterr())

    yield typed
    typed("destroy", "--yes")


def kept(url: str) -> dict[str, Any]:
    """What the cluster keeps: templates, pipelines, indices, settings."""
    metadata = httpx.get(f"{url}/_cluster/state/metadata", timeout=30).json()["metadata"]
    parts = ("templates", "index_template", "component_template", "ingest", "indices", "settings")
    # The first template leaves an empty table of templates behind.
    return {part: metadata[part] for part in parts if any(metadata.get(part, {}).values())}


def printed(result: Result) -> Any:
    assert result.code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_what_a_cluster_lacks_is_one_sentence_and_nothing_is_written(
    run: Run, elasticsearch_url: str, words: tuple[str, ...], form: tuple[str, ...]
) -> None:
    before = kept(elasticsearch_url)
    result = run(*words, *STOCK, *form)
    assert (result.code, result.stdout, result.stderr) == (3, "", LACKING)
    assert kept(elasticsearch_url) == before


@pytest.mark.parametrize("part", ["ingest", "search"])
def test_a_part_names_what_it_needs_itself(run: Run, part: str) -> None:
    result = run("plan", *STOCK, "--only", part)
    assert result.code == 3
    assert ("the ingest processor inference" in result.stderr) is (part == "ingest")
    assert "the _inference API" in result.stderr
    assert "--only" not in result.stderr, "there is no rest"


def test_the_rest_that_the_sentence_names_can_be_applied_and_removed(
    run: Run, elasticsearch_url: str
) -> None:
    before = kept(elasticsearch_url)
    rest = (*STOCK, "--only", "template")
    planned = printed(run("plan", *rest, "--json"))
    assert [change["action"] for change in planned["changes"]] == ["create"]
    assert "search" not in planned, "there is no endpoint to search by"
    applied = printed(run("apply", *rest, "--yes", "--json"))
    assert [change["outcome"] for change in applied["changes"]] == ["done"]
    assert kept(elasticsearch_url) != before
    assert printed(run("plan", *rest, "--json"))["pending"] == 0
    removed = printed(run("destroy", "--yes", "--json"))
    assert [(change["resource"].split()[0], change["action"]) for change in removed["changes"]] == [
        ("index", "delete"),
        ("ingest", "absent"),
    ]
    assert kept(elasticsearch_url) == before


def test_the_plugin_path_says_that_the_plugin_is_missing(run: Run) -> None:
    result = run("apply", "--path", "plugin", "--yes")
    assert (result.code, result.stdout, result.stderr) == (3, "", NO_PLUGIN)
