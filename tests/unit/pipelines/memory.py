"""An engine in memory, for failures that a real node does not have on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.engine import BulkOutcome, EngineInfo, EngineKind
from plugin.ranking.errors import EngineError, EngineRejected


class MemoryEngine:
    """Keeps what is PUT, as an engine does that normalises nothing; fails where it is told to.

    ``failures`` maps a method and path to the error to raise; ``answers`` gives fixed answers.
    """

    kind = EngineKind.ELASTICSEARCH
    url = "memory"

    def __init__(self) -> None:
        self.version = "9.5.3"
        self.kept: dict[str, Any] = {}
        self.failures: dict[tuple[str, str], EngineError] = {}
        self.answers: dict[tuple[str, str], Any] = {}
        self.calls: list[tuple[str, str]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        self.calls.append((method, path))
        if (method, path) in self.failures:
            raise self.failures[method, path]
        if (method, path) in self.answers:
            return self.answers[method, path]
        if params and "dry_run" in params:
            return {"acknowledged": False, "pipelines": [], "indexes": []}
        if method == "PUT":
            self.kept[path] = body
            return {"acknowledged": True}
        if path.startswith("/_all/_settings/"):
            return {}
        if path not in self.kept:
            raise EngineRejected(f"{path} is not there", status=404)
        if method == "DELETE":
            del self.kept[path]
            return {"acknowledged": True}
        return self._shown(path)

    def _shown(self, path: str) -> Any:
        _, api, *_, name = path.split("/")
        if api == "_index_template":
            return {"index_templates": [{"name": name, "index_template": self.kept[path]}]}
        return {name: self.kept[path]}

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
        return EngineInfo(self.kind, self.version, ())

    async def close(self) -> None:
        """Nothing to give back."""
