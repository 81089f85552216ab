"""What goes into a search beside the user's request, and what comes out beside the response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.rescore import Place, RescoreBy, Weights
from plugin.ranking.errors import RanksideError, UsageError
from plugin.ranking.hits import FusionWeights, Status, Strategy
from plugin.ranking.wire import PromptExplanation

DEFAULT_WINDOW = 100
MAX_WINDOW = 10_000


class OnFailure(StrEnum):
    """What becomes of a search whose reranking failed."""

    PASS_THROUGH = "pass_through"  # noqa: S105 - no password
    FAIL = "fail"


class Method(StrEnum):
    """How the order got into the response."""

    RESCORE = "rescore"
    """The engine rescored its hits; the response is its own."""
    REORDER = "reorder"
    """The engine cannot rescore such a request: hits it returned were put in order afterwards."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to rerank. What is None comes from the query, the index or the model.

    ``window`` hits are put in order, per shard unless ``exact_window``; of a cascade the LLM orders
    the first ``head`` after E2Rank. ``deadline`` is in seconds, for everything before the user's
    own request; of these an LLM may take ``llm_deadline``. ``explain`` fetches the whole window's
    first stage, for display, and what an LLM was asked. ``text_fields``, ``vector_field`` and
    ``fingerprint`` describe an index whose mapping has no ``_meta.rankside``; without a fingerprint
    its vectors are taken for the sidecar's model's.
    """

    query_text: str | None = None
    strategy: Strategy = Strategy.E2RANK
    window: int = DEFAULT_WINDOW
    prompt_hits: int | None = None
    head: int | None = None
    fusion: FusionWeights | None = None
    instruction: str | None = None
    rescore: RescoreBy = RescoreBy.AUTO
    exact_window: bool = False
    deadline: float | None = None
    llm_deadline: float | None = None
    on_failure: OnFailure = OnFailure.PASS_THROUGH
    explain: bool = False
    text_fields: tuple[str, ...] | None = None
    vector_field: str | None = None
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            object.__setattr__(self, name, _chosen(name, kind, getattr(self, name)))
        if not 1 <= self.window <= MAX_WINDOW:
            raise UsageError(f"window is {self.window}; give 1 to {MAX_WINDOW}")
        for name in ("prompt_hits", "head"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= MAX_WINDOW:
                raise UsageError(f"{name} is {value}; give 1 to {MAX_WINDOW}")
        for name in ("deadline", "llm_deadline"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UsageError(f"{name} is {value}; give seconds above 0")
        if self.query_text is not None and not self.query_text.strip():
            raise UsageError("query_text is empty; give the text to rank for, or leave it out")

    @property
    def fails(self) -> bool:
        """Whether a failure is raised."""
        return self.on_failure is OnFailure.FAIL


@dataclass(frozen=True, slots=True)
class FirstStage:
    """Where a hit stood before; ranks count from 1."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The engine's own response, and what happened.

    ``reason`` is a word for metrics, or several; ``detail`` is a sentence that names the remedy.
    ``first_stage`` has the hits of the window that were fetched. ``timings_ms`` has ``window``,
    ``sidecar``, ``rescore`` (the user's own request) and ``total``. ``weights`` are those of a
    rescore by vector: a hit's score is ``query·first stage + rescore·(1 + cosine)``. ``prompts``
    are what an LLM was asked and answered, with ``explain``.
    """

    body: dict[str, Any]
    status: Status
    reason: str | None
    detail: str | None
    strategy: Strategy
    model: str | None
    signals: Mapping[str, float]
    timings_ms: Mapping[str, float]
    first_stage: Mapping[Place, FirstStage]
    method: Method = Method.NONE
    weights: Weights | None = None
    prompts: tuple[PromptExplanation, ...] = ()


_CHOICES: Mapping[str, type[StrEnum]] = {
    "strategy": Strategy,
    "rescore": RescoreBy,
    "on_failure": OnFailure,
}


def _chosen(name: str, kind: type[StrEnum], value: str) -> StrEnum:
    """``value`` as the member it names."""
    try:
        return kind(value)
    except ValueError as error:
        raise UsageError(f"{name} is {value!r}; give one of {', '.join(kind)}") from error


class PassThrough(Exception):
    """Why a search is left as it was.

    ``error`` is set where that is a failure, which ``on_failure: fail`` raises, and not in the
    nature of the request.
    """

    def __init__(self, reason: str, error: RanksideError | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error
