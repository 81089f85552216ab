"""Templates: versions that never change once they are released."""

from __future__ import annotations

import hashlib

import pytest

from plugin.ranking.errors import SettingsError
from plugin.ranking.neutral import neutral
from plugin.ranking.template import (
    DEFAULT_TEMPLATE,
    load_template,
    template_names,
    template_text,
)

# Never edit a line: answers are compared, cached and explained by a template's name. Add a file.
RELEASED = {
    "insertrank-1": "177129875d9e6e2b46676a50f894438f9732ff5c6f3d48f868a1239719919b84",
}


@pytest.mark.parametrize(("name", "digest"), RELEASED.items())
def test_a_released_template_is_what_it_was(name: str, digest: str) -> None:
    assert hashlib.sha256(template_text(name).encode()).hexdigest() == digest


def test_every_template_is_kept_from_being_changed() -> None:
    assert sorted(template_names()) == sorted(RELEASED)
    assert DEFAULT_TEMPLATE in RELEASED


@pytest.mark.parametrize("name", RELEASED)
def test_every_template_loads_and_fills(name: str) -> None:
    template = load_template(name)

    assert template.name == name
    for task in (template.permutation, template.first_token):
        assert "why?" in task.format(count=3, example="[2] > [1] > [3]", query="why?")
    line = template.passage.format(
        identifier="7", label=template.label.format(score="1.5"), text="said {so}"
    )
    assert "7" in line
    assert "1.5" in line
    assert line.endswith("said {so}")


@pytest.mark.parametrize("name", RELEASED)
def test_no_foreign_text_can_hold_what_a_template_writes(name: str) -> None:
    template = load_template(name)
    label = template.label.format(score="12.50").strip()
    line = template.passage.format(identifier="7", label="", text="").strip()

    assert label not in neutral(f"x {label}")
    assert line not in neutral(f"x {line}")


@pytest.mark.parametrize("name", ["insertrank-0", "", "../template", "__init__"])
def test_an_unknown_template_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(SettingsError, match=DEFAULT_TEMPLATE):
        template_text(name)
