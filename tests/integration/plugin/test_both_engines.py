"""The same corpus on both engines with one sidecar: one order, by either plugin or from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk as elasticsearch_bulk
from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk as opensearch_bulk

from connectors.engine import EngineKind
from connectors.meta import IndexMeta, document_text
from connectors.search import SearchOptions
from deploy import local
from deploy.local import EngineName
from pipelines.definitions import index_body
from plugin.models.encoder import Encoder
from plugin.ranking.prompts import document_input
from tests.articles import article_documents
from tests.integration.plugin.client_side import client_side, weights
from tests.integration.plugin.elasticsearch import searching as of_elasticsearch
from tests.integration.plugin.opensearch import searching as of_opensearch
from tests.integration.plugin.shared import Answer, Articles
from tests.nodes import own_node

HEAP = "512m"
INDEX = "graded"
QUERY = "winter frost"
BODY = {"query": {"match": {"text": QUERY}}, "_source": False}
WORDS, MOST = range(10, 26), 7
"""Lengths of the texts, and how often the most wintry of them says so: no two score the same."""
PAGES = {"page 1": 0, "page 3": 20}
SIZE = 10
FUSIONS: dict[str, dict[str, float] | None] = {
    "the model's own": None,
    "listwise and query": {"listwise": 0.6, "query": 0.4},
    "rocchio": {"rocchio": 0.5, "query": 0.5},
    "first stage": {"query": 1.0, "first_stage": 0.05},
}


@dataclass(frozen=True)
class Both:
    """The two nodes."""

    opensearch: OpenSearch
    elasticsearch: Elasticsearch
    urls: Mapping[EngineName, str]
    sidecar: str

    def plain(self, **page: int) -> tuple[Answer, Answer]:
        """As each of the engines answers by itself."""
        body = {**BODY, **page}
        standard = {"standard": {"query": BODY["query"]}}
        return (
            of_opensearch.plain(self.opensearch, INDEX, body),
            of_elasticsearch.search(self.elasticsearch, INDEX, standard, **page),
        )

    def reranked(self, said: Mapping[str, Any], **page: int) -> tuple[Answer, Answer]:
        """By the plugin of each, told the same."""
        body = {**BODY, **page}
        standard = {"standard": {"query": BODY["query"]}}
        retriever = of_elasticsearch.reranked(standard, query_text=QUERY, **said)
        return (
            of_opensearch.search(self.opensearch, INDEX, body, ext={"timeout": "30s", **said}),
            of_elasticsearch.search(self.elasticsearch, INDEX, retriever, **page),
        )


@pytest.fixture(scope="module")
def graded(minilm: Encoder, meta: IndexMeta) -> Articles:
    """Documents of different lengths that name the query's words more or less often."""
    words = " ".join(source["text"] for source in article_documents().values()).split()
    dull = [word for word in words if not {"winter", "frost"} & {word.lower().strip(".,;:")}]
    texts, at = {}, 0
    for length in WORDS:
        for times in range(1, MOST + 1):
            others = dull[at : at + length - times]
            at += len(others)
            texts[f"{length}-{times}"] = " ".join([*others, *["winter"] * times])
    sources = {id_: {"text": text} for id_, text in texts.items()}
    inputs = [
        document_input(minilm.profile, document_text(source, meta.text_fields))
        for source in sources.values()
    ]
    vectors = dict(zip(sources, minilm.encode(inputs).vectors, strict=True))
    return Articles(INDEX, meta, sources, vectors)


@pytest.fixture(scope="module")
def both(graded: Articles, sidecar: str) -> Iterator[Both]:
    """Nodes with their plugins, the same sidecar and the same documents."""
    settings = {"rankside.sidecar.url": [sidecar]}
    plugins = {name: local.build_plugin(name) for name in local.ENGINES}
    with (
        own_node("opensearch", plugin=plugins["opensearch"], heap=HEAP) as one,
        own_node(
            "elasticsearch", plugin=plugins["elasticsearch"], heap=HEAP, settings=settings
        ) as two,
        OpenSearch(one.url, timeout=60) as opensearch,
        Elasticsearch(two.url, request_timeout=60) as elasticsearch,
    ):
        shape: Any = {"shards": 1, "replicas": 0}
        body = index_body(EngineKind.OPENSEARCH, graded.meta, **shape)
        opensearch.indices.create(index=INDEX, body=body)
        opensearch_bulk(opensearch, graded.actions(), refresh=True)
        of_opensearch.put_pipeline(opensearch, of_opensearch.PIPELINE, url=sidecar)
        body = index_body(EngineKind.ELASTICSEARCH, graded.meta, **shape)
        elasticsearch.indices.create(index=INDEX, **body)
        elasticsearch_bulk(elasticsearch, graded.actions(), refresh=True)
        urls: dict[EngineName, str] = {"opensearch": one.url, "elasticsearch": two.url}
        yield Both(opensearch, elasticsearch, urls, sidecar)


def test_the_first_stage_is_the_same_and_has_no_ties(both: Both, graded: Articles) -> None:
    """Or nothing could be said of what is made of it.

    Elasticsearch's BM25 is OpenSearch's times a constant, which the sidecar takes out again.
    """
    one, two = both.plain(size=len(graded.documents))
    assert one.ids == two.ids
    assert sorted(one.ids) == sorted(graded.documents)
    for answer in (one, two):
        gaps = [a / b for a, b in zip(answer.scores, answer.scores[1:], strict=False)]
        assert min(gaps) > 1 + 1e-5
    times = two.scores[0] / one.scores[0]
    assert two.scores == pytest.approx([times * score for score in one.scores], rel=1e-5)


@pytest.mark.parametrize("start", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("fusion", FUSIONS.values(), ids=FUSIONS)
async def test_one_order_by_either_plugin_and_from_outside(
    both: Both, fusion: dict[str, float] | None, start: int
) -> None:
    page = {"from": start, "size": SIZE}
    one, two = both.reranked({"fusion": fusion} if fusion else {}, **page)
    assert (one.said["status"], two.said["status"]) == ("reranked", "reranked")
    assert len(one.ids) == SIZE
    assert one.ids == two.ids
    assert one.ids != both.plain(**page)[0].ids
    options = SearchOptions(fusion=None if fusion is None else weights(fusion))
    for url in both.urls.values():
        outside = await client_side(url, both.sidecar, INDEX, {**BODY, **page}, options)
        assert [hit["_id"] for hit in outside.body["hits"]["hits"]] == one.ids


@pytest.mark.parametrize("start", PAGES.values(), ids=PAGES)
def test_the_command_shows_that_order(both: Both, tmp_path: Path, start: int) -> None:
    file = tmp_path / "body.json"
    file.write_text(json.dumps(BODY), "utf-8")
    page = {"from": start, "size": SIZE}
    wanted = both.reranked({}, **page)[0].ids
    for url in both.urls.values():
        words = [
            *(sys.executable, "-m", "rankside", "search", "--index", INDEX, "--json"),
            *("--query-body", str(file), "--from", str(start), "--size", str(SIZE)),
            *("--url", url, "--sidecar", both.sidecar, "--deadline", "30"),
        ]
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        shown = json.loads(ran.stdout)
        assert shown["status"] == "reranked"
        assert [hit["_id"] for hit in shown["response"]["hits"]["hits"]] == wanted
