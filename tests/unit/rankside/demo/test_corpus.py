"""The demo's corpus: real documents, the same every time, and nothing of this machine in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from rankside.demo.corpus import EXCLUDED, Document, standard_library_documents, write_beir
from rankside.demo.judgments import judged_queries

ROOT = Path(__file__).parents[4]
SCRIPT = """
import hashlib, json
from rankside.demo.corpus import standard_library_documents
rows = [(d.id, d.title, d.text) for d in standard_library_documents()]
print(hashlib.sha256(json.dumps(rows).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    return {document.id: document for document in standard_library_documents()}


def fingerprint(**environment: str) -> str:
    """Make the corpus in a new process where every warning is an error; return its hash."""
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    where = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(command, env=where, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1, "importing the library printed something"
    return done.stdout


def test_there_are_thousands_of_documents(documents: dict[str, Document]) -> None:
    assert 5_000 < len(documents) < 8_000


def test_two_calls_give_the_same_in_the_order_of_the_ids() -> None:
    first = list(standard_library_documents())

    assert first == list(standard_library_documents())
    assert [document.id for document in first] == sorted({document.id for document in first})


def test_two_processes_give_the_same_whatever_the_hash_seed_and_say_nothing() -> None:
    assert fingerprint(PYTHONHASHSEED="1") == fingerprint(PYTHONHASHSEED="2")


def test_making_it_leaves_no_warning_and_no_filter_behind(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        filters = list(warnings.filters)
        list(standard_library_documents())
        assert list(warnings.filters) == filters

    assert caught == []
    assert capfd.readouterr() == ("", "")


def test_every_document_says_something(documents: dict[str, Document]) -> None:
    assert all(document.text.strip() == document.text for document in documents.values())
    assert not [document.id for document in documents.values() if document.text.isidentifier()]
    assert all(
        document.title.startswith(document.id.removeprefix("builtins."))
        for document in documents.values()
    )


def test_what_acts_when_imported_is_never_imported(documents: dict[str, Document]) -> None:
    tops = {id_.split(".")[0] for id_ in documents}

    assert not tops & EXCLUDED
    assert not any("test" in id_.split(".") for id_ in documents)


@pytest.mark.parametrize(
    ("kept", "dropped"),
    [
        ("os.path.join", "posixpath.join"),
        ("asyncio.run", "asyncio.runners.run"),
        ("json.JSONEncoder", "json.encoder.JSONEncoder"),
        ("builtins.open", "io.open"),
        ("builtins.OSError", "socket.error"),
        ("collections.namedtuple", "dis.namedtuple"),
        ("time.perf_counter", "timeit.default_timer"),
        ("random.randint", "random.Random.randint"),
        ("argparse.ArgumentParser.add_argument", "argparse._ActionsContainer.add_argument"),
    ],
)
def test_an_object_of_several_names_goes_by_the_one_people_type(
    documents: dict[str, Document], kept: str, dropped: str
) -> None:
    assert kept in documents
    assert dropped not in documents


@pytest.mark.parametrize(
    "id_",
    [
        "builtins.int.__repr__",  # every type has it
        "pathlib.Path.parent",  # inherited from PurePath
        "tokenize.TokenInfo.type",  # Alias for field number 0
        "collections.Counter._keep_positive",  # private
    ],
)
def test_docstrings_that_are_nobodys_own_are_dropped(
    documents: dict[str, Document], id_: str
) -> None:
    assert id_ not in documents


def test_a_special_method_of_its_own_is_kept(documents: dict[str, Document]) -> None:
    assert documents["collections.Counter.__add__"].text.startswith("Add counts from two counters.")


@pytest.mark.parametrize(
    ("id_", "title"),
    [
        ("pathlib.Path.mkdir", "pathlib.Path.mkdir(mode=511, parents=False, exist_ok=False)"),
        ("builtins.str.strip", "str.strip(chars=None, /)"),
        ("builtins.list", "list(iterable=(), /)"),
        ("copy.deepcopy", None),
        ("itertools", "itertools"),
    ],
)
def test_a_title_is_the_name_and_the_signature_as_typed(
    documents: dict[str, Document], id_: str, title: str | None
) -> None:
    assert documents[id_].title == (title or "copy.deepcopy(x, memo=None, _nil=[])")


def test_nothing_of_this_machine_is_in_a_title(documents: dict[str, Document]) -> None:
    ours = {sys.prefix, sys.base_prefix, str(Path(os.__file__).parent), "0x7f", " object at "}

    assert not [d.title for d in documents.values() if any(part in d.title for part in ours)]


def test_write_beir_gives_the_layout_the_readers_read(
    tmp_path: Path, documents: dict[str, Document]
) -> None:
    counts = write_beir(tmp_path / "new")
    corpus = [json.loads(line) for line in (tmp_path / "new/corpus.jsonl").read_text().splitlines()]
    queries = (tmp_path / "new/queries.jsonl").read_text(encoding="utf-8").splitlines()
    header, *rows = (tmp_path / "new/qrels/test.tsv").read_text(encoding="utf-8").splitlines()

    assert len(corpus) == counts.documents == len(documents)
    assert corpus[0].keys() == {"_id", "title", "text"}
    assert [json.loads(line)["text"] for line in queries] == [q.text for q in judged_queries()]
    assert header == "query-id\tcorpus-id\tscore"
    assert len(rows) == counts.judgments
    assert {row.split("\t")[1] for row in rows} <= documents.keys()


def test_write_beir_drops_and_counts_what_this_interpreter_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = [d for d in standard_library_documents() if d.id != "itertools.groupby"]
    monkeypatch.setattr("rankside.demo.corpus.standard_library_documents", lambda: iter(without))
    counts = write_beir(tmp_path)

    assert counts.dropped_judgments == 1
    assert "itertools.groupby" not in (tmp_path / "qrels/test.tsv").read_text(encoding="utf-8")
