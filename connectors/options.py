"""Settings of the engine and of the sidecar as its clients see it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

# No `user:password@`: an address is shown in messages and logs.
Url = Annotated[str, Field(pattern=r"^https?://[^/@\s]+(/\S*)?$", max_length=2048)]


class EngineKind(StrEnum):
    """Which engine a cluster runs."""

    OPENSEARCH = "opensearch"
    ELASTICSEARCH = "elasticsearch"


class Options(BaseModel):
    """Base of the tables: unknown keys are refused, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineOptions(Options):
    """Where the cluster is and how to prove who we are."""

    url: Url | None = Field(
        default=None, description="Address of the cluster; None: the local engine that runs."
    )
    kind: Literal["auto"] | EngineKind = Field(
        default="auto", description="auto asks the cluster; name it where `GET /` is forbidden."
    )
    username: str | None = Field(default=None, description="User of basic authentication.")
    password: SecretStr | None = Field(default=None, description="That user's password.")
    api_key: SecretStr | None = Field(
        default=None, description="Encoded API key, sent as `Authorization: ApiKey …`."
    )
    ca_file: Path | None = Field(default=None, description="CA certificates (PEM) to trust.")
    client_cert: Path | None = Field(default=None, description="Client certificate (PEM).")
    client_key: Path | None = Field(default=None, description="Key of the client certificate.")
    verify: bool = Field(default=True, description="Check the cluster's certificate.")
    timeout: float = Field(default=30.0, gt=0, le=3600, description="Seconds for one request.")
    retries: int = Field(
        default=3, ge=0, le=20, description="Further attempts after 429, 502, 503 and 504."
    )
    connections: int = Field(default=16, ge=1, le=512, description="Connections kept open.")

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if self.api_key and self.username:
            raise ValueError("give an api_key or a username, not both")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if self.client_key and not self.client_cert:
            raise ValueError("client_key needs client_cert")
        return self


class SidecarClientOptions(Options):
    """Where clients find the sidecar."""

    url: Url = Field(default="http://127.0.0.1:8080", description="Address of the sidecar.")
    api_key: SecretStr | None = Field(default=None, description="Bearer key of the sidecar.")
    ca_file: Path | None = Field(default=None, description="CA certificates (PEM) to trust.")
    timeout: float = Field(
        default=10.0, gt=0, le=600, description="Seconds for one call of a search."
    )
    embed_timeout: float = Field(
        default=300.0, gt=0, le=3600, description="Seconds for one call that embeds documents."
    )
