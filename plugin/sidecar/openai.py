"""OpenAI's embeddings and model list, by its API reference.

``input_type`` is ours: queries and documents have templates of their own in most models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from plugin.ranking.errors import ModelMismatch, RequestError
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput, document_input, query_input
from plugin.ranking.vectors import to_base64
from plugin.ranking.wire import Count, ModelCard, ModelList, WireFusion
from plugin.sidecar.edge import CancellableRoute
from plugin.sidecar.errors import declared
from plugin.sidecar.sidecar import SidecarDependency

router = APIRouter(route_class=CancellableRoute, tags=["OpenAI"])


class EmbeddingsCall(BaseModel):
    """Body of `/v1/embeddings`; ``model`` is accepted whatever it is, as there is one encoder."""

    model_config = ConfigDict(extra="ignore")

    input: str | Annotated[list[str], Field(min_length=1)]
    model: str | None = None
    input_type: Literal["query", "document"] | None = Field(
        default=None, description="Which template; default: document."
    )
    dimensions: Count | None = Field(default=None, description="Default: all of the model's.")
    encoding_format: Literal["float", "base64"] | None = Field(
        default=None, description="Default: float; base64 is of little-endian float32."
    )
    vector_fingerprint: str | None = Field(
        default=None, description="Refuse with 409 where the encoder's is another."
    )

    @field_validator("input", mode="before")
    @classmethod
    def _no_token_ids(cls, value: Any) -> Any:
        first = value[0] if isinstance(value, list) and value else None
        if isinstance(first, int | list):
            raise ValueError(  # noqa: TRY004 - pydantic turns only this one into a 422
                "token ids belong to another model's vocabulary; send text (LangChain: "
                "check_embedding_ctx_length=False)"
            )
        return value

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return [self.input] if isinstance(self.input, str) else self.input

    def inputs(self, profile: ModelProfile) -> list[EncoderInput]:
        """The texts in the model's template."""
        if self.input_type == "query":
            return [query_input(profile, text) for text in self.texts]
        return [document_input(profile, text) for text in self.texts]


class Embedding(BaseModel):
    """One text's vector."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: str | list[float]


class EmbeddingsUsage(BaseModel):
    """Tokens as the encoder counted them, and how many texts were cut to fit it."""

    prompt_tokens: int
    total_tokens: int
    truncated: int


class EmbeddingsAnswer(BaseModel):
    """Answer of `/v1/embeddings`, in the order of the input."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingsUsage


EmbeddingsBody = Annotated[
    EmbeddingsCall,
    Body(
        examples=[
            {"input": ["a document", "another"], "model": "all-minilm-l6-v2"},
            {"input": "a query", "input_type": "query", "encoding_format": "base64"},
        ]
    ),
]


@router.post(
    "/v1/embeddings",
    summary="Vectors of texts",
    responses=declared(401, 409, 413, 422, 429, 502, 503, 504),
)
async def embeddings(
    body: EmbeddingsBody, request: Request, sidecar: SidecarDependency
) -> EmbeddingsAnswer:
    """Embed queries or documents with the encoder that ranks, in its templates.

    A text that is too long is cut by tokens and counted in `usage.truncated`.
    """
    if len(body.texts) > sidecar.options.max_inputs:
        raise RequestError(
            f"{len(body.texts)} inputs are more than the {sidecar.options.max_inputs} of "
            "sidecar.max_inputs; send them in several calls"
        )
    call = sidecar.call(request)
    profile = sidecar.ranker.profile
    _check_fingerprint(body.vector_fingerprint, profile)
    vectors = await sidecar.ranker.embed(body.inputs(profile), body.dimensions, call)
    written = map(to_base64, vectors) if body.encoding_format == "base64" else vectors.tolist()
    return EmbeddingsAnswer(
        data=[Embedding(index=place, embedding=value) for place, value in enumerate(written)],
        model=profile.name,
        usage=EmbeddingsUsage(
            prompt_tokens=call.prompt_tokens,
            total_tokens=call.prompt_tokens,
            truncated=call.truncated,
        ),
    )


@router.get("/v1/models", summary="The encoder, and the LLM if any", responses=declared(401, 503))
async def models(sidecar: SidecarDependency) -> ModelList:
    """One card of the encoder first, with what a caller needs to build a request."""
    cards = [_encoder_card(sidecar.ranker.profile)]
    if sidecar.llm is not None:
        cards.append(ModelCard(id=sidecar.llm.name, kind="llm", prompt_hits=sidecar.llm.window))
    return ModelList(data=cards)


def _check_fingerprint(wanted: str | None, profile: ModelProfile) -> None:
    if wanted is not None and wanted != profile.fingerprint:
        raise ModelMismatch(
            f"vectors of the model with fingerprint {wanted} are wanted, and {profile.name} "
            f"({profile.fingerprint}) runs here; serve that model, or apply and backfill for this"
        )


def _encoder_card(profile: ModelProfile) -> ModelCard:
    return ModelCard(
        id=profile.name,
        revision=profile.revision,
        fingerprint=profile.fingerprint,
        dimensions=profile.dimensions,
        max_tokens=profile.max_tokens,
        prompt_hits=profile.prompt_hits,
        rocchio_hits=profile.rocchio_hits,
        fusion=WireFusion(**profile.fusion.as_dict()),
    )
