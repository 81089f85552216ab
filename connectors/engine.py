"""One asynchronous way to talk to OpenSearch and Elasticsearch.

A client library is used for what it is good at, connections, TLS and authentication; retries,
errors and JSON are alike for both. Nothing of the libraries gets past their two modules.
"""

from __future__ import annotations

import asyncio
import string
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from connectors.options import EngineKind, EngineOptions
from plugin.ranking.errors import EngineRejected, EngineUnavailable, SettingsError

__all__ = [
    "BulkItem",
    "BulkOutcome",
    "Engine",
    "EngineInfo",
    "EngineKind",
]

RETRIED = frozenset({429, 502, 503, 504})
_FIRST_WAIT = 0.2  # seconds; doubled at every attempt
_LONGEST_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What a cluster says of itself; ``plugins`` are those of the node that answered."""

    kind: EngineKind
    version: str
    plugins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BulkItem:
    """What became of one operation; ``error`` is None where it succeeded."""

    action: str
    id: str
    status: int
    error: str | None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of a bulk request, item by item in the order of the operations."""

    items: tuple[BulkItem, ...]
    took_ms: int


class Engine(Protocol):
    """A cluster. Every method raises EngineUnavailable or EngineRejected."""

    kind: EngineKind
    url: str

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        """Send one request and give its JSON answer; retried on 429, 502, 503 and 504 only.

        ``body`` is a JSON value, or a sequence of them for the paths that take NDJSON.
        """
        ...

    async def search(
        self, index: str, body: Mapping[str, Any], *, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """`POST /{index}/_search`; without an index where the body names a point in time."""
        ...

    async def bulk(self, index: str, operations: Sequence[Mapping[str, Any]]) -> BulkOutcome:
        """`POST /{index}/_bulk`: actions and, after each that has one, its document."""
        ...

    async def info(self) -> EngineInfo:
        """Kind, version and plugins."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


class ClientEngine(ABC):
    """What both engines share; a subclass sends one request through its client library."""

    kind: EngineKind

    def __init__(self, options: EngineOptions) -> None:
        self.url = _with_port(str(options.url))
        self._retries = options.retries

    @abstractmethod
    async def _send(self, method: str, path: str, params: Mapping[str, Any], body: Any) -> Any:
        """One attempt; raises EngineUnavailable or EngineRejected."""

    @abstractmethod
    async def close(self) -> None:
        """Give the connections back."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        path = quote(path, safe=string.punctuation)  # what is quoted already stays as it is
        sent = {name: _parameter(value) for name, value in (params or {}).items()}
        for attempt in range(self._retries + 1):
            try:
                return await self._send(method, path, sent, body)
            except EngineRejected as error:
                if error.status not in RETRIED or attempt == self._retries:
                    raise
            await asyncio.sleep(min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def search(
        self, index: str, body: Mapping[str, Any], *, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        path = "/_search" if "pit" in body else f"{index_path(index)}/_search"
        answer: dict[str, Any] = await self.request("POST", path, params=params, body=dict(body))
        return answer

    async def bulk(self, index: str, operations: Sequence[Mapping[str, Any]]) -> BulkOutcome:
        answer = await self.request("POST", f"{index_path(index)}/_bulk", body=list(operations))
        return BulkOutcome(tuple(map(_bulk_item, answer["items"])), int(answer["took"]))

    async def info(self) -> EngineInfo:
        node = await local_node(self, "/plugins")
        plugins = tuple(sorted(plugin["name"] for plugin in node.get("plugins", ())))
        return EngineInfo(self.kind, str(node["version"]), plugins)


def index_path(index: str) -> str:
    """The path of an index, alias or list of them; "" where there is none, which means all."""
    return f"/{quote(index, safe=',*:-')}" if index else ""


def _parameter(value: Any) -> Any:
    """A query parameter as the engines read it: they know `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else value


def _with_port(url: str) -> str:
    """``url`` with its scheme's port where it names none, which one of the clients insists on."""
    parts = urlsplit(url.rstrip("/"))
    if parts.port is None:
        port = 443 if parts.scheme == "https" else 80
        parts = parts._replace(netloc=f"{parts.netloc}:{port}")
    return parts.geturl()


def tls_files(options: EngineOptions) -> dict[str, Path]:
    """The certificate files that are set, by the name both clients have for them.

    Raises:
        SettingsError: one of them is not there.
    """
    files = {
        # A certificate that is not checked needs no authority, and one of the clients refuses both.
        "ca_certs": options.ca_file if options.verify else None,
        "client_cert": options.client_cert,
        "client_key": options.client_key,
    }
    found = {name: file for name, file in files.items() if file is not None}
    for name, file in found.items():
        if not file.is_file():
            raise SettingsError(f"the engine's options cannot be used: {name} {file} is not a file")
    return found


def _bulk_item(item: Mapping[str, Any]) -> BulkItem:
    ((action, outcome),) = item.items()
    error = outcome.get("error")
    reason = None if error is None else _item_reason(error)
    return BulkItem(action, outcome.get("_id", ""), int(outcome["status"]), reason)


def _item_reason(error: Mapping[str, Any]) -> str:
    """Type and reason, and the cause behind it: only that says what is wrong with a vector."""
    said = f"{error.get('type')}: {error.get('reason')}"
    cause = (error.get("caused_by") or {}).get("reason")
    return f"{said} ({cause})" if cause else said


def unreachable(url: str, why: str) -> EngineUnavailable:
    """Nobody usable answers at ``url``."""
    return EngineUnavailable(
        f"the engine at {url} cannot be used: {why}; check RANKSIDE_ENGINE__URL"
    )


def unusable(why: Exception) -> SettingsError:
    """The client library refuses the options."""
    return SettingsError(f"the engine's options cannot be used: {why}; check RANKSIDE_ENGINE__…")


def rejected(status: int, body: Any) -> EngineRejected:
    """The engine's error answer as ours: its type and its reason in one sentence."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return EngineRejected(f"the engine answered HTTP {status}: {error or body}", status=status)
    kind = str(error.get("type", ""))
    cause = error
    # The root cause says which field or clause; the outer reason is often "all shards failed".
    if error.get("root_cause"):
        cause = error["root_cause"][0]
    reason = cause.get("reason") or error.get("reason")
    message = f"the engine answered HTTP {status} ({cause.get('type', kind)}): {reason}"
    return EngineRejected(message, status=status, kind=kind)


async def local_node(engine: Engine, part: str = "") -> Mapping[str, Any]:
    """The node that answers: its version and how it was built.

    Managed clusters may keep the node API to themselves; `GET /` then says as much, less plugins.
    """
    try:
        answer = await engine.request("GET", f"/_nodes/_local{part}")
    except EngineRejected as error:
        if error.status in {401, *RETRIED}:
            raise
        answer = await engine.request("GET", "/")
    node = _described(answer) if isinstance(answer, Mapping) else None
    if not isinstance(node, Mapping) or not node.get("version"):
        raise unreachable(engine.url, "what answers is neither OpenSearch nor Elasticsearch")
    return node


def _described(answer: Mapping[str, Any]) -> Any:
    """The first of a list of nodes, or `GET /` in the same form."""
    nodes, version = answer.get("nodes"), answer.get("version")
    if isinstance(nodes, Mapping) and nodes:
        return next(iter(nodes.values()))
    return {**version, "version": version.get("number")} if isinstance(version, Mapping) else None
