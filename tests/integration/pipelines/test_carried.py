"""What OpenSearch's stock processors hand to a model: docs/how-to/ways.md says it of each."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from connectors.engine import Engine
from connectors.meta import IndexMeta
from pipelines import bodies
from pipelines.bodies import SidecarTarget
from pipelines.mlcommons import Connector, RemoteModel
from pipelines.options import Part, PipelineOptions
from plugin.ranking.errors import EngineRejected
from tests.integration.pipelines.steps import write
from tests.serving import serving

DOCUMENTS = {
    "both": {"title": "Frost", "text": "Frost in winter.", "one": 1, "vector": [1.0, 0.5, 0.25]},
    "long": {"title": "Ice", "text": "A long winter at sea.", "one": 1, "vector": [0.5, 1.0, 0.0]},
    "rain": {"title": "Rain", "text": "No winter.", "one": 1, "vector": [0.0, 0.25, 1.0]},
}
VECTOR = {
    "type": "knn_vector",
    "dimension": 3,
    "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
}
QUERY = "frost in winter"
SEARCH = {
    "query": {"match": {"text": QUERY}},
    "ext": {"rerank": {"query_context": {"query_text": QUERY}}},
}
# As many bytes as a vector of floats has, in the order that /v1/rank reads.
BASE64 = """
    float[] vector = doc['vector'].value;
    byte[] bytes = new byte[vector.length * 4];
    for (int i = 0; i < vector.length; i++) {
      int bits = Float.floatToIntBits(vector[i]);
      for (int part = 0; part < 4; part++) {
        bytes[4 * i + part] = (byte) (bits >> (8 * part));
      }
    }
    return Base64.getEncoder().encodeToString(bytes);
"""


@dataclass
class Recorder:
    """A reranker that turns the order round; ``bodies`` are those it was sent."""

    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        sent, more = b"", True
        while more:
            message = await receive()
            sent, more = sent + message["body"], message["more_body"]
        self.bodies.append(json.loads(sent))
        documents = self.bodies[-1]["documents"]
        results = [{"index": at, "relevance_score": at / 10} for at in range(len(documents))]
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        answer = json.dumps({"results": results}).encode()
        await send({"type": "http.response.body", "body": answer})


@dataclass(frozen=True)
class Node:
    """The engine with an index and a model behind which the recorder is."""

    engine: Engine
    index: str
    model: str
    recorder: Recorder

    async def search(self, *processors: dict[str, Any], **body: Any) -> list[dict[str, Any]]:
        """The hits of `SEARCH` and ``body`` through these response processors."""
        pipeline = {"response_processors": list(processors)}
        sent = {**SEARCH, **body, "search_pipeline": pipeline}
        self.recorder.bodies.clear()
        hits: list[dict[str, Any]] = (await self.engine.search(self.index, sent))["hits"]["hits"]
        return hits

    @property
    def documents(self) -> list[Any]:
        """What the one call carried for the hits."""
        (body,) = self.recorder.bodies
        found: list[Any] = body["documents"]
        return found

    def rerank(self, *fields: str) -> dict[str, Any]:
        """The `rerank` processor over these document fields."""
        way = {"ml_opensearch": {"model_id": self.model}, "context": {"document_fields": fields}}
        return {"rerank": way}

    def infer(self, query: str = "$._request.ext.query_context.query_text") -> dict[str, Any]:
        """`ml_inference` over whole sources, whose scores take the place of the vectors."""
        scores = "$.inference_results[0].output[*].data[0]"
        way = {
            "model_id": self.model,
            "function_name": "remote",
            "full_response_path": True,
            "input_map": [{"documents": "$", "query": query}],
            "output_map": [{"vector": scores}],
            "model_config": {"top_n": "3"},
            "override": True,
        }
        return {"ml_inference": way}


def by_field(name: str, **more: bool) -> dict[str, Any]:
    return {"rerank": {"by_field": {"target_field": name, **more}}}


@pytest.fixture
def recorder() -> Iterator[tuple[Recorder, str]]:
    recorder = Recorder()
    with serving(recorder) as url:
        yield recorder, url


@pytest.fixture
async def node(
    opensearch: Engine, options: PipelineOptions, meta: IndexMeta, recorder: tuple[Recorder, str]
) -> AsyncIterator[Node]:
    name, index = options.name, f"{options.name}-docs"
    properties = {"vector": VECTOR, "one": {"type": "byte"}}
    settings = {"index": {"knn": True, "number_of_shards": 1, "number_of_replicas": 0}}
    body = {"settings": settings, "mappings": {"properties": properties}}
    await opensearch.request("PUT", f"/{index}", body=body)
    await write(opensearch, index, DOCUMENTS)
    target = SidecarTarget(recorder[1], meta.model)
    connector = Connector(name, Part.SEARCH, bodies.rerank_connector(name, target, options))
    id_ = await connector.create(opensearch, connector.desired)
    model = RemoteModel(name, Part.SEARCH, bodies.remote_model(name, id_))
    made = await model.create(opensearch, model.desired)
    yield Node(opensearch, index, made, recorder[0])
    for resource in (model, connector):
        found = await resource.find(opensearch)
        assert found is not None
        await resource.delete(opensearch, found)
    await opensearch.request("DELETE", f"/{index}")


async def first_stage(node: Node) -> dict[str, float]:
    return {hit["_id"]: hit["_score"] for hit in await node.search()}


async def test_rerank_carries_the_texts_with_nothing_between_them(node: Node) -> None:
    await node.search(node.rerank("title", "text"))
    assert node.documents == ["FrostFrost in winter.", "RainNo winter.", "IceA long winter at sea."]


async def test_rerank_carries_what_scripts_of_the_search_make_of_a_document(node: Node) -> None:
    joined = "params['_source'].title + params.between + params['_source'].text"
    scripts = {
        "joined": {"script": {"source": joined, "params": {"between": "\n"}}},
        "packed": {"script": {"source": BASE64}},
    }
    more = {"script_fields": scripts, "_source": False}
    await node.search(node.rerank("joined"), **more)
    assert node.documents[0] == "Frost\nFrost in winter."
    await node.search(node.rerank("packed"), **more)
    carried = [np.frombuffer(base64.b64decode(one), "<f4").tolist() for one in node.documents]
    assert carried == [DOCUMENTS[id_]["vector"] for id_ in ("both", "rain", "long")]


async def test_rerank_carries_one_number_of_a_vector_that_is_fetched_as_a_field(node: Node) -> None:
    await node.search(node.rerank("vector"), fields=["vector"], _source=False)
    assert node.documents == ["1.0", "0.0", "0.5"]


async def test_rerank_leaves_the_explanation_of_the_first_stage(node: Node) -> None:
    first = await first_stage(node)
    hits = await node.search(node.rerank("text"), explain=True)
    told = {hit["_id"]: hit["_explanation"]["value"] for hit in hits}
    assert told == pytest.approx(first)
    assert [hit["_score"] for hit in hits] == pytest.approx([0.2, 0.1, 0.0]), "the reranker's"


async def test_rerank_puts_each_page_in_order_by_itself(node: Node) -> None:
    first = list(await first_stage(node))
    hits = await node.search(node.rerank("text"), **{"from": 1, "size": 2})
    assert node.documents == [DOCUMENTS[id_]["text"] for id_ in first[1:]]
    assert [hit["_id"] for hit in hits] == first[:0:-1]


async def test_no_script_of_a_search_can_read_the_score(node: Node) -> None:
    with pytest.raises(EngineRejected, match="compile error"):
        await node.search(script_fields={"score": {"script": "_score"}})


async def test_ml_inference_by_itself_carries_sources_and_no_score(node: Node) -> None:
    await node.search(node.infer())
    assert node.documents == [DOCUMENTS[id_] for id_ in ("both", "rain", "long")]


async def test_by_field_writes_the_score_into_the_source_and_can_keep_the_order(node: Node) -> None:
    first = await first_stage(node)
    hits = await node.search(
        by_field("one", keep_previous_score=True, remove_target_field=True),
        by_field("previous_score"),
    )
    assert {hit["_id"]: hit["_score"] for hit in hits} == first
    assert [hit["_id"] for hit in hits] == list(first)
    assert {hit["_id"]: hit["_source"]["previous_score"] for hit in hits} == first
    assert all("one" not in hit["_source"] for hit in hits)


async def test_both_together_carry_text_score_and_vector_of_every_hit_in_one_call(
    node: Node,
) -> None:
    first = await first_stage(node)
    hits = await node.search(
        by_field("one", keep_previous_score=True, remove_target_field=True),
        by_field("previous_score"),
        node.infer(),
        by_field("vector", remove_target_field=True),
    )
    wanted = [
        {**DOCUMENTS[id_], "previous_score": pytest.approx(score)} for id_, score in first.items()
    ]
    for document in wanted:
        del document["one"]
    assert node.documents == wanted
    assert [hit["_id"] for hit in hits] == list(first)[::-1], "the recorder's order"
    assert [hit["_score"] for hit in hits] == pytest.approx([0.2, 0.1, 0.0])
    assert all(set(hit["_source"]) == {"title", "text", "previous_score"} for hit in hits)


async def test_ml_inference_reads_the_query_where_the_request_has_it(node: Node) -> None:
    await node.search(node.infer("$._request.query.match.text.query"))
    assert node.recorder.bodies[0]["query"] == QUERY
