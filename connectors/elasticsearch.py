"""Elasticsearch through its Python client; its errors are translated here and stop here."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from elastic_transport import ConnectionError as ClientConnectionError
from elastic_transport import ConnectionTimeout, SerializationError, TlsError
from elasticsearch import (
    ApiError,
    AsyncElasticsearch,
    ElasticsearchWarning,
    UnsupportedProductError,
)

from connectors.engine import ClientEngine, rejected, unreachable
from connectors.options import EngineKind, EngineOptions
from plugin.ranking.errors import SettingsError

_JSON = "application/json"
_NDJSON = "application/x-ndjson"


class ElasticsearchEngine(ClientEngine):
    """An Elasticsearch cluster."""

    kind = EngineKind.ELASTICSEARCH

    def __init__(self, options: EngineOptions) -> None:
        super().__init__(options)
        try:
            self._client = AsyncElasticsearch(**_arguments(options))
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError(f"the engine's options cannot be used: {error}") from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()

    async def _send(self, method: str, path: str, params: Mapping[str, Any], body: Any) -> Any:
        headers = {"accept": _JSON}
        if body is not None:
            headers["content-type"] = _NDJSON if isinstance(body, list) else _JSON
        try:
            # The server's deprecation notes are for whoever wrote the body, not for our caller.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ElasticsearchWarning)
                answer = await self._client.perform_request(
                    method, path, params=dict(params) or None, headers=headers, body=body
                )
        except ApiError as error:
            raise rejected(error.status_code, error.body) from error
        except UnsupportedProductError as error:
            raise unreachable(self.url, "what answers is not Elasticsearch") from error
        except ConnectionTimeout as error:
            raise unreachable(self.url, "it did not answer in time") from error
        except TlsError as error:
            raise unreachable(self.url, f"TLS failed: {error.message}") from error
        except ClientConnectionError as error:
            raise unreachable(self.url, error.message) from error
        except SerializationError as error:
            raise unreachable(self.url, "its answer is not JSON") from error
        return answer.body


def _arguments(options: EngineOptions) -> dict[str, Any]:
    """The client's arguments; retries are ours, so it makes none."""
    arguments: dict[str, Any] = {
        "hosts": [options.url],
        "request_timeout": options.timeout,
        "connections_per_node": options.connections,
        "max_retries": 0,
        "retry_on_status": (),
    }
    if options.username and options.password:
        arguments["basic_auth"] = (options.username, options.password.get_secret_value())
    if options.api_key:
        arguments["api_key"] = options.api_key.get_secret_value()
    if str(options.url).startswith("https:"):
        arguments |= {"verify_certs": options.verify, "ssl_show_warn": False}
        files = {
            "ca_certs": options.ca_file,
            "client_cert": options.client_cert,
            "client_key": options.client_key,
        }
        arguments |= {name: str(file) for name, file in files.items() if file is not None}
    return arguments
