"""Ranking without an engine: the ranking core over remembered document vectors.

The same core that the sidecar runs, given the same texts and the same vectors an index would hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from evaluation.collections import Collection
from evaluation.runs import Run
from evaluation.strategies import Variant
from evaluation.vectors import CachedEncoder
from plugin.ranking.e2rank import Plan, plan
from plugin.ranking.errors import RequestError, RequestTooLarge, SettingsError
from plugin.ranking.hits import (
    Hit,
    Ranking,
    RankRequest,
    Strategy,
    passed_through,
)
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput, document_input

Track = Callable[[str, int], Callable[[int], None]]
"""Called with what is being done and how many steps it has; the answer is told of progress."""

Hits = Mapping[str, tuple[Hit, ...]]
"""Query id → first-stage hits, best first."""


def untracked(_description: str, _total: int) -> Callable[[int], None]:
    """Progress that nobody watches."""
    return lambda _: None


def first_stage_hits(collection: Collection, run: Run, k: int) -> dict[str, tuple[Hit, ...]]:
    """The first ``k`` documents of each judged query in ``run``, with text.

    Documents that are excluded for a query are taken out first.

    Raises:
        SettingsError: the run names a document that the collection lacks, or no judged query.
    """
    if not any(query in run for query in collection.queries):
        raise SettingsError(
            f"the run holds none of the {len(collection.queries)} judged queries of "
            f"{collection.name}; give the run of this collection and split"
        )
    hits: dict[str, tuple[Hit, ...]] = {}
    for query in collection.queries:
        excluded = collection.excluded.get(query, frozenset())
        found = [item for item in run.get(query, ()) if item.id not in excluded][:k]
        for item in found:
            if item.id not in collection.documents:
                raise SettingsError(
                    f"the run returns document {item.id!r} for query {query!r}, and corpus.jsonl "
                    "does not hold it; give the run of this collection"
                )
        hits[query] = tuple(
            Hit(item.id, item.score, collection.documents[item.id].text) for item in found
        )
    return hits


def with_vectors(
    hits: Hits, encoder: CachedEncoder, track: Track = untracked
) -> dict[str, tuple[Hit, ...]]:
    """``hits`` with their document vectors, as an index would hold them: none for an empty text.

    A hit that has its vector keeps it.
    """
    lacking = [hit for found in hits.values() for hit in found if hit.vector is None]
    texts = dict.fromkeys(hit.text for hit in lacking if hit.text)
    inputs = {text: document_input(encoder.profile, text) for text in texts}
    _encode(encoder, inputs.values(), track, "documents")

    def full(hit: Hit) -> Hit:
        if not hit.text or hit.vector is not None:
            return hit
        return replace(hit, vector=encoder.encode([inputs[hit.text]]).vectors[0])

    return {query: tuple(full(hit) for hit in found) for query, found in hits.items()}


def rank(
    queries: Mapping[str, str],
    hits: Hits,
    variant: Variant,
    encoder: CachedEncoder,
    *,
    profile: ModelProfile | None = None,
    track: Track = untracked,
) -> dict[str, Ranking]:
    """Rank each query's ``hits`` (with vectors) by ``variant``.

    ``profile`` stands in for the encoder's own where another prompt layout is tried; it must have
    the same fingerprint.

    Raises:
        SettingsError: the strategy is not one of E2Rank's signals.
    """
    requests = {
        query: _request(text, hits[query], variant, encoder) for query, text in queries.items()
    }
    if variant.strategy is not Strategy.E2RANK:
        raise SettingsError(
            f"strategy {variant.label} needs an LLM and is measured through the engine; leave "
            "--run out, or leave the strategy out"
        )
    plans = {
        query: _plan(request, profile or encoder.profile, encoder)
        for query, request in requests.items()
    }
    inputs = [
        input_ for plan_ in plans.values() if isinstance(plan_, Plan) for input_ in plan_.inputs
    ]
    _encode(encoder, inputs, track, f"prompts of {variant.label}")
    return {
        query: plan_.ranking(encoder.encode(plan_.inputs).vectors)
        if isinstance(plan_, Plan)
        else plan_
        for query, plan_ in plans.items()
    }


def _request(
    text: str, hits: tuple[Hit, ...], variant: Variant, encoder: CachedEncoder
) -> RankRequest:
    return RankRequest(
        query=text,
        hits=hits,
        window=variant.window,
        prompt_hits=variant.prompt_hits,
        fusion=variant.fusion,
        strategy=variant.strategy,
        vector_fingerprint=encoder.profile.fingerprint,
    )


def _plan(request: RankRequest, profile: ModelProfile, encoder: CachedEncoder) -> Plan | Ranking:
    """The plan; or a search passed through, whose query fills the model or whose hits lack text."""
    try:
        return plan(request, profile, encoder.tokenizer)
    except RequestTooLarge:
        return passed_through(request, "request_too_large")
    except RequestError:
        return passed_through(request, "no_text")


def _encode(
    encoder: CachedEncoder, inputs: Iterable[EncoderInput], track: Track, what: str
) -> None:
    missing: Sequence[EncoderInput] = encoder.missing(inputs)
    if missing:
        encoder.warm(missing, track(f"Encoding {what}", len(missing)))
