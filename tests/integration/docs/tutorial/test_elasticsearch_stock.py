"""The tutorial of Elasticsearch's stock path: what can run is run, the rest is what we would write.

What cannot is compared with the definitions that `rankside apply` puts, and what the commands send
to the sidecar with what the engine's service would, after `tests.contract.inference_services`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines import bodies
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import catalogue
from pipelines.options import EnginePath, PipelineOptions
from pipelines.resources import Resource, key
from pipelines.search_body import WORDS, search_body
from plugin.models.encoder import Encoder
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.contract.inference_services import Custom, Ranked, text_similarity_rerank
from tests.pages import ROOT, agrees, follow, steps
from tests.serving import serving

PAGE = ROOT / "docs" / "tutorial" / "elasticsearch-stock.md"
BEGINS = [
    "rankside engine up --engine elasticsearch",
    "RANKSIDE_MODEL__NAME=all-minilm-l6-v2 rankside serve",
    "engine=$(rankside engine status --engine elasticsearch --url-only)",
    "sidecar=http://127.0.0.1:8080",
]
QUERY = "how a beekeeper uses smoke before opening the hives"
TARGET = SidecarTarget("http://127.0.0.1:8080", "all-minilm-l6-v2")
OPTIONS = PipelineOptions(
    name="notes",
    index_patterns=("notes",),
    text_fields=("text",),
    replicas=0,
    path=EnginePath.STOCK,
)
REQUEST = re.compile(r"^```http\n(.*?)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass
class Recorder:
    """Hands calls on to the sidecar; ``sent`` are their bodies by path."""

    app: Callable[..., Awaitable[None]]
    sent: dict[str, list[Any]] = field(default_factory=dict)

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        async def heard() -> Any:
            message = await receive()
            if message.get("body"):
                self.sent.setdefault(scope["path"], []).append(json.loads(message["body"]))
            return message

        await self.app(scope, heard, send)


@pytest.fixture
def meta(minilm: Encoder) -> IndexMeta:
    profile = minilm.profile
    return IndexMeta(
        fingerprint=profile.fingerprint,
        model=profile.name,
        revision=profile.revision,
        dimensions=profile.dimensions,
        text_fields=OPTIONS.text_fields,
    )


@pytest.fixture
def engine(elasticsearch_url: str) -> Iterator[str]:
    """The node, which has nothing of the tutorial in the end."""
    yield elasticsearch_url
    with httpx.Client(base_url=elasticsearch_url, timeout=30) as client:
        client.delete("/notes")
        client.delete("/_index_template/notes")


@pytest.fixture
def shown() -> dict[str, Any]:
    """The page's requests that are not run: body by first line."""
    found = {line: json.loads(body) for line, body in REQUEST.findall(PAGE.read_text("utf-8"))}
    assert len(found) == 5
    return found


def test_every_block_prints_what_the_page_says_and_sends_what_the_engine_would(
    engine: str, minilm: Encoder, meta: IndexMeta
) -> None:
    with ExitStack() as running:
        recorder = Recorder(create_app(SidecarOptions(), minilm))
        sidecar = running.enter_context(serving(recorder))
        ran = follow(PAGE, engine, sidecar, begins=BEGINS, stop=running.close)
    assert all(step.documents or step.lines for step in ran)
    rerank = Custom(bodies.rerank_endpoint(TARGET)["service_settings"])
    embed = Custom(bodies.embed_endpoint(TARGET, meta, OPTIONS)["service_settings"])
    (reranked,), (embedded, _mismatch) = (
        recorder.sent["/v1/rerank"],
        recorder.sent["/v1/embeddings"],
    )
    assert reranked == json.loads(rerank.reranking(QUERY, texts()).content)
    would_send = embed.embedding(texts()[-1:], "internal_ingest")
    assert embedded == json.loads(would_send.content)


def test_what_is_not_run_is_what_would_be_written(
    shown: Mapping[str, Any], meta: IndexMeta
) -> None:
    made = {key(one): one for one in catalogue(EngineKind.ELASTICSEARCH, meta, OPTIONS, TARGET)}
    assert shown["PUT /_inference/rerank/notes-rerank"] == desired(made, "rerank")
    assert shown["PUT /_inference/text_embedding/notes-embed"] == desired(made, "embed")
    pipeline = made["ingest pipeline notes-embed"].desired
    assert agrees(shown["PUT /_ingest/pipeline/notes-embed"], pipeline)


def test_the_search_is_the_one_that_apply_prints(shown: Mapping[str, Any]) -> None:
    search = search_body(EngineKind.ELASTICSEARCH, OPTIONS, EnginePath.STOCK.parts)
    assert search is not None
    said = json.loads(json.dumps(shown[f"POST {search.path}"]).replace(QUERY, WORDS))
    assert said == search.body


def test_its_hits_are_those_that_the_engine_would_make_of_the_answer(
    shown: Mapping[str, Any],
) -> None:
    first_stage, answer = (hits_of("/_search"), results_of("/v1/rerank"))
    ranked = [Ranked(one["index"], one["relevance_score"]) for one in answer]
    wanted = text_similarity_rerank([(hit["_id"], hit["_score"]) for hit in first_stage], ranked)
    said = [(hit["_id"], hit["_score"]) for hit in shown["HTTP/1.1 200"]["hits"]["hits"]]
    assert [id_ for id_, _ in said] == [id_ for id_, _ in wanted]
    assert [score for _, score in said] == pytest.approx([score for _, score in wanted])


def desired(made: Mapping[str, Resource], name: str) -> Any:
    return made[f"inference endpoint notes-{name}"].desired


def texts() -> list[str]:
    """The documents of the page, in the order that the first stage finds them in."""
    (bulk,) = [step.commands for step in steps(PAGE.read_text("utf-8")) if "_bulk" in step.commands]
    by_id = dict(re.findall(r'"_id": "(\w+)"\}\}\n\{"text": "([^"]+)"\}', bulk))
    return [by_id[hit["_id"]] for hit in hits_of("/_search")]


def hits_of(path: str) -> list[dict[str, Any]]:
    """The hits that the page shows for the command that calls ``path``."""
    found: list[dict[str, Any]] = said(path)["hits"]["hits"]
    return found


def results_of(path: str) -> list[dict[str, Any]]:
    """The results that the page shows for the command that calls ``path``."""
    found: list[dict[str, Any]] = said(path)["results"]
    return found


def said(path: str) -> Any:
    """The last document below the one block of commands that calls ``path``."""
    (step,) = [step for step in steps(PAGE.read_text("utf-8")) if path in step.commands]
    return step.documents[-1]
