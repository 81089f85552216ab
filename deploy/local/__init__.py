"""Real OpenSearch and Elasticsearch nodes on this machine, assembled from Maven Central.

`up` gives a running node, whatever has to be fetched or started for it; the demo, the integration
tests and `rankside engine` all use it. Linux only, for development and tests: no TLS, no users.
"""

from __future__ import annotations

from deploy.local.distribution import Distribution, Progress, assemble
from deploy.local.node import Node, RunningNode
from deploy.local.plugin import build_plugin
from deploy.local.recipe import EngineName
from deploy.local.service import ENGINES, down, status, up

__all__ = [
    "ENGINES",
    "Distribution",
    "EngineName",
    "Node",
    "Progress",
    "RunningNode",
    "assemble",
    "build_plugin",
    "down",
    "status",
    "up",
]
