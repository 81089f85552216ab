"""Settings of the sidecar, as one bounded pydantic model: ``RANKSIDE_SIDECAR__PORT``, …."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from plugin.ranking.hits import Strategy

MIB = 1024 * 1024


class SidecarOptions(BaseModel):
    """Where the sidecar listens, what it takes, and how long it may need."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65_535, description="Port; 0 takes a free one.")
    keys_file: Path | None = Field(
        default=None,
        description="File with one bearer key a line, read again when it changes; None: no keys.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    strategy: Strategy = Field(
        default=Strategy.E2RANK, description="Strategy of calls that name none."
    )

    max_body_bytes: int = Field(
        default=32 * MIB, ge=1024, le=1024 * MIB, description="Bytes of one request's body."
    )
    max_hits: int = Field(
        default=1000, ge=1, le=10_000, description="Hits or documents of one ranking call."
    )
    max_inputs: int = Field(
        default=2048, ge=1, le=100_000, description="Texts of one embeddings call."
    )

    timeout: float = Field(
        default=120.0, gt=0, le=3600, description="Seconds for a call that states no deadline."
    )
    queue_tokens: int = Field(
        default=262_144,
        ge=256,
        le=1_000_000_000,
        description="Tokens queued and running before calls are refused with 429; a call that is "
        "larger than this is taken when nothing else is there.",
    )
    batch_tokens: int = Field(
        default=16_384,
        ge=64,
        le=4_194_304,
        description="Most tokens handed to the encoder at once, over all calls.",
    )
    batch_seconds: float = Field(
        default=0.25,
        gt=0,
        le=60,
        description="Seconds a batch should take at most, by measurement: how long a search waits "
        "behind bulk work.",
    )
    batch_wait: float = Field(
        default=0.001, ge=0, le=0.1, description="Seconds an idle encoder waits for company."
    )
    cache_bytes: int = Field(
        default=64 * MIB,
        ge=0,
        le=1024 * 1024 * MIB,
        description="Bytes for vectors of documents that arrived as text; 0 keeps none.",
    )
    prompt_threads: int = Field(
        default=2, ge=1, le=64, description="Threads that lay out and tokenise prompts."
    )

    ready_timeout: float = Field(
        default=5.0, gt=0, le=60, description="Seconds the encoder has to answer a health check."
    )
    drain_delay: float = Field(
        default=0.0,
        ge=0,
        le=300,
        description="Seconds to go on serving after SIGTERM while /health/ready says 503, for "
        "load balancers that need to see it.",
    )
    drain_timeout: int = Field(
        default=30, ge=1, le=600, description="Seconds calls in flight have to finish at the end."
    )
