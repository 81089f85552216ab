"""Every body as it is sent, beside this file: a change of one is seen in review.

Write them again with ``RANKSIDE_WRITE_GOLDEN=1``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from connectors.engine import EngineKind
from connectors.meta import IndexMeta
from pipelines.bodies import SidecarTarget
from pipelines.catalogue import catalogue
from pipelines.options import EnginePath, PipelineOptions
from pipelines.resources import key

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("keyed", [False, True], ids=["open", "keyed"])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (EngineKind.OPENSEARCH, EnginePath.STOCK),
        (EngineKind.OPENSEARCH, EnginePath.PLUGIN),
        (EngineKind.ELASTICSEARCH, EnginePath.STOCK),
        (EngineKind.ELASTICSEARCH, EnginePath.PLUGIN),
    ],
)
def test_the_bodies_are_those_of_the_golden_file(
    kind: EngineKind, path: EnginePath, meta: IndexMeta, target: SidecarTarget, *, keyed: bool
) -> None:
    options = PipelineOptions(path=path, replicas=1, auth="sidecar" if keyed else None)
    called = SidecarTarget(target.url, target.model, "the-key") if keyed else target
    made = {key(resource): resource.desired for resource in catalogue(kind, meta, options, called)}
    file = GOLDEN / f"{kind}-{path}-{'keyed' if keyed else 'open'}.json"
    if os.environ.get("RANKSIDE_WRITE_GOLDEN"):
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8")) == made
