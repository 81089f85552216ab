"""An engine that answers as it is told, for what real nodes cannot be made to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.engine import BulkOutcome, EngineInfo, EngineKind

Answer = Callable[[str, Mapping[str, Any]], Any]


class FakeEngine:
    """``answer`` is called with the path and the body of every request; it may raise."""

    url = "http://fake"

    def __init__(self, answer: Answer, kind: EngineKind = EngineKind.OPENSEARCH) -> None:
        self.kind = kind
        self.answer = answer
        self.requests: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        del method
        self.requests.append((path, body or {}, params or {}))
        return self.answer(path, body or {})

    async def search(
        self, index: str, body: Mapping[str, Any], *, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        answer: dict[str, Any] = await self.request(
            "POST", f"/{index}/_search", params=params, body=body
        )
        return answer

    async def bulk(self, index: str, operations: Sequence[Mapping[str, Any]]) -> BulkOutcome:
        raise NotImplementedError

    async def info(self) -> EngineInfo:
        return EngineInfo(self.kind, "0", ())

    async def close(self) -> None:
        pass
