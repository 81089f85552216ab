"""The native calls as pydantic models: one definition for the sidecar and for its clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from plugin.ranking.hits import (
    FusionWeights,
    Hit,
    RankedHit,
    RankRequest,
    Status,
    Strategy,
    Vector,
)
from plugin.ranking.insertrank import Exchange
from plugin.ranking.vectors import from_wire, to_base64

WireVector = Annotated[
    str | list[float], Field(description="base64 of little-endian float32, or a JSON array")
]
Count = Annotated[int, Field(ge=1, le=10_000)]
Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=-3.5e38, le=3.5e38, allow_inf_nan=False)]  # an engine's float32


class Wire(BaseModel):
    """Base of every message: unknown fields are refused, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class WireHit(Wire):
    """One first-stage hit."""

    id: str = Field(min_length=1, max_length=2048)
    score: Score = Field(description="first-stage score, the engine's _score")
    text: str | None = None
    vector: WireVector | None = Field(default=None, description="stored document vector")

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """The message for ``hit``."""
        vector = None if hit.vector is None else to_base64(hit.vector)
        return cls(id=hit.id, score=hit.score, text=hit.text, vector=vector)

    def to_hit(self) -> Hit:
        """The hit; raises RequestError where the vector cannot be read."""
        vector = None if self.vector is None else from_wire(self.vector)
        return Hit(self.id, self.score, self.text, vector)


class WireFusion(Wire):
    """Weights of the signals; what is left out is 0."""

    listwise: Weight = 0.0
    query: Weight = 0.0
    rocchio: Weight = 0.0
    first_stage: Weight = 0.0

    def to_weights(self) -> FusionWeights:
        """The weights; raises RequestError where all are zero."""
        return FusionWeights(self.listwise, self.query, self.rocchio, self.first_stage)


class ListwiseCall(Wire):
    """`POST /v1/listwise`: E2Rank's fast path. Only the prompt hits need be sent."""

    query: str = Field(min_length=1)
    hits: list[WireHit] = Field(max_length=10_000)
    deadline_ms: Annotated[float, Field(gt=0)] | None = None
    instruction: str | None = None
    fusion: WireFusion | None = None
    vector_fingerprint: str | None = None
    dimensions: Count | None = None
    prompt_hits: Count | None = None

    def to_request(self) -> RankRequest:
        """The core request; raises RequestError."""
        return RankRequest(
            query=self.query,
            hits=tuple(hit.to_hit() for hit in self.hits),
            prompt_hits=self.prompt_hits,
            instruction=self.instruction,
            fusion=self.fusion.to_weights() if self.fusion else None,
            vector_fingerprint=self.vector_fingerprint,
        )


class RankCall(ListwiseCall):
    """`POST /v1/rank`: an explicit order over every hit sent."""

    strategy: Strategy | None = None
    window: Count | None = None
    head: Count | None = Field(
        default=None, description="of a cascade: E2Rank's first hits that the LLM orders"
    )
    llm_deadline_ms: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="of the deadline, the most that the LLM may take"
    )
    window_scores: list[Score] | None = Field(
        default=None,
        max_length=10_000,
        description="of a cascade of which the caller did the first half: its window's scores, "
        "falling; where they settle the head the LLM is not asked",
    )
    explain: bool = False

    def to_request(self) -> RankRequest:
        """The core request; raises RequestError."""
        return RankRequest(
            query=self.query,
            hits=tuple(hit.to_hit() for hit in self.hits),
            strategy=self.strategy or Strategy.E2RANK,
            window=self.window,
            head=self.head,
            window_scores=tuple(self.window_scores or ()),
            prompt_hits=self.prompt_hits,
            instruction=self.instruction,
            fusion=self.fusion.to_weights() if self.fusion else None,
            vector_fingerprint=self.vector_fingerprint,
        )


class ModelInfo(Wire):
    """Which model answered."""

    name: str
    revision: str
    fingerprint: str


class Timings(Wire):
    """Milliseconds by stage; a stage that did not run is 0."""

    queue: float = 0.0
    tokenize: float = 0.0
    encode: float = 0.0
    score: float = 0.0
    llm: float = 0.0
    total: float = 0.0


class Usage(Wire):
    """What the call cost."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    documents_encoded: int = 0
    documents_cached: int = 0
    truncated: int = Field(default=0, description="texts cut to fit the model")
    answers_cached: int = Field(default=0, description="LLM answers that were there already")
    cost: float = Field(default=0.0, description="of the LLM's tokens, by `llm.price`")


class ListwiseAnswer(Wire):
    """Answer of `/v1/listwise`.

    Order hits by ``cos(vector, document) + first_stage_weight · _score``. ``vector`` is null when
    the status is `passed_through`: leave the request as it was.
    """

    vector: WireVector | None
    first_stage_weight: float
    status: Status
    reason: str | None = None
    model: ModelInfo
    signals: dict[str, float] = Field(description="weight of each signal in the vector")
    timings_ms: Timings
    usage: Usage

    def to_vector(self) -> Vector | None:
        """The listwise vector as float32 (dimensions,)."""
        return None if self.vector is None else from_wire(self.vector)


class RankedItem(Wire):
    """One hit's place; ``score`` is null for hits that keep their first-stage place unscored."""

    id: str
    rank: int
    score: float | None
    first_stage_rank: int
    first_stage_score: float
    signals: dict[str, float] | None = None

    @classmethod
    def of(cls, ranked: RankedHit, *, explain: bool) -> Self:
        """The message for ``ranked``, with its signals where ``explain`` is asked."""
        return cls(
            id=ranked.hit.id,
            rank=ranked.rank,
            score=ranked.score,
            first_stage_rank=ranked.first_stage_rank,
            first_stage_score=ranked.hit.score,
            signals=dict(ranked.signals) if explain else None,
        )


class PromptExplanation(Wire):
    """A prompt that an LLM was sent, and what was read out of its answer."""

    template: str = Field(description="name and version of the prompt's words")
    sha256: str = Field(description="of the chat turns")
    hits: list[str] = Field(description="ids in the order the prompt shows them, from [1] on")
    tokens: int = Field(description="of the prompt; an estimate without the model's tokenizer")
    truncated: int = Field(description="passages that were cut")
    answer: str = Field(description="as the LLM gave it, reasoning included")
    outcome: str = Field(description="clean, repaired, or unusable")
    missing: int
    repeated: int
    out_of_range: int
    cut: bool = Field(description="the answer ended before the LLM ended it")
    failure: str | None = Field(default=None, description="why there is no answer")

    @classmethod
    def of(cls, exchange: Exchange, hits: Sequence[Hit]) -> Self:
        """The message for ``exchange``, whose places are those of ``hits``."""
        prompt, read = exchange.prompt, exchange.permutation
        return cls(
            template=prompt.template,
            sha256=prompt.digest,
            hits=[hits[place].id for place in prompt.shown],
            tokens=prompt.tokens,
            truncated=prompt.truncated,
            answer=exchange.answer.text.encode("utf-8", "replace").decode(),  # half an emoji
            outcome=read.outcome,
            missing=read.missing,
            repeated=read.repeated,
            out_of_range=read.out_of_range,
            cut=read.truncated,
            failure=exchange.answer.failure,
        )


class RankAnswer(Wire):
    """Answer of `/v1/rank`: every hit sent comes back exactly once."""

    results: list[RankedItem]
    status: Status
    reason: str | None = None
    strategy: Strategy
    model: ModelInfo | None
    timings_ms: Timings
    usage: Usage
    prompts: list[PromptExplanation] | None = Field(
        default=None, description="under `explain`, what an LLM was asked and answered"
    )


class ModelCard(Wire):
    """One entry of `/v1/models`: OpenAI's fields, and what a caller needs to build a request."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = "rankside"
    kind: str = Field(default="encoder", description="encoder or llm")
    revision: str = ""
    fingerprint: str = ""
    dimensions: int = 0
    max_tokens: int = 0
    prompt_hits: int = 0
    rocchio_hits: int = 0
    fusion: WireFusion | None = None


class ModelList(Wire):
    """Answer of `/v1/models`."""

    object: str = "list"
    data: list[ModelCard]


class ErrorBody(Wire):
    """What went wrong, in one sentence that names the remedy."""

    type: str = Field(description="snake case: request_error, request_too_large, overloaded, …")
    message: str
    code: int
    request_id: str


class ErrorAnswer(Wire):
    """The one shape of every error."""

    error: ErrorBody
