"""The teacher that knows the right answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.collections import Collection, load_collection
from evaluation.memory import first_stage_hits
from evaluation.runs import read_run
from evaluation.vectors import CachedEncoder
from plugin.models.encoder import Encoder
from plugin.ranking.prompts import document_input, query_input
from tests.tiny import write_collection, write_first_stage
from training.teachers import answers_teacher


@pytest.fixture
def tiny(tmp_path: Path) -> Collection:
    return load_collection(write_collection(tmp_path / "tiny"))


def test_a_window_is_ordered_by_the_mean_of_query_and_answers(
    tiny: Collection, minilm: Encoder, tmp_path: Path
) -> None:
    run = read_run(write_first_stage(tmp_path / "first.trec"))
    hits = first_stage_hits(tiny, run, 10)
    teacher = answers_teacher(tiny, hits, CachedEncoder(minilm, tmp_path / "cache"))

    # By hand: query 2 asks what stops a boat from drifting, and keel and anchor are its answers.
    texts = [tiny.documents[id_].text for id_ in ("keel", "anchor", "sail", "hive")]
    query = minilm.encode([query_input(minilm.profile, tiny.queries["q2"])]).vectors[0]
    found = minilm.encode([document_input(minilm.profile, text) for text in texts]).vectors
    cosines = found @ (query + found[0] + found[1])
    expected = [("keel", "anchor", "sail", "hive")[place] for place in (-cosines).argsort()]

    assert [one.id for one in teacher["q2"]] == expected
    assert {"keel", "anchor"} == {one.id for one in teacher["q2"][:2]}
    # A document without a text has no vector, and so no place.
    assert [one.id for one in teacher["q1"]][:1] == ["bread"]
    assert "empty" not in {one.id for one in teacher["q1"]}
