"""Elasticsearch through its Python client; its errors are translated here and stop here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from elastic_transport import (
    AsyncTransport,
    ConnectionTimeout,
    HttpHeaders,
    SerializationError,
    TlsError,
    TransportApiResponse,
)
from elastic_transport import ConnectionError as ClientConnectionError
from elasticsearch import ApiError, AsyncElasticsearch, UnsupportedProductError

from connectors.engine import ClientEngine, rejected, tls_files, unreachable, unusable
from connectors.options import EngineKind, EngineOptions

_JSON = "application/json"
_NDJSON = "application/x-ndjson"

_log = logging.getLogger(__name__)


class _Transport(AsyncTransport):
    """The client's transport, less what it does for interactive users."""

    async def perform_request(  # type: ignore[override] # as its own base class has it
        self, method: str, target: str, **arguments: Any
    ) -> TransportApiResponse:
        """One request in plain JSON; deprecation notes are logged, not warned of.

        The client asks for the JSON of its own major version, which clusters one version older
        refuse; plain JSON means the cluster's own. And it turns the cluster's ``Warning`` headers
        into Python warnings, which are for whoever wrote the request, not for our caller.
        """
        body = arguments.get("body")
        headers = HttpHeaders(arguments.pop("headers"))
        headers["accept"] = _JSON
        if body is not None:
            headers["content-type"] = _NDJSON if isinstance(body, list) else _JSON
        meta, answer = await super().perform_request(method, target, headers=headers, **arguments)
        if "warning" in meta.headers:
            _log.debug("%s %s: %s", method, target, meta.headers["warning"])
            kept = {
                name: value for name, value in meta.headers.items() if name.lower() != "warning"
            }
            meta = replace(meta, headers=HttpHeaders(kept))
        return TransportApiResponse(meta, answer)


class ElasticsearchEngine(ClientEngine):
    """An Elasticsearch cluster."""

    kind = EngineKind.ELASTICSEARCH

    def __init__(self, options: EngineOptions) -> None:
        super().__init__(options)
        try:
            self._client = AsyncElasticsearch(**_arguments(self.url, options))
        except (OSError, ValueError, TypeError) as error:
            raise unusable(error) from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()

    async def _send(self, method: str, path: str, params: Mapping[str, Any], body: Any) -> Any:
        try:
            answer = await self._client.perform_request(
                method, path, params=dict(params) or None, headers={"accept": _JSON}, body=body
            )
        except UnsupportedProductError as error:
            raise unreachable(self.url, "what answers is not Elasticsearch") from error
        except ApiError as error:
            raise rejected(error.status_code, error.body) from error
        except ConnectionTimeout as error:
            raise unreachable(self.url, "it did not answer in time") from error
        except TlsError as error:
            raise unreachable(self.url, f"TLS failed: {error.message}") from error
        except ClientConnectionError as error:
            raise unreachable(self.url, error.message) from error
        except SerializationError as error:
            raise unreachable(self.url, "its answer is not JSON") from error
        return answer.body


def _arguments(url: str, options: EngineOptions) -> dict[str, Any]:
    """The client's arguments; retries are ours, so it makes none."""
    arguments: dict[str, Any] = {
        "hosts": [url],
        "transport_class": _Transport,
        "request_timeout": options.timeout,
        "connections_per_node": options.connections,
        "max_retries": 0,
        "retry_on_status": (),
    }
    if options.username and options.password:
        arguments["basic_auth"] = (options.username, options.password.get_secret_value())
    if options.api_key:
        arguments["api_key"] = options.api_key.get_secret_value()
    if url.startswith("https:"):
        arguments |= {"verify_certs": options.verify, "ssl_show_warn": False}
        arguments |= {name: str(file) for name, file in tls_files(options).items()}
    return arguments
