"""Probes and metrics, open to everybody."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from plugin.sidecar.errors import declared
from plugin.sidecar.sidecar import SidecarDependency

router = APIRouter(tags=["Operations"])


class Health(BaseModel):
    """Answer of the probes."""

    status: Literal["alive", "ready"]


@router.get("/health/live", summary="Whether the process answers")
async def live() -> Health:
    """200 for as long as the event loop runs."""
    return Health(status="alive")


@router.get("/health/ready", summary="Whether it can rank now", responses=declared(503))
async def ready(sidecar: SidecarDependency) -> Health:
    """Asks the encoder to embed a word; 503 while loading, warming, draining or failing."""
    await sidecar.lifecycle.check()
    return Health(status="ready")


@router.get("/metrics", summary="Prometheus series", response_class=Response)
async def metrics(sidecar: SidecarDependency) -> Response:
    """Every series in Prometheus' text format."""
    return Response(sidecar.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
