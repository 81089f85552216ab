"""The rerank calls of Cohere (v1, v2), Jina and vLLM: `documents` in, `relevance_score` out.

Sources: their API references and clients. One body and one answer serve them all: the fields of
each are there, and what one does not know it ignores.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from plugin.ranking.wire import Count
from plugin.sidecar.edge import CancellableRoute
from plugin.sidecar.errors import declared
from plugin.sidecar.record import request_id
from plugin.sidecar.sidecar import Sidecar, SidecarDependency
from plugin.sidecar.texts import RankedText, rank_texts

router = APIRouter(route_class=CancellableRoute, tags=["Cohere, Jina"])

ERRORS = declared(401, 413, 422, 429, 503)
EXAMPLE: dict[str, Any] = {
    "model": "rerank",
    "query": "read a text file",
    "documents": ["Opens a file and returns a stream.", "Sorts a list."],
}


class RerankCall(BaseModel):
    """Body; ``model`` is accepted whatever it is, and fields not listed here are ignored."""

    model_config = ConfigDict(extra="ignore")

    query: str = Field(min_length=1)
    documents: list[str | dict[str, Any]] = Field(
        description="Texts, or objects with a text field (see rank_fields)."
    )
    model: str | None = None
    top_n: Count | None = Field(default=None, description="Best documents; default: all of them.")
    return_documents: bool | None = Field(
        default=None, description="Send the documents back; default: no."
    )
    rank_fields: list[str] | None = Field(
        default=None, description="Fields of documents that are objects; default: text."
    )

    @property
    def texts(self) -> list[str]:
        """The documents as texts."""
        return [_text(document, self.rank_fields) for document in self.documents]


class RerankResult(BaseModel):
    """One document's place in the request and its score, from 0 to 1."""

    index: int
    relevance_score: float
    document: dict[str, Any] | None = None


class RerankUsage(BaseModel):
    """Tokens as the encoder counted them, and how many documents were cut to fit it."""

    prompt_tokens: int
    total_tokens: int
    truncated: int


class RerankMeta(BaseModel):
    """What Cohere's clients read."""

    api_version: dict[str, str]
    billed_units: dict[str, int] = {"search_units": 1}


class RerankAnswer(BaseModel):
    """Answer, best first."""

    id: str
    model: str
    results: list[RerankResult]
    meta: RerankMeta
    usage: RerankUsage


RerankBody = Annotated[RerankCall, Body(examples=[EXAMPLE, {**EXAMPLE, "top_n": 1}])]


@router.post(
    "/v1/rerank",
    summary="Cohere v1, Jina",
    responses=ERRORS,
    response_model_exclude_none=True,
)
async def rerank_v1(body: RerankBody, request: Request, sidecar: SidecarDependency) -> RerankAnswer:
    """Rank documents given as texts; all of them come back unless `top_n` says otherwise."""
    return await rerank(body, request, sidecar, version="1")


@router.post("/v2/rerank", summary="Cohere v2", responses=ERRORS, response_model_exclude_none=True)
async def rerank_v2(body: RerankBody, request: Request, sidecar: SidecarDependency) -> RerankAnswer:
    """Rank documents given as texts; all of them come back unless `top_n` says otherwise."""
    return await rerank(body, request, sidecar, version="2")


async def rerank(
    body: RerankCall, request: Request, sidecar: Sidecar, *, version: str
) -> RerankAnswer:
    """The answer to ``body`` in the API's ``version``."""
    call = sidecar.call(request)
    ranked = await rank_texts(sidecar, request, call, body.query, body.texts)
    return RerankAnswer(
        id=request_id(request),
        model=sidecar.ranker.profile.name,
        results=[_result(text, body) for text in ranked[: body.top_n]],
        meta=RerankMeta(api_version={"version": version}),
        usage=RerankUsage(
            prompt_tokens=call.prompt_tokens,
            total_tokens=call.prompt_tokens + call.completion_tokens,
            truncated=call.truncated,
        ),
    )


def _result(ranked: RankedText, body: RerankCall) -> RerankResult:
    document = None
    if body.return_documents:
        given = body.documents[ranked.index]
        document = {"text": given} if isinstance(given, str) else given
    return RerankResult(index=ranked.index, relevance_score=ranked.score, document=document)


def _text(document: str | dict[str, Any], fields: list[str] | None) -> str:
    """A document's text: itself, its rank fields, its ``text``, or else all its strings."""
    if isinstance(document, str):
        return document
    if fields:
        values = [document.get(name) for name in fields]
    elif document.get("text") is not None:
        values = [document["text"]]
    else:
        values = [value for value in document.values() if isinstance(value, str)]
    return "\n".join(str(value) for value in values if value is not None)
