"""`/rerank`: text-embeddings-inference's call with `texts`, vLLM's with `documents`.

Source: the OpenAPI document of text-embeddings-inference.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from plugin.sidecar import cohere
from plugin.sidecar.edge import CancellableRoute
from plugin.sidecar.sidecar import SidecarDependency
from plugin.sidecar.texts import RankedText, rank_texts

router = APIRouter(route_class=CancellableRoute, tags=["TEI, vLLM"])


class TeiCall(BaseModel):
    """Body with ``texts``; `truncate` is not needed, as long texts are cut whatever it says."""

    model_config = ConfigDict(extra="ignore")

    query: str = Field(min_length=1)
    texts: list[str]
    raw_scores: bool | None = Field(
        default=None, description="Fused scores as they are, which may be negative; default: no."
    )
    return_text: bool | None = Field(default=None, description="Send the texts back; default: no.")


class TeiRank(BaseModel):
    """One text's place in the request and its score, from 0 to 1."""

    index: int
    score: float
    text: str | None = None


def _dialect(body: Any) -> str | None:
    """Which of the two bodies this is, by the field that only one of them has."""
    if isinstance(body, BaseModel):
        return "texts" if isinstance(body, TeiCall) else "documents"
    if not isinstance(body, dict):
        return None
    return next((name for name in ("texts", "documents") if body.get(name) is not None), None)


TextsBody = Annotated[TeiCall, Tag("texts")]
DocumentsBody = Annotated[cohere.RerankCall, Tag("documents")]
EitherBody = Annotated[
    TextsBody | DocumentsBody,
    Discriminator(
        _dialect,
        custom_error_type="no_texts",
        custom_error_message="send the texts to rank as `texts` or as `documents`",
    ),
    Body(
        examples=[
            {"query": "read a text file", "texts": cohere.EXAMPLE["documents"]},
            cohere.EXAMPLE,
        ]
    ),
]


@router.post(
    "/rerank",
    summary="TEI (`texts`), vLLM (`documents`)",
    responses=cohere.ERRORS,
    response_model_exclude_none=True,
)
async def rerank(
    body: EitherBody, request: Request, sidecar: SidecarDependency
) -> list[TeiRank] | cohere.RerankAnswer:
    """Rank texts: a bare list for `texts`, always of all of them; an object for `documents`."""
    if isinstance(body, cohere.RerankCall):
        return await cohere.rerank(body, request, sidecar, version="1")
    ranked = await rank_texts(sidecar, request, sidecar.call(request), body.query, body.texts)
    return [_tei_rank(text, body) for text in ranked]


def _tei_rank(ranked: RankedText, body: TeiCall) -> TeiRank:
    return TeiRank(
        index=ranked.index,
        score=ranked.raw if body.raw_scores else ranked.score,
        text=body.texts[ranked.index] if body.return_text else None,
    )
