"""The requests of Elasticsearch's inference services, replayed to the sidecar as it runs.

What sends and reads is `tests.contract.inference_services`, after the engine's sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import httpx
import numpy as np
import pytest

from connectors.meta import IndexMeta
from pipelines import bodies
from pipelines.bodies import SidecarTarget
from pipelines.options import PipelineOptions
from plugin.models.encoder import Encoder
from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.prompts import EncoderInput, document_input, query_input
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.contract.inference_services import (
    Custom,
    HuggingFace,
    OpenAi,
    OpenShiftAi,
    Ranked,
    Service,
    Unreadable,
    text_similarity_rerank,
)
from tests.doubles import PROFILE, WordEncoder
from tests.serving import serving

Make = Callable[[str, IndexMeta], Service]
QUERY = "how do I read a text file"
KEY = "a-key-of-the-sidecar"
OPTIONS = PipelineOptions()
AWKWARD = 'He said "no", \\ and left.\n\tNUL \x00, emoji \U0001f41d, a lone brace } and $money'


def custom_embed(url: str, meta: IndexMeta) -> Service:
    """As `rankside apply --path stock` puts it."""
    target = SidecarTarget(url, meta.model, KEY)
    return Custom(bodies.embed_endpoint(target, meta, OPTIONS)["service_settings"])


def custom_rerank(url: str, meta: IndexMeta) -> Service:
    """As `rankside apply --path stock` puts it."""
    target = SidecarTarget(url, meta.model, KEY)
    return Custom(bodies.rerank_endpoint(target)["service_settings"])


EMBEDDING: dict[str, Make] = {
    "custom": custom_embed,
    "openai": lambda url, meta: OpenAi(f"{url}/v1/embeddings", meta.model, KEY),
    "openai, packed": lambda url, meta: OpenAi(
        f"{url}/v1/embeddings", meta.model, KEY, packed=True
    ),
    "openshift_ai": lambda url, meta: OpenShiftAi(f"{url}/v1/embeddings", meta.model, KEY),
}
RERANKING: dict[str, Make] = {
    "custom": custom_rerank,
    "openshift_ai": lambda url, meta: OpenShiftAi(f"{url}/v1/rerank", meta.model, KEY),
}
embedding = pytest.mark.parametrize("make", EMBEDDING.values(), ids=EMBEDDING)
reranking = pytest.mark.parametrize("make", RERANKING.values(), ids=RERANKING)


def meta_of(encoder: Encoder) -> IndexMeta:
    profile = encoder.profile
    return IndexMeta(
        fingerprint=profile.fingerprint, model=profile.name, dimensions=profile.dimensions
    )


@pytest.fixture
def meta(minilm: Encoder) -> IndexMeta:
    return meta_of(minilm)


@pytest.fixture(scope="module")
def words() -> Iterator[tuple[str, WordEncoder]]:
    """An open sidecar whose encoder fails on demand."""
    encoder = WordEncoder()
    with serving(create_app(SidecarOptions(), encoder)) as url:
        yield url, encoder


def send(request: httpx.Request) -> httpx.Response:
    with httpx.Client(timeout=30) as client:
        return client.send(request)


def vectors(service: Service, texts: Sequence[str], input_type: str) -> list[list[float]]:
    answer = send(service.embedding(texts, input_type))
    assert answer.status_code == 200, answer.text
    return service.vectors(answer)


def ranked(service: Service, texts: Sequence[str], query: str = QUERY) -> list[Ranked]:
    answer = send(service.reranking(query, texts))
    assert answer.status_code == 200, answer.text
    return service.ranked(answer)


@embedding
def test_each_text_has_its_vector_in_order(
    make: Make, sidecar_url: str, meta: IndexMeta, minilm: Encoder, documents: list[str]
) -> None:
    texts = [*documents, AWKWARD]
    expected = minilm.encode([document_input(minilm.profile, text) for text in texts]).vectors
    got = vectors(make(sidecar_url, meta), texts, "internal_ingest")
    np.testing.assert_allclose(np.array(got, dtype=np.float32), expected, atol=1e-5)


@embedding
def test_the_one_text_that_a_new_endpoint_is_tried_with(
    make: Make, sidecar_url: str, meta: IndexMeta
) -> None:
    (vector,) = vectors(make(sidecar_url, meta), ["how big"], "internal_ingest")
    assert len(vector) == meta.dimensions


@pytest.mark.parametrize(
    ("input_type", "template"),
    [
        ("internal_ingest", document_input),
        ("ingest", document_input),
        ("search", query_input),
        # A query vector builder's own type has no translation: it gets what documents get.
        ("internal_search", document_input),
        ("unspecified", document_input),
    ],
)
def test_which_template_an_input_type_gets(
    words: tuple[str, WordEncoder],
    input_type: str,
    template: Callable[..., EncoderInput],
) -> None:
    url, encoder = words
    seen: list[EncoderInput] = []
    encoder.before = seen.extend
    try:
        vectors(custom_embed(url, meta_of(encoder)), [f"a text of {input_type}"], input_type)
    finally:
        encoder.before = lambda _: None
    assert seen == [template(PROFILE, f"a text of {input_type}")]


@reranking
def test_each_text_has_one_score_and_the_best_is_found(
    make: Make, sidecar_url: str, meta: IndexMeta, documents: list[str]
) -> None:
    found = ranked(make(sidecar_url, meta), [*documents, AWKWARD, documents[1]])
    assert sorted(one.index for one in found) == [0, 1, 2, 3, 4]
    assert all(type(one.score) is float and 0 <= one.score <= 1 for one in found)
    scores = {one.index: one.score for one in found}
    assert scores[1] == pytest.approx(scores[4])
    assert max(scores, key=lambda place: scores[place]) in {1, 4}


@reranking
def test_the_order_of_the_page_is_the_order_of_our_own_call(
    make: Make, sidecar_url: str, meta: IndexMeta, documents: list[str]
) -> None:
    hits = [(str(place), 9.0 - place) for place in range(len(documents))]
    page = text_similarity_rerank(hits, ranked(make(sidecar_url, meta), documents))
    sent = [
        {"id": hit, "score": score, "text": text}
        for (hit, score), text in zip(hits, documents, strict=True)
    ]
    body = {"query": QUERY, "hits": sent}
    own = httpx.post(f"{sidecar_url}/v1/rank", json=body, timeout=30).json()
    assert [hit for hit, _ in page] == [result["id"] for result in own["results"]]
    assert all(1 <= score <= 2 for _, score in page)


@reranking
def test_a_whole_window_is_scored_and_one_hit_more_is_refused(
    make: Make, words: tuple[str, WordEncoder]
) -> None:
    url, encoder = words
    service = make(url, meta_of(encoder))
    texts = [f"word{place} and more" for place in range(1001)]
    found = ranked(service, texts[:1000], "word999")
    assert sorted(one.index for one in found) == list(range(1000))
    refused = send(service.reranking("word999", texts))
    assert refused.status_code == 422
    assert not service.refusal(refused).again
    assert "1000" in service.refusal(refused).message


@reranking
def test_a_text_without_words_scores_nothing_and_is_not_lost(
    make: Make, sidecar_url: str, meta: IndexMeta, documents: list[str]
) -> None:
    found = ranked(make(sidecar_url, meta), ["", *documents, "  "])
    assert {one.index: one.score for one in found if one.index in {0, 4}} == {0: 0.0, 4: 0.0}


@reranking
def test_a_model_that_fails_leaves_the_first_stage_order(
    make: Make, words: tuple[str, WordEncoder]
) -> None:
    url, encoder = words

    def fail(_inputs: Sequence[EncoderInput]) -> None:
        raise ModelUnavailable("the model is gone")

    hits = [("a", 3.0), ("b", 2.0), ("c", 1.0)]
    encoder.before = fail
    try:
        found = ranked(make(url, meta_of(encoder)), ["one of fail", "two of fail", "three of fail"])
    finally:
        encoder.before = lambda _: None
    assert [hit for hit, _ in text_similarity_rerank(hits, found)] == ["a", "b", "c"]


@pytest.mark.parametrize("path", ["/v1/embeddings", "/rerank", "/v1/rerank"])
def test_hugging_face_asks_and_reads_what_the_sidecar_does_not_speak(
    sidecar_url: str, documents: list[str], path: str
) -> None:
    service = HuggingFace(f"{sidecar_url}{path}")
    if path == "/v1/embeddings":
        assert send(service.embedding(documents, "ingest")).status_code == 422
        return
    answer = send(service.reranking(QUERY, documents))
    assert answer.status_code == 200
    with pytest.raises(Unreadable, match="begin with a bracket"):
        service.ranked(answer)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("it costs $5, {so} be it }", True),
        ("cd ${HOME} and go", False),
        ("it sends ${input} twice", False),
    ],
)
def test_the_custom_service_itself_refuses_texts_with_a_placeholder(
    meta: IndexMeta, text: str, taken: bool
) -> None:
    for service in (custom_embed("http://sidecar", meta), OpenAi("http://sidecar")):
        if taken or isinstance(service, OpenAi):
            assert text.encode() in service.embedding([text], "ingest").content
        else:
            with pytest.raises((Unreadable, RecursionError)):
                service.embedding([text], "ingest")


def test_the_custom_service_fills_in_a_default_that_a_text_writes(meta: IndexMeta) -> None:
    request = custom_embed("http://sidecar", meta).embedding(["cd ${HOME:-/root}"], "ingest")
    assert b"cd /root" in request.content
