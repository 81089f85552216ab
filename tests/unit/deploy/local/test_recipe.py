from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deploy.local import ENGINES
from deploy.local.recipe import Artifact, Module, Recipe

RECIPE = Recipe(
    engine="opensearch",
    version="1",
    java=21,
    folders=(("lib", (Artifact("g", "server", "1"),)),),
    modules=(Module("painless", Artifact("g", "lang-painless", "1")),),
    plugins=(Artifact("g", "knn", "1", type="zip", transitive=False),),
)


def test_the_same_recipe_has_the_same_label() -> None:
    assert replace(RECIPE).label() == RECIPE.label()
    assert RECIPE.label().startswith("opensearch-1-")


@pytest.mark.parametrize(
    "changed",
    [
        {"folders": (("lib", (Artifact("g", "server", "2"),)),)},
        {"modules": (Module("painless", Artifact("g", "lang-painless", "1"), policy="grant {};"),)},
        {"plugins": ()},
        {"skipped": ("*.so",)},
        {"sources": "other Java files"},
    ],
)
def test_another_distribution_has_another_label(changed: dict[str, Any]) -> None:
    assert replace(RECIPE, **changed).label() != RECIPE.label()


def test_every_artifact_is_in_one_group_and_the_large_plugins_come_first() -> None:
    groups = RECIPE.groups()
    assert list(groups) == ["plugins", "lib", "modules/painless"]
    assert [artifact.name for group in groups.values() for artifact in group] == [
        "knn",
        "server",
        "lang-painless",
    ]


@pytest.mark.parametrize("name", ENGINES)
def test_real_recipes_pin_every_version_and_extend_only_earlier_modules(name: str) -> None:
    recipe = ENGINES[name].recipe
    assert recipe.engine == name
    assert all(a.version[0].isdigit() for group in recipe.groups().values() for a in group)
    names = [module.name for module in recipe.modules]
    for position, module in enumerate(recipe.modules):
        assert set(module.extends) <= set(names[:position])
