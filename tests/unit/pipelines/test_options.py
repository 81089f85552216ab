from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.options import EnginePath, Part, PipelineOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Upper"},
        {"name": ""},
        {"index_patterns": ()},
        {"index_patterns": ("a b",)},
        {"text_fields": ()},
        {"text_fields": ("a*",)},
        {"shards": 0},
        {"replicas": -1},
        {"batch_size": 0},
        {"engine_sidecar": "sidecar:8080"},
        {"on_embed_failure": "ignore"},
        {"path": "ml"},
        {"auth": "No Name"},
        {"unknown": 1},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PipelineOptions.model_validate(wrong)


@pytest.mark.parametrize(
    "same", [{"vector_field": "text"}, {"hash_field": "title"}, {"hash_field": "rankside_vector"}]
)
def test_one_field_cannot_be_two_things(same: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="must be different fields"):
        PipelineOptions.model_validate(same)


def test_the_template_alone_is_asked_for_unless_the_engine_is_to_call_the_sidecar() -> None:
    assert PipelineOptions().path.parts == (Part.TEMPLATE,)
    assert set(EnginePath.STOCK.parts) == set(Part)
    assert set(EnginePath.PLUGIN.parts) == set(Part) - {Part.CLUSTER}
