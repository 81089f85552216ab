"""A model as data: what a registry entry or a user's settings say about an encoder.

Nothing here is guessed from a model's name.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from plugin.ranking.hits import FusionWeights


class Pooling(StrEnum):
    """How token states become one vector."""

    LAST_TOKEN = "last_token"  # noqa: S105 - a token of text
    MEAN = "mean"
    CLS = "cls"


@dataclass(frozen=True, slots=True)
class ListwiseTemplate:
    """How a listwise prompt is laid out.

    ``prompt`` has the fields ``{instruction}``, ``{documents}`` and ``{query}``; ``passage`` the
    fields ``{number}`` and ``{text}``. ``chat`` wraps the prompt as one user turn of the model's
    chat template, generation prompt added, thinking disabled. ``passage_suffix`` stands behind each
    passage's text.
    """

    prompt: str
    passage: str = "[{number}] {text}"
    separator: str = "\n"
    passage_suffix: str = ""
    chat: bool = False
    passage_words: int = 1024


E2RANK_EVALUATED = ListwiseTemplate(
    prompt="{instruction}:\nDocuments:\n{documents}\nSearch Query: {query}", chat=True
)
"""The form the paper's figures were measured with (reference implementation, src/eval.py)."""

E2RANK_README = ListwiseTemplate(
    prompt="{instruction}:\nDocuments:\n{documents}Search Query:{query}",
    passage_suffix="<|endoftext|>",
    chat=True,
)
"""The form of the reference README, whose printed scores pin the loading code."""

PLAIN = ListwiseTemplate(prompt="{query}\n{documents}", passage="{text}")
"""For models without a chat template: the query, then the passages, as one text."""


PAPER_FUSION = FusionWeights(listwise=1.0)
"""What models trained for listwise prompts are used with."""


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """An encoder and how Rankside uses it.

    ``location`` is a hub id or a folder; ``package`` names an installed Python package that ships
    the model instead. ``max_tokens`` counts every position, special tokens included.
    ``end_token`` is appended to queries and documents after truncation to ``max_tokens - 1``; it
    never follows a listwise prompt. ``matryoshka`` lists the dimensions a vector may be cut to.
    ``rocchio_hits`` is how many document vectors enter the Rocchio mean. ``half_precision``
    says that the weights are made for 16 bits, so that they may run so where that is faster.
    ``sha256`` holds (file, digest) pairs that loading verifies. ``adapter`` names the listwise
    adapter that prompts go through, "" without one; document vectors do not depend on it.
    """

    name: str
    location: str
    dimensions: int
    max_tokens: int
    pooling: Pooling
    listwise: ListwiseTemplate
    revision: str = ""
    package: str | None = None
    normalize: bool = True
    query_template: str = "{query}"
    document_template: str = "{text}"
    end_token: str | None = None
    query_instruction: str = ""
    listwise_instruction: str = ""
    prompt_hits: int = 20
    rocchio_hits: int = 3
    fusion: FusionWeights = PAPER_FUSION
    matryoshka: tuple[int, ...] = ()
    half_precision: bool = False
    sha256: tuple[tuple[str, str], ...] = ()
    adapter: str = ""
    description: str = ""

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change whenever stored document vectors stop being comparable."""
        return fingerprint(self, self.dimensions)


def fingerprint(profile: ModelProfile, dimensions: int) -> str:
    """Fingerprint of ``profile``'s document vectors cut to ``dimensions``.

    Covers model name, revision, pooling, dimensions, normalisation and document template (its end
    token included): what a document vector depends on, and nothing else.
    """
    parts = {
        "name": profile.name,
        "revision": profile.revision,
        "pooling": profile.pooling.value,
        "dimensions": dimensions,
        "normalize": profile.normalize,
        "document_template": profile.document_template + (profile.end_token or ""),
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
