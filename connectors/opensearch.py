"""OpenSearch through opensearch-py; its errors are translated here and stop here."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from opensearchpy import AIOHttpConnection, AsyncOpenSearch
from opensearchpy.exceptions import ConnectionError as ClientConnectionError
from opensearchpy.exceptions import (
    ConnectionTimeout,
    ImproperlyConfigured,
    SerializationError,
    SSLError,
    TransportError,
)

from connectors.engine import ClientEngine, rejected, tls_files, unreachable, unusable
from connectors.options import EngineKind, EngineOptions

NDJSON = "application/x-ndjson"

_log = logging.getLogger(__name__)


class _Connection(AIOHttpConnection):
    """The client's connection, less what it does for interactive users."""

    def _raise_warnings(self, warning_headers: Iterable[str]) -> None:
        """Deprecation notes are for whoever wrote the request, not for our caller."""
        for header in warning_headers or ():
            _log.debug("%s", header)

    def log_request_fail(self, *_args: Any, **_kwargs: Any) -> None:
        """A failed request is raised; whoever handles it decides whether it is worth a line."""


class OpenSearchEngine(ClientEngine):
    """An OpenSearch cluster."""

    kind = EngineKind.OPENSEARCH

    def __init__(self, options: EngineOptions) -> None:
        super().__init__(options)
        try:
            self._client = AsyncOpenSearch(**_arguments(self.url, options))
        except (ImproperlyConfigured, OSError, ValueError) as error:
            raise unusable(error) from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()

    async def _send(self, method: str, path: str, params: Mapping[str, Any], body: Any) -> Any:
        headers = {"accept": "application/json"}
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
        except (ImproperlyConfigured, OSError) as error:
            # The client opens its certificate files only now.
            raise unusable(error) from error
        except TransportError as error:
            raise rejected(int(error.status_code), error.info or error.error) from error


def _arguments(url: str, options: EngineOptions) -> dict[str, Any]:
    """The client's arguments; retries are ours, so it makes none."""
    arguments: dict[str, Any] = {
        "hosts": [url],
        "connection_class": _Connection,
        "timeout": options.timeout,
        "maxsize": options.connections,
        "max_retries": 0,
        "retry_on_status": (),
    }
    if options.username and options.password:
        arguments["http_auth"] = (options.username, options.password.get_secret_value())
    if options.api_key:
        arguments["headers"] = {"Authorization": f"ApiKey {options.api_key.get_secret_value()}"}
    if url.startswith("https:"):
        arguments |= {"verify_certs": options.verify, "ssl_show_warn": False}
        arguments |= {name: str(file) for name, file in tls_files(options).items()}
    return arguments
