"""What every table of settings is, and the values that several of them have."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

AUTO = "auto"
DEVICES = r"^(auto|cpu|mps|cuda(:\d+)?)$"
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class Options(BaseModel):
    """Base of the tables: unknown keys are refused, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
