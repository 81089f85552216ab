"""Settings of the encoder, as bounded pydantic models.

They are nested in the one settings model: ``RANKSIDE_MODEL__NAME``, ….
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from plugin.models.base_options import AUTO, DEVICES, Dtype, Options
from plugin.ranking.hits import FusionWeights
from plugin.ranking.profile import (
    E2RANK_EVALUATED,
    E2RANK_README,
    PLAIN,
    ListwiseTemplate,
    ModelProfile,
    Pooling,
)

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
    fusion: FusionOptions | None = Field(
        default=None,
        description="Weights of the signals; None: the model's own.",
    )
    prompt_hits: int | None = Field(
        default=None, ge=1, le=1000, description="Hits in the listwise prompt; None: the model's."
    )
    rocchio_hits: int | None = Field(
        default=None, ge=1, le=1000, description="Hits in the Rocchio mean; None: the model's."
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
    listwise_adapter: Path | None = Field(
        default=None,
        description="Folder of a listwise adapter, as `rankside train adapter` writes it: listwise "
        "prompts go through it; documents and queries, and so stored vectors, stay the model's.",
    )
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
        if self.name == AUTO and any((self.url, self.path, self.profile, self.listwise_adapter)):
            raise ValueError("url, path, profile and listwise_adapter need a name")
        if self.url is not None and self.listwise_adapter is not None:
            raise ValueError("listwise_adapter runs in this process; leave out url")
        if self.profile is not None and self.path is None and self.url is None:
            raise ValueError("a profile needs the path or the url of its model")
        return self
