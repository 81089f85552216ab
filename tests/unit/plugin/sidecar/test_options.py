from __future__ import annotations

import pytest
from pydantic import ValidationError

from plugin.sidecar.options import SidecarOptions


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", 70_000),
        ("max_hits", 0),
        ("queue_tokens", 1),
        ("batch_wait", 5),
        ("timeout", 0),
        ("log_level", "loud"),
        ("strategy", "magic"),
        ("typo", 1),
    ],
)
def test_wrong_values_are_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        SidecarOptions.model_validate({key: value})
    assert caught.value.errors()[0]["loc"] == (key,)


def test_every_option_is_described() -> None:
    assert all(field.description for field in SidecarOptions.model_fields.values())
