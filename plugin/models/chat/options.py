"""Settings of what stands between a search and an LLM."""

from __future__ import annotations

from typing import Annotated

from pydantic import AnyHttpUrl, Field, SecretStr

from plugin.models.base_options import Options

Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_MILLION = 1_000_000


class CircuitOptions(Options):
    """When a server that fails is left alone."""

    failures: int = Field(default=5, ge=1, description="Failures in a row that open the circuit.")
    open_for: float = Field(
        default=10.0, gt=0, le=3600, description="Seconds it is open; then one call tries."
    )


class HedgeOptions(Options):
    """A second server, for when the first fails or is slow; without an address there is none."""

    url: AnyHttpUrl | None = Field(
        default=None, description="OpenAI-compatible server, up to and with /v1; None: no second."
    )
    model: str | None = Field(
        default=None, max_length=200, description="Name of the model there; None: the same."
    )
    api_key: SecretStr | None = Field(default=None, description="Bearer key of that server.")
    after: float = Field(
        default=5.0, gt=0, le=600, description="Seconds without an answer before it is asked."
    )


class PriceOptions(Options):
    """What a million tokens cost, in any one currency."""

    prompt: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="Of the prompt.")
    completion: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="Of the answer, reasoning included."
    )

    def of(self, prompt: int, completion: int) -> float:
        """The price of so many tokens."""
        return (prompt * self.prompt + completion * self.completion) / _MILLION


class BudgetOptions(Options):
    """What may be spent; a search beyond it passes through. None: no limit."""

    tokens_per_minute: int | None = Field(default=None, ge=1, description="Prompt and answer.")
    tokens_per_day: int | None = Field(default=None, ge=1, description="Of the day in UTC.")
    cost_per_minute: Amount | None = Field(default=None, description="In the prices' currency.")
    cost_per_day: Amount | None = Field(default=None, description="Of the day in UTC.")

    @property
    def of_cost(self) -> bool:
        """Whether prices are needed."""
        return self.cost_per_minute is not None or self.cost_per_day is not None


class CacheOptions(Options):
    """Answers kept for the same prompt."""

    bytes: int = Field(
        default=32 << 20, ge=0, le=64 << 30, description="Of memory for answers; 0: keep none."
    )
    ttl: float = Field(
        default=3600.0, gt=0, le=30 * 86_400, description="Seconds an answer is kept."
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="redis://… of a Redis or Valkey that sidecars share; None: in memory.",
    )
