"""LlamaIndex's text-embeddings-inference postprocessor against `/rerank` with `texts`."""

from __future__ import annotations

from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.postprocessor.tei_rerank import TextEmbeddingInference

QUERY = "how do I read a text file"


def test_postprocessor_orders_the_nodes(sidecar_url: str, documents: list[str]) -> None:
    nodes = [NodeWithScore(node=TextNode(text=text), score=0.5) for text in documents]
    processor = TextEmbeddingInference(base_url=sidecar_url, top_n=2, auth_token="Bearer any")
    kept = processor.postprocess_nodes(nodes, query_bundle=QueryBundle(QUERY))
    assert len(kept) == 2
    assert kept[0].node.get_content() == documents[1]
    assert (kept[0].score or 0) > (kept[1].score or 0) >= 0
