from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.experiment import Through
from evaluation.live_index import LiveIndex, filled, read_body
from evaluation.session import EvaluationOptions
from evaluation.strategies import parse_variants
from plugin.ranking.errors import SettingsError

BODY = {
    "query": {"bool": {"must": [{"match": {"text": "{{query}}"}}], "filter": {"term": {"n": 1}}}},
    "size": 3,
    "from": 7,
    "_source": ["text"],
}


def test_a_querys_text_goes_where_its_place_is_held() -> None:
    made = filled(BODY, 'a "quoted" text', 50)
    assert made["query"]["bool"]["must"] == [{"match": {"text": 'a "quoted" text'}}]
    assert made["query"]["bool"]["filter"] == {"term": {"n": 1}}
    assert (made["size"], made["from"], made["_source"]) == (50, 0, ["text"])
    assert BODY["size"] == 3
    assert filled({"query": {}}, "x", 5)["_source"] is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "not a JSON object"),
        ('{"query": {"match_all": {}}}', "write it where the query's text belongs"),
    ],
)
def test_a_body_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "body.json"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=message):
        read_body(path)


def test_a_body_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_text(json.dumps(BODY), "utf-8")
    assert read_body(path) == BODY


def test_an_index_is_searched_not_ranked_in_memory() -> None:
    with pytest.raises(SettingsError, match="evaluated by searching it"):
        EvaluationOptions(
            parse_variants("none"), live=LiveIndex("articles"), through=Through.MEMORY
        )
