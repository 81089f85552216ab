"""Settings of an LLM in this process."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from plugin.models.base_options import AUTO, DEVICES, Dtype, Options


class LocalOptions(Options):
    """Where the model's files are, and where it runs; without a path it is a server's."""

    path: Path | None = Field(
        default=None,
        description="Folder of an instruct model, or its .gguf file, to run it in this process "
        "instead of asking a server.",
    )
    device: str = Field(
        default=AUTO,
        pattern=DEVICES,
        description="With a path: auto, cpu, mps, cuda, or cuda:N.",
    )
    dtype: Dtype = Field(default="auto", description="With a path: number format of the weights.")
