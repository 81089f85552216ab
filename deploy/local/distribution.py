"""Distributions: what Maven brought, laid out as the engine wants it, made once and then shared."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from deploy.local.launch import Layout
from deploy.local.maven import resolve
from deploy.local.places import engine_home, made_once
from deploy.local.recipe import EngineName, Recipe
from deploy.local.toolchain import Jdk, find_maven

# (what is being done now, share of the whole `up` done so far: 0 to 1)
Progress = Callable[[str, float], None]
Files = Mapping[str, Sequence[Path]]

_DOWNLOADED = 0.6
_LAID_OUT = 0.7


def silent(step: str, done: float) -> None:
    """A `Progress` that shows nothing."""


class Engine(Protocol):
    """One engine: how it is laid out on disk, configured and launched."""

    @property
    def recipe(self) -> Recipe:
        """What its distribution is made of."""

    @property
    def default_heap(self) -> str:
        """Enough for tests and the demo, like ``1g``."""

    @property
    def settings(self) -> Mapping[str, object]:
        """The part of its configuration file that is the same on every node."""

    def prepare(self) -> None:
        """Look for what the machine must bring, before anything is fetched."""

    def finish(self, home: Path, jdk: Jdk, /) -> None:
        """Add to ``home`` what is neither a folder of jars, nor a module, nor a plugin zip."""

    def install(self, home: Path, jdk: Jdk, zipped: Path, /) -> None:
        """Install a plugin's zip into the distribution at ``home``.

        Raises:
            LocalEngineError: the engine would not have it.
        """

    def standard_input(self, distribution: Distribution, node: Layout, /) -> Path | None:
        """A file the process reads at its start, if the engine wants one."""

    def write_secrets(
        self, distribution: Distribution, node: Layout, secrets: Mapping[str, str], /
    ) -> None:
        """Give the node these entries of the engine's keystore, and no others.

        Raises:
            LocalEngineError: the keystore could not be written.
            SettingsError: an entry cannot be one, or this engine has no keystore here.
        """

    def command(self, distribution: Distribution, node: Layout, heap: str) -> list[str]:
        """The command line of the process."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """An assembled engine on disk: read-only, shared by every node started from it.

    ``plugin`` names the plugin that was installed into it, as `variant.PluginZip.label` does.
    """

    engine: Engine
    home: Path
    jdk: Jdk
    plugin: str | None = None

    @property
    def name(self) -> EngineName:
        """Which engine it is."""
        return self.engine.recipe.engine

    @property
    def version(self) -> str:
        """The engine's version."""
        return self.engine.recipe.version


def assemble(engine: Engine, root: Path, jdk: Jdk, *, progress: Progress = silent) -> Distribution:
    """The distribution of this engine's recipe, made now if ``root`` does not hold it yet.

    Raises:
        LocalEngineError: something is missing on the machine, or Maven failed.
    """
    home = engine_home(root, engine.recipe.label())
    made_once(root, home, lambda work: _build(engine, work, jdk, progress))
    return Distribution(engine, home, jdk)


def _build(engine: Engine, work: Path, jdk: Jdk, progress: Progress) -> Path:
    engine.prepare()
    files = _fetch(engine.recipe, work / "maven", find_maven(), jdk, progress)
    progress("laying out the distribution", _DOWNLOADED)
    _lay_out(engine, work / "home", files, jdk)
    progress("laid out the distribution", _LAID_OUT)
    return work / "home"


def _fetch(recipe: Recipe, work: Path, maven: Path, jdk: Jdk, progress: Progress) -> Files:
    label = f"fetching {recipe.engine} {recipe.version} from Maven Central"

    def written(count: int) -> None:
        megabytes = count / 1e6
        done = min(megabytes / recipe.download_mb, 1.0) * _DOWNLOADED
        progress(f"{label}: {megabytes:.0f} MB", done)

    progress(label, 0.0)
    return resolve(recipe.groups(), work, maven=maven, java_home=jdk.home, written=written)


def _lay_out(engine: Engine, home: Path, files: Files, jdk: Jdk) -> None:
    recipe = engine.recipe
    for folder, _ in recipe.folders:
        copy(files[folder], home / folder)
    for module in recipe.modules:
        name = f"modules/{module.name}"
        inherited = [
            home / "lib",
            *(home / "modules" / parent for parent in module.extends),
        ]
        copy(without(files[name], inherited, recipe.skipped), home / name)
    for zipped in files.get("plugins", ()):
        unpack_plugin(zipped, home / "plugins", recipe.skipped)
    for expected in ("bin", "modules", "plugins", "extensions"):
        (home / expected).mkdir(exist_ok=True)  # the engines make them at start, but may not here
    engine.finish(home, jdk)
    open_to_all(home)


def copy(files: Sequence[Path], folder: Path) -> None:
    """Copy these files into ``folder``, under their own names."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def without(files: Sequence[Path], inherited: Sequence[Path], skipped: Sequence[str]) -> list[Path]:
    """These files less those a class loader above has already (the engines call that jar hell)."""
    present = {path.name for folder in inherited for path in folder.glob("*.jar")}
    return [
        file
        for file in files
        if file.name not in present and not any(fnmatch(file.name, glob) for glob in skipped)
    ]


def unpack_plugin(zipped: Path, plugins: Path, skipped: Sequence[str]) -> Path:
    """Unpack a plugin into the folder its descriptor names, less the skipped files."""
    name = read_descriptor(zipped)["name"]
    with zipfile.ZipFile(zipped) as archive:
        wanted = [
            member
            for member in archive.namelist()
            if not any(fnmatch(Path(member).name, glob) for glob in skipped)
        ]
        archive.extractall(plugins / name, wanted)
    return plugins / name


def read_descriptor(zipped: Path) -> dict[str, str]:
    """The fields of a plugin's ``plugin-descriptor.properties``."""
    with zipfile.ZipFile(zipped) as archive:
        descriptor = archive.read("plugin-descriptor.properties").decode("utf-8")
    pairs = (line.split("=", 1) for line in descriptor.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def open_to_all(home: Path) -> None:
    """Let every user read it: the engine's is not the one whose umask made these files."""
    for folder, _, names in os.walk(home):
        Path(folder).chmod(0o755)
        for name in names:
            (Path(folder) / name).chmod(0o644)
