"""Settings of the LLM, as a bounded pydantic model: ``RANKSIDE_LLM__URL``, …."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from plugin.models.chat.guided import GuidedDecoding
from plugin.models.chat.options import (
    BudgetOptions,
    CacheOptions,
    CircuitOptions,
    HedgeOptions,
    PriceOptions,
)
from plugin.models.local.options import LocalOptions
from plugin.ranking.errors import SettingsError
from plugin.ranking.first_token import LETTERS, single_tokens
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.insertrank import InsertRankOptions
from plugin.ranking.llm_prompt import Decoding, PromptOptions
from plugin.ranking.prompts import Tokenizer
from plugin.ranking.score_labels import ScoreMode
from plugin.ranking.template import DEFAULT_TEMPLATE, template_names
from plugin.ranking.windows import WindowMode

_LEAST_PROMPT = 256  # tokens: the instructions, a query, and a few words of each passage


class LLMOptions(LocalOptions):
    """The LLM of InsertRank; without a url or a path InsertRank is off."""

    url: AnyHttpUrl | None = Field(
        default=None,
        description="OpenAI-compatible server, up to and with /v1; None: a path, or no InsertRank.",
    )
    model: str = Field(
        default="default", min_length=1, max_length=200, description="Its name at that server."
    )
    api_key: SecretStr | None = Field(default=None, description="Bearer key of that server.")
    timeout: float = Field(
        default=60.0, gt=0, le=600, description="Seconds for one ranking, retries included."
    )
    max_tokens: int = Field(
        default=4096, ge=16, le=131_072, description="Tokens of an answer, reasoning included."
    )
    temperature: float = Field(
        default=0.0, ge=0, le=2, allow_inf_nan=False, description="0 for the likeliest answer."
    )
    stream: bool = Field(
        default=True,
        description="Read the answer as it is made: what has come at the deadline is used.",
    )
    max_concurrent: int = Field(
        default=32, ge=1, le=4096, description="Calls under way; others wait for their turn."
    )
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = Field(
        default=None,
        description="How long a reasoning model may think; None: as the server has it.",
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict,
        description='What else the server is sent, as {"chat_template_kwargs": …}.',
    )
    window: int = Field(
        default=20, ge=2, le=1000, description="Hits the LLM orders; the head of a cascade."
    )
    prompt_hits: int = Field(
        default=20,
        ge=2,
        le=200,
        description="Hits in one prompt; more than these, or than fit into `context_tokens`, are "
        "ordered by several prompts.",
    )
    windows: WindowMode = Field(
        default=WindowMode.SLIDING,
        description="Several prompts one after the other, the best of each carried into the next; "
        "or side by side, the better half of each going on.",
    )
    stride: int = Field(
        default=10, ge=1, le=199, description="Hits a sliding window is moved by; < prompt_hits."
    )
    context_tokens: int | None = Field(
        default=None,
        ge=512,
        le=16_777_216,
        description="Positions of the model, `max_tokens` of the answer included; None: not known.",
    )
    tokenizer: Path | None = Field(
        default=None,
        description="Folder with the model's tokenizer.json, to count tokens by; None: words.",
    )
    passage_tokens: int = Field(
        default=400,
        ge=10,
        le=100_000,
        description="Tokens of each passage in the prompt, where the model's tokenizer is known.",
    )
    passage_words: int = Field(
        default=300, ge=10, le=10_000, description="Words of each passage, where it is not known."
    )
    score_mode: ScoreMode = Field(
        default=ScoreMode.RAW, description="How the first-stage score stands beside a passage."
    )
    scale: float = Field(
        default=100.0, gt=0, le=1e6, allow_inf_nan=False, description="Upper end of `minmax`."
    )
    initial_order: InitialOrder = Field(
        default=InitialOrder.FIRST_STAGE,
        description="How the passages of a prompt are laid out; the answer is mapped back.",
    )
    seed: int = Field(
        default=0, ge=0, le=2**63 - 1, description="Of `shuffled`: same request, same order."
    )
    decoding: Decoding = Field(
        default=Decoding.PERMUTATION,
        description="The LLM writes the order; or its first token's probabilities tell it, in one "
        "step, which takes a server that gives `top_logprobs`.",
    )
    guided_decoding: GuidedDecoding = Field(
        default=GuidedDecoding.OFF,
        description="By what of the server `permutation` is held to its form: OpenAI's "
        "`response_format`, vLLM's `structured_outputs`, llama.cpp's `grammar`; with a path any.",
    )
    top_logprobs: int = Field(
        default=20,
        ge=2,
        le=52,
        description="First tokens that server tells of, and so the most hits of a prompt then.",
    )
    template: str = Field(
        default=DEFAULT_TEMPLATE,
        description="The prompt's words, by version; `rankside prompt show` prints them.",
    )
    fallback: Literal["e2rank", "none"] = Field(
        default="none",
        description="What `insertrank` does where the LLM gives no order: E2Rank over the window, "
        "texts without vectors encoded, or the first stage's order.",
    )
    fallback_reserve: float = Field(
        default=0.5, ge=0, le=60, description="Seconds of a deadline kept for the fallback."
    )
    settled_margin: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="A cascade asks no LLM where E2Rank's first hit leads the second by so many "
        "standard deviations of the window's scores; None: it always asks.",
    )
    circuit: CircuitOptions = Field(
        default_factory=CircuitOptions, description="When a server that fails is left alone."
    )
    hedge: HedgeOptions = Field(
        default_factory=HedgeOptions,
        description="A second server, for when the first fails or is slow.",
    )
    price: PriceOptions = Field(
        default_factory=PriceOptions, description="What a million tokens cost, in any one currency."
    )
    budget: BudgetOptions = Field(
        default_factory=BudgetOptions,
        description="What may be spent; a search beyond it passes through.",
    )
    cache: CacheOptions = Field(
        default_factory=CacheOptions, description="Answers kept for the same prompt."
    )

    @model_validator(mode="after")
    def _prices_for_costs(self) -> Self:
        if self.budget.of_cost and not (self.price.prompt or self.price.completion):
            raise ValueError("a budget of cost needs a price: set price.prompt or price.completion")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.path is not None and any((self.url, self.hedge.url, self.tokenizer)):
            raise ValueError("with a path there is no server: unset url, hedge.url and tokenizer")
        if self.stride >= self.prompt_hits:
            raise ValueError("windows have to overlap: stride must be less than prompt_hits")
        if (
            self.context_tokens is not None
            and self.context_tokens < self.max_tokens + _LEAST_PROMPT
        ):
            raise ValueError(
                f"context_tokens must leave {_LEAST_PROMPT} tokens for a prompt beside max_tokens"
            )
        if self.template not in template_names():
            raise ValueError(f"template is one of {', '.join(template_names())}")
        return self

    def insertrank(self, tokenizer: Tokenizer | None) -> InsertRankOptions:
        """How the LLM is asked, as the core has it; ``tokenizer`` is its own, or None.

        Raises:
            SettingsError: its tokenizer has no letters of one token, and its first one is read.
        """
        prompt = PromptOptions(
            score_mode=self.score_mode,
            scale=self.scale,
            initial_order=self.initial_order,
            seed=self.seed,
            passage_words=self.passage_words,
            passage_tokens=None if tokenizer is None else self.passage_tokens,
            prompt_tokens=self.context_tokens and self.context_tokens - self.max_tokens,
            decoding=self.decoding,
            json_answer=self.guided_decoding is GuidedDecoding.JSON_SCHEMA and self.path is None,
            letters=_letters(tokenizer),
            template=self.template,
        )
        if self.decoding is Decoding.FIRST_TOKEN and len(prompt.letters) < 2:
            raise SettingsError(
                "llm.decoding is first_token, and the tokenizer has no letters that are one token; "
                "set it to permutation"
            )
        return InsertRankOptions(
            prompt,
            self.prompt_hits,
            self.stride,
            self.windows,
            self.top_logprobs if self.path is None else None,
        )


def _letters(tokenizer: Tokenizer | None) -> tuple[str, ...]:
    """What tells passages apart; all letters are tried where the tokenizer is not known."""
    if tokenizer is None:
        return LETTERS
    specials = tokenizer.count("")
    return single_tokens(LETTERS, lambda letter: tokenizer.count(letter) - specials)
