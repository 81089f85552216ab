"""A prompt's template: a file of this package, read once when it is first used.

Templates are constants that happen to be kept in files, so that each version can be read, compared
and kept as it was.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from plugin.ranking.errors import SettingsError

_SUFFIX = ".toml"
DEFAULT_TEMPLATE = "insertrank-1"


@dataclass(frozen=True, slots=True)
class Template:
    """The pieces of InsertRank's prompt, with the fields that ``str.format`` fills.

    ``system`` is the system turn, followed by ``score_note`` where scores are shown. ``passage``
    has {identifier}, {label} and {text}; ``label`` has {score}; ``user`` has {passages},
    {instruction} (empty, or ``instruction`` filled) and {task}. A task has {count}, {example} and
    {query}.
    """

    name: str
    system: str
    score_note: str
    label: str
    passage: str
    user: str
    instruction: str
    permutation: str
    first_token: str


def template_names() -> tuple[str, ...]:
    """Every template there is, oldest first."""
    files = (file.name for file in resources.files(_folder()).iterdir())
    names = (name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX))
    return tuple(sorted(names, key=lambda name: (len(name), name)))


def template_text(name: str) -> str:
    """The file of the template ``name``.

    Raises:
        SettingsError: there is no such template.
    """
    if name not in template_names():
        raise SettingsError(
            f"there is no template {name!r}; llm.template is one of {', '.join(template_names())}"
        )
    return resources.files(_folder()).joinpath(name + _SUFFIX).read_text("utf-8")


@cache
def load_template(name: str = DEFAULT_TEMPLATE) -> Template:
    """The template ``name``; raises SettingsError where there is none."""
    pieces = tomllib.loads(template_text(name))
    return Template(name=name, **pieces.pop("task"), **pieces)


def _folder() -> str:
    return f"{__package__}.templates"
