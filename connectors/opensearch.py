"""OpenSearch through opensearch-py; its errors are translated here and stop here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import ConnectionError as ClientConnectionError
from opensearchpy.exceptions import (
    ConnectionTimeout,
    ImproperlyConfigured,
    SerializationError,
    SSLError,
    TransportError,
)

from connectors.engine import ClientEngine, rejected, unreachable
from connectors.options import EngineKind, EngineOptions
from plugin.ranking.errors import SettingsError

NDJSON = "application/x-ndjson"


class OpenSearchEngine(ClientEngine):
    """An OpenSearch cluster."""

    kind = EngineKind.OPENSEARCH

    def __init__(self, options: EngineOptions) -> None:
        super().__init__(options)
        try:
            self._client = AsyncOpenSearch(**_arguments(options))
        except (ImproperlyConfigured, OSError, ValueError) as error:
            raise SettingsError(f"the engine's options cannot be used: {error}") from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()

    async def _send(self, method: str, path: str, params: Mapping[str, Any], body: Any) -> Any:
        headers = {}
        if isinstance(body, list):
            body = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in body)
            headers["content-type"] = NDJSON
        try:
            return await self._client.transport.perform_request(
                method, path, params=dict(params), body=body, headers=headers
            )
        except ConnectionTimeout as error:
            raise unreachable(self.url, "it did not answer in time") from error
        except SSLError as error:
            raise unreachable(self.url, f"TLS failed: {error.error}") from error
        except ClientConnectionError as error:
            raise unreachable(self.url, str(error.error)) from error
        except SerializationError as error:
            raise unreachable(self.url, "its answer is not JSON") from error
        except TransportError as error:
            raise rejected(int(error.status_code), error.info) from error


def _arguments(options: EngineOptions) -> dict[str, Any]:
    """The client's arguments; retries are ours, so it makes none."""
    arguments: dict[str, Any] = {
        "hosts": [options.url],
        "timeout": options.timeout,
        "maxsize": options.connections,
        "max_retries": 0,
        "retry_on_status": (),
    }
    if options.username and options.password:
        arguments["http_auth"] = (options.username, options.password.get_secret_value())
    if options.api_key:
        arguments["headers"] = {"Authorization": f"ApiKey {options.api_key.get_secret_value()}"}
    if str(options.url).startswith("https:"):
        arguments |= {
            "verify_certs": options.verify,
            "ssl_show_warn": False,
            "ca_certs": None if options.ca_file is None else str(options.ca_file),
            "client_cert": None if options.client_cert is None else str(options.client_cert),
            "client_key": None if options.client_key is None else str(options.client_key),
        }
    return arguments
