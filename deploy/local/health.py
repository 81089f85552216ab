"""Is the node ready? Asked of its cluster health API, on the loopback interface."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing

_PATIENCE = 5.0  # seconds


def cluster_health(port: int) -> Mapping[str, object]:
    """The answer of ``GET /_cluster/health``; empty if nothing, or something else, answers."""
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as asked:
            asked.request("GET", "/_cluster/health")
            health = json.loads(asked.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    return health if isinstance(health, dict) else {}


def is_settled(health: Mapping[str, object]) -> bool:
    """Green, or as green as one node gets: every primary is there, and only replicas lack a home.

    A fresh node is green. One with an index that asks for replicas never is.
    """
    if health.get("status") == "green":
        return True
    busy = ("initializing_shards", "relocating_shards", "number_of_pending_tasks")
    return health.get("status") == "yellow" and not any(health.get(key) for key in busy)
