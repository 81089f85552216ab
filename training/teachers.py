"""Who puts in order what judgments leave tied.

A teacher is a run: any strategy's, as `rankside eval --runs` writes it (InsertRank's by an LLM, for
one), or the one made here, which costs nothing but vectors that are needed anyway.
"""

from __future__ import annotations

from evaluation.collections import Collection
from evaluation.memory import Hits, Track, untracked, with_vectors
from evaluation.runs import ScoredDocument
from evaluation.vectors import CachedEncoder
from plugin.ranking.fusion import rocchio
from plugin.ranking.hits import Hit, Vector
from plugin.ranking.prompts import EncoderInput, document_input, query_input


def answers_teacher(
    collection: Collection, hits: Hits, encoder: CachedEncoder, track: Track = untracked
) -> dict[str, list[ScoredDocument]]:
    """Each query's window by nearness to the query and its right answers.

    The order that Rocchio feedback would give if it knew what is relevant: cosine with the mean of
    the query vector and the vectors of the documents judged relevant.
    """
    profile = encoder.profile
    asked = {query: query_input(profile, text) for query, text in collection.queries.items()}
    answers = {
        query: [
            document_input(profile, collection.documents[id_].text)
            for id_, grade in collection.qrels[query].items()
            if grade > 0 and id_ in collection.documents and collection.documents[id_].text
        ]
        for query in collection.queries
    }
    inputs = [*asked.values(), *(one for some in answers.values() for one in some)]
    missing = encoder.missing(inputs)
    encoder.warm(missing, track("Encoding queries and answers", len(missing)))
    return {
        query: _ordered(found, _goal(encoder, asked[query], answers[query]))
        for query, found in with_vectors(hits, encoder, track).items()
    }


def _goal(encoder: CachedEncoder, query: EncoderInput, answers: list[EncoderInput]) -> Vector:
    vectors = encoder.encode([query, *answers]).vectors
    return rocchio(vectors[0], list(vectors[1:]))


def _ordered(hits: tuple[Hit, ...], goal: Vector) -> list[ScoredDocument]:
    scored = [
        ScoredDocument(hit.id, float(goal @ hit.vector)) for hit in hits if hit.vector is not None
    ]
    return sorted(scored, key=lambda one: -one.score)
