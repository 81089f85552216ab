"""Settings of the encoder and of the LLM, as bounded pydantic models.

They are nested in the one settings model: ``RANKSIDE_MODEL__NAME``, ``RANKSIDE_LLM__URL``, ….
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from plugin.models.base_options import AUTO, DEVICES, Dtype, Options
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
from plugin.ranking.hits import FusionWeights
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.insertrank import InsertRankOptions
from plugin.ranking.llm_prompt import Decoding, PromptOptions
from plugin.ranking.profile import (
    E2RANK_EVALUATED,
    E2RANK_README,
    PLAIN,
    ListwiseTemplate,
    ModelProfile,
    Pooling,
)
from plugin.ranking.prompts import Tokenizer
from plugin.ranking.score_labels import ScoreMode
from plugin.ranking.template import DEFAULT_TEMPLATE, template_names
from plugin.ranking.windows import WindowMode

_LEAST_PROMPT = 256  # tokens: the instructions, a query, and a few words of each passage
Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

_LAYOUTS: dict[str, ListwiseTemplate] = {
    "evaluated": E2RANK_EVALUATED,
    "readme": E2RANK_README,
    "plain": PLAIN,
}


class FusionOptions(Options):
    """Weights of the signals; what is left out is 0."""

    listwise: Weight = Field(default=0.0, description="Cosine with the listwise vector.")
    query: Weight = Field(default=0.0, description="Cosine with the query vector.")
    rocchio: Weight = Field(default=0.0, description="Cosine with the Rocchio vector.")
    first_stage: Weight = Field(default=0.0, description="Standardised first-stage score.")

    @model_validator(mode="after")
    def _some_signal(self) -> Self:
        if not any((self.listwise, self.query, self.rocchio, self.first_stage)):
            raise ValueError("give at least one signal a weight")
        return self

    def to_weights(self) -> FusionWeights:
        """The weights as the core has them."""
        return FusionWeights(self.listwise, self.query, self.rocchio, self.first_stage)


class ProfileOptions(Options):
    """A sentence-transformers model that is not in the registry, described by its user."""

    dimensions: int = Field(ge=1, le=16_384, description="Length of a vector.")
    max_tokens: int = Field(ge=16, le=1_048_576, description="Positions, special tokens included.")
    pooling: Pooling = Field(description="How token states become one vector.")
    normalize: bool = Field(default=True, description="Scale vectors to length 1.")
    query_template: str = Field(
        default="{query}", description="Text of a query; fields {query} and {instruction}."
    )
    document_template: str = Field(default="{text}", description="Text of a document.")
    end_token: str | None = Field(
        default=None, description="Token put behind queries and documents after truncation."
    )
    query_instruction: str = Field(default="", description="Fills {instruction} in query_template.")
    listwise: Literal["evaluated", "readme", "plain"] = Field(
        default="plain",
        description="Layout of the listwise prompt: E2Rank's evaluated form, its README's form "
        "(both as a chat turn), or plain text.",
    )
    listwise_instruction: str = Field(
        default="", description="First line of the listwise prompt where the layout has one."
    )
    prompt_hits: int = Field(default=20, ge=1, le=1000, description="Hits in the listwise prompt.")
    rocchio_hits: int = Field(default=3, ge=1, le=1000, description="Hits in the Rocchio mean.")
    fusion: FusionOptions = Field(
        default=FusionOptions(query=1.0),
        description="Weights of the signals; a model not trained for listwise prompts starts with "
        "its query vector alone.",
    )
    matryoshka: tuple[int, ...] = Field(
        default=(), description="Dimensions that a vector may be cut to."
    )
    half_precision: bool = Field(
        default=False, description="The weights are made for 16 bits; `dtype = auto` may use them."
    )

    @model_validator(mode="after")
    def _templates_fill(self) -> Self:
        for template, fields in (
            (self.query_template, {"query": "", "instruction": ""}),
            (self.document_template, {"text": ""}),
        ):
            try:
                template.format(**fields)
            except (KeyError, IndexError, ValueError) as error:
                raise ValueError(
                    f"template {template!r} has other fields than {sorted(fields)}"
                ) from error
        return self

    def to_profile(self, name: str, *, location: str, revision: str = "") -> ModelProfile:
        """The profile as the core has it."""
        return ModelProfile(
            name=name,
            location=location,
            revision=revision,
            dimensions=self.dimensions,
            max_tokens=self.max_tokens,
            pooling=self.pooling,
            normalize=self.normalize,
            query_template=self.query_template,
            document_template=self.document_template,
            end_token=self.end_token,
            query_instruction=self.query_instruction,
            listwise=_LAYOUTS[self.listwise],
            listwise_instruction=self.listwise_instruction,
            prompt_hits=self.prompt_hits,
            rocchio_hits=self.rocchio_hits,
            fusion=self.fusion.to_weights(),
            matryoshka=self.matryoshka,
            half_precision=self.half_precision,
            description="described in the settings",
        )


class ModelOptions(Options):
    """Which encoder, where it runs, and how much it takes at once."""

    name: str = Field(
        default=AUTO,
        min_length=1,
        max_length=200,
        description="A registry name, or the name of the model that `profile` describes; `auto` is "
        "e2rank-0.6b with CUDA and all-minilm-l6-v2 without.",
    )
    path: Path | None = Field(
        default=None,
        description="Folder with the model's files, instead of the hub or a package; with a url "
        "only its tokenizer is read.",
    )
    profile: ProfileOptions | None = Field(
        default=None, description="Description of a model that is not in the registry."
    )
    revision: str = Field(
        default="",
        max_length=200,
        description="Hub commit to load; empty: the registry's, else the newest, which is logged. "
        "With path or url, the commit that those files are of.",
    )
    offline: bool = Field(default=False, description="Never ask the hub; use local files only.")
    device: str = Field(
        default=AUTO,
        pattern=DEVICES,
        description="auto, cpu, mps, cuda, or cuda:N.",
    )
    dtype: Dtype = Field(default="auto", description="Number format of the weights.")
    max_tokens: int | None = Field(
        default=None,
        ge=16,
        le=1_048_576,
        description="Positions to use where fewer than the model's own are wanted.",
    )
    batch_tokens: int = Field(
        default=16_384,
        ge=256,
        le=4_194_304,
        description="Tokens in one forward pass, padding included; a longer text runs alone.",
    )
    url: AnyHttpUrl | None = Field(
        default=None,
        description="OpenAI-compatible server, up to and with /v1; None: in this process.",
    )
    remote_name: str = Field(
        default="", max_length=200, description="The model's name at that server; empty: location."
    )
    api_key: SecretStr | None = Field(default=None, description="Bearer key of that server.")
    timeout: float = Field(
        default=30.0, gt=0, le=600, description="Seconds for one request to that server."
    )
    batch_inputs: int = Field(
        default=64, ge=1, le=2048, description="Texts in one request to that server."
    )

    @model_validator(mode="after")
    def _says_which_model(self) -> Self:
        if self.name == AUTO and any((self.url, self.path, self.profile)):
            raise ValueError("url, path and profile need a name")
        if self.profile is not None and self.path is None and self.url is None:
            raise ValueError("a profile needs the path or the url of its model")
        return self


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
