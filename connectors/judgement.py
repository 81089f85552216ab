"""One window and the sidecar's word on it, as steps that an engine or a client can carry out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.engine import Engine
from connectors.index import IndexCatalogue, catalogue_of
from connectors.rescore import (
    Place,
    RescoreBy,
    VectorClause,
    by_knn,
    by_script,
    vector_weights,
)
from connectors.search_options import PassThrough, SearchOptions
from connectors.sidecar import SidecarClient
from connectors.steps import (
    ByVector,
    Judgement,
    Step,
    by_place,
    by_score,
    fused_scores,
    highest_score,
    moved,
)
from connectors.target import Target
from connectors.window import Wanted, WindowHit, add_texts, clause_scores
from plugin.ranking.cascade import HEAD_SETTLED
from plugin.ranking.errors import (
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
    RanksideError,
    SettingsError,
    SidecarError,
)
from plugin.ranking.hits import FusionWeights, Hit, Status, Strategy
from plugin.ranking.wire import (
    ListwiseAnswer,
    ListwiseCall,
    ModelCard,
    PromptExplanation,
    RankAnswer,
    RankCall,
    WireFusion,
    WireHit,
)


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks the sidecar about windows of one search."""

    engine: Engine
    sidecar: SidecarClient
    index: str
    target: Target
    options: SearchOptions
    text: str
    expires: float | None
    """When the time for it is over, in ``time.monotonic()`` seconds."""
    prompts: list[PromptExplanation] = field(default_factory=list)
    """What an LLM was asked and answered, where the options ask for it."""

    @property
    def catalogue(self) -> IndexCatalogue:
        """What is known of the engine."""
        return catalogue_of(self.engine)

    async def wanted(self) -> Wanted:
        """How much of the window the strategy needs."""
        window = self.options.window
        if self.options.strategy is Strategy.INSERTRANK:
            texts = await self._llm_hits()
            return Wanted(texts, window if self.options.explain else texts)
        card = await self.sidecar.model()
        weights = self._weights(card)
        prompt = min(self.options.prompt_hits or card.prompt_hits, window)
        vectors = min(card.rocchio_hits, prompt) if weights.rocchio else 0
        whole = (
            self.options.strategy is Strategy.CASCADE
            or self.options.exact_window
            or self.options.explain
            or await self._script_unit() is None
        )
        texts = prompt if weights.listwise else 0
        return Wanted(texts, window if whole else prompt, vectors)

    def stale(self, one: WindowHit) -> bool:
        """Whether a hit's vector is known to be of another model, and must not be compared.

        One of which nothing is said may be: it is what the index says of all.
        """
        return bool(one.fingerprint) and one.fingerprint != self.target.fingerprint

    async def judge(self, hits: Sequence[WindowHit]) -> Judgement:
        """Put ``hits``, the window's first ones, in order.

        Raises:
            PassThrough: nothing can be done for this search.
            SidecarError, ModelError, Overloaded: the sidecar failed.
            EngineError: a search beside the user's own failed.
        """
        match self.options.strategy:
            case Strategy.INSERTRANK:
                return await self._insertrank(hits)
            case Strategy.CASCADE:
                return await self._cascade(hits)
            case _:
                return await self._e2rank(hits, exact=self.options.exact_window)

    async def _e2rank(self, hits: Sequence[WindowHit], *, exact: bool) -> Judgement:
        card = await self.sidecar.model()
        prompt = hits[: self.options.prompt_hits or card.prompt_hits]
        answer = await self.sidecar.listwise(
            ListwiseCall(
                query=self.text,
                hits=[WireHit.of(self._comparable(one)) for one in prompt],
                vector_fingerprint=self.target.fingerprint or card.fingerprint,
                dimensions=self.target.vectors.dimensions,
                **self._common(),
            )
        )
        self._check_model(answer, card)
        vector = answer.to_vector()
        if vector is None:
            raise _passed_through(answer)
        clause = await self._clause(answer, hits, exact=exact)
        weights = vector_weights(answer.first_stage_weight, highest_score(hits))
        reasons = _partial(answer) + self._unscored(hits)
        return Judgement((ByVector(clause, weights),), answer.model.name, answer.signals, reasons)

    async def _insertrank(self, hits: Sequence[WindowHit]) -> Judgement:
        texts = await self._llm_hits()
        hits = await add_texts(self.engine, self.index, hits[:texts], self.target)
        answer = await self._rank(hits)
        if answer.status is Status.PASSED_THROUGH:
            raise _passed_through(answer)
        name = await self._llm_name()
        return Judgement((moved(hits, answer),), name, {}, _partial(answer))

    async def _cascade(self, hits: Sequence[WindowHit]) -> Judgement:
        """E2Rank over the window, then the LLM over its head, shown with first-stage scores."""
        size = await self._llm_hits()
        first = await self._e2rank(hits, exact=True)
        step = next(one for one in first.steps if isinstance(one, ByVector))
        scores = await self._scores(hits, step)
        ordered = by_score(hits, scores, step.weights)
        try:
            head = await add_texts(self.engine, self.index, ordered[:size], self.target)
            answer = await self._rank(head, fused_scores(ordered, scores, step.weights))
        except (SidecarError, ModelOutputError, Overloaded) as error:
            return self._headless(first, reason_of(error), error)
        if answer.status is Status.PASSED_THROUGH:
            if (answer.reason or "").startswith(HEAD_SETTLED):
                return replace(first, settled=answer.reason)
            return self._headless(first, answer.reason, _passed_through(answer).error)
        return replace(
            first,
            steps=(*first.steps, moved(head, answer)),
            model=f"{first.model} > {await self._llm_name()}",
            reasons=first.reasons + _partial(answer),
        )

    def _headless(
        self, first: Judgement, reason: str | None, error: RanksideError | None
    ) -> Judgement:
        if error is not None and self.options.fails:
            raise error
        return replace(first, reasons=(*first.reasons, f"head_passed_through:{reason}"))

    async def ordered(self, hits: Sequence[WindowHit], steps: Sequence[Step]) -> list[WindowHit]:
        """``hits`` in the order that ``steps`` give them, as the engine's rescore would."""
        ordered = list(hits)
        for step in steps:
            if isinstance(step, ByVector):
                ordered = by_score(ordered, await self._scores(hits, step), step.weights)
            else:
                ordered = by_place(ordered, step.places)
        return ordered

    async def _scores(self, hits: Sequence[WindowHit], step: ByVector) -> Mapping[Place, float]:
        places = [one.place for one in hits]
        return await clause_scores(self.engine, self.index, places, step.clause)

    async def _rank(
        self, hits: Sequence[WindowHit], window_scores: list[float] | None = None
    ) -> RankAnswer:
        most = self.options.llm_deadline
        answer = await self.sidecar.rank(
            RankCall(
                query=self.text,
                hits=[WireHit.of(replace(one.hit, vector=None)) for one in hits],
                strategy=Strategy.INSERTRANK,
                window_scores=window_scores,
                llm_deadline_ms=None if most is None else most * 1000,
                explain=self.options.explain,
                **self._common(),
            )
        )
        self.prompts.extend(answer.prompts or ())
        return answer

    def _common(self) -> dict[str, Any]:
        """What both calls take from the options."""
        fusion = self.options.fusion
        return {
            "instruction": self.options.instruction,
            "fusion": None if fusion is None else WireFusion(**fusion.as_dict()),
            "prompt_hits": self.options.prompt_hits,
            "deadline_ms": self._left() * 1000,
        }

    def _left(self) -> float:
        """Seconds that the sidecar has; after its client's limit nobody would read an answer."""
        if self.expires is None:
            return self.sidecar.timeout
        return max(min(self.expires - time.monotonic(), self.sidecar.timeout), 0.001)

    def _weights(self, card: ModelCard) -> FusionWeights:
        if self.options.fusion is not None:
            return self.options.fusion
        return card.fusion.to_weights() if card.fusion else FusionWeights()

    async def _llm_hits(self) -> int:
        """How many hits the LLM's prompt holds."""
        card = await self.sidecar.llm()
        if card is None:
            raise ModelUnavailable("the sidecar has no LLM; set RANKSIDE_LLM__URL there")
        options = self.options
        head = options.head if options.strategy is Strategy.CASCADE else None
        return min(card.prompt_hits or options.window, options.window, head or options.window)

    async def _llm_name(self) -> str | None:
        card = await self.sidecar.llm()
        return card.id if card else None

    async def _script_unit(self) -> float | None:
        """The unit of the vector script; None where k-NN is to be used."""
        if self.options.rescore is RescoreBy.KNN:
            return None
        field, dimensions = self.target.vector_field, self.target.vectors.dimensions
        known = dimensions or (await self.sidecar.model()).dimensions
        unit = await self.catalogue.script_unit(self.engine, self.index, field, known)
        if unit is None and self.options.rescore is RescoreBy.SCRIPT:
            raise PassThrough(
                "no_scripts",
                SettingsError("the engine does not run the vector script; use rescore: knn"),
            )
        return unit

    async def _clause(
        self, answer: ListwiseAnswer, hits: Sequence[WindowHit], *, exact: bool
    ) -> VectorClause:
        vector = answer.to_vector()
        if vector is None:
            raise _passed_through(answer)
        usable = [one.place for one in hits if not self.stale(one)]
        if not usable:
            raise self._mismatch(f"of {answer.model.name}'s fingerprint on no hit of the window")
        kind, name = self.engine.kind, self.target.vector_field
        unit = await self._script_unit()
        if unit is not None:
            exact = exact or len(usable) < len(hits)
            return by_script(kind, name, vector, unit, usable if exact else ())
        if not self.target.vectors.exact_knn:
            raise PassThrough(
                "similarity_not_cosine",
                SettingsError(
                    f"{name} is not indexed for cosine similarity, so that only scripts can "
                    "rescore by it; allow scripts, or rebuild the index with `rankside backfill "
                    "--rebuild`"
                ),
            )
        return by_knn(kind, name, vector, usable, quantized=self.target.vectors.quantized)

    def _check_model(self, answer: ListwiseAnswer, card: ModelCard) -> None:
        """Vectors of two models are not compared."""
        if answer.model.fingerprint != card.fingerprint:
            self.sidecar.forget()
        wanted = self.target.fingerprint
        if wanted is not None and answer.model.fingerprint != wanted:
            self.catalogue.forget(self.index)
            found = answer.model
            raise self._mismatch(f"{wanted}, and the sidecar's {found.name} is {found.fingerprint}")
        vector, dimensions = answer.to_vector(), self.target.vectors.dimensions
        if vector is not None and dimensions is not None and vector.shape != (dimensions,):
            raise ModelOutputError(
                f"the sidecar's vector has {vector.size} dimensions and the index's {dimensions}; "
                "check its model"
            )

    def _mismatch(self, found: str) -> PassThrough:
        return PassThrough(
            "stale_vectors",
            SettingsError(
                f"the vectors of {self.index} are {found}; run `rankside backfill --index "
                f"{self.index}`, or serve the index's model"
            ),
        )

    def _comparable(self, one: WindowHit) -> Hit:
        return replace(one.hit, vector=None) if self.stale(one) else one.hit

    def _unscored(self, hits: Sequence[WindowHit]) -> tuple[str, ...]:
        """How many of the hits that were looked at we have not embedded, or by another model."""
        counts = {
            "not_embedded": sum(one.fingerprint == "" for one in hits),
            "stale_vector": sum(map(self.stale, hits)),
        }
        found = tuple(f"{reason}:{count}" for reason, count in counts.items() if count)
        return found + tuple(f"no_vectors_in:{name}" for name in self.target.lacking)


def reason_of(error: RanksideError) -> str:
    """A word for metrics and eyes; the error itself has the sentence."""
    words = (
        (Overloaded, "overloaded"),
        (ModelUnavailable, "no_llm"),
        (ModelOutputError, "unusable_answer"),
    )
    default = type(error).__name__
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in default).lstrip("_")
    return next((word for kind, word in words if isinstance(error, kind)), snake)


def _partial(answer: ListwiseAnswer | RankAnswer) -> tuple[str, ...]:
    return (answer.reason or "sidecar",) if answer.status is Status.PARTIAL else ()


def _passed_through(answer: ListwiseAnswer | RankAnswer) -> PassThrough:
    reason = answer.reason or "sidecar"
    return PassThrough(
        reason, ModelUnavailable(f"the sidecar passed the search through ({reason}); see its log")
    )
