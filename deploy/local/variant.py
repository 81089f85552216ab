"""A distribution with a plugin installed into it, beside the one without.

Its files are hard links to those of the plain distribution, so that it costs nothing but the
plugin, and no node gets a plugin it did not ask for.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from deploy.local.distribution import (
    Distribution,
    Progress,
    read_descriptor,
    silent,
)
from deploy.local.places import made_once
from plugin.ranking.errors import SettingsError

_INSTALLED = 0.7


@dataclass(frozen=True, slots=True)
class PluginZip:
    """A plugin's zip; ``label`` is ``<name>-<version>-<digest>``."""

    file: Path
    label: str

    @classmethod
    def read(cls, file: Path) -> Self:
        """The plugin in this file.

        Raises:
            SettingsError: it cannot be read, or is not a plugin's zip.
        """
        try:
            fields = read_descriptor(file)
            label = f"{fields['name']}-{fields['version']}-{_digest(file)}"
        except (OSError, zipfile.BadZipFile, KeyError, UnicodeDecodeError) as err:
            raise SettingsError(
                f"{file} is no plugin's zip: give the one that `mvn package` leaves in"
                " the target folder of the engine's module, or leave its path out to have it built."
            ) from err
        return cls(file, label)


def with_plugin(
    plain: Distribution, plugin: PluginZip, root: Path, *, progress: Progress = silent
) -> Distribution:
    """The distribution with this plugin; made once.

    Raises:
        LocalEngineError: the engine would not have the plugin.
    """
    home = plain.home.with_name(f"{plain.home.name}-{plugin.label}")

    def install(work: Path) -> Path:
        progress(f"installing {plugin.label}", _INSTALLED)
        made = Path(shutil.copytree(plain.home, work / "home", copy_function=_link))
        plain.engine.install(made, plain.jdk, plugin.file)
        return made

    made_once(root, home, install)
    return replace(plain, home=home, plugin=plugin.label)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]
