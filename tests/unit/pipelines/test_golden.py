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
from pipelines.options import PipelineOptions
from pipelines.resources import key

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("keyed", [False, True], ids=["open", "keyed"])
@pytest.mark.parametrize("kind", list(EngineKind))
def test_the_bodies_are_those_of_the_golden_file(
    kind: EngineKind, meta: IndexMeta, target: SidecarTarget, *, keyed: bool
) -> None:
    options = PipelineOptions(with_ml=True, replicas=1)
    called = SidecarTarget(target.url, target.model, "the-key") if keyed else target
    made = {key(resource): resource.desired for resource in catalogue(kind, meta, options, called)}
    file = GOLDEN / f"{kind}-{'keyed' if keyed else 'open'}.json"
    if os.environ.get("RANKSIDE_WRITE_GOLDEN"):
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8")) == made
