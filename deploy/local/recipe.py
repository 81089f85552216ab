"""What a node is made of, as frozen data: artifacts of Maven Central, and where each one goes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

EngineName = Literal["opensearch", "elasticsearch"]

# Raise it whenever the code that lays a distribution out changes: it is part of the recipe's hash,
# so a distribution of the old layout in somebody's cache is left alone and a new one is made.
LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact by its Maven coordinates; ``transitive`` brings its runtime dependencies."""

    group: str
    name: str
    version: str
    type: str = "jar"
    transitive: bool = True


@dataclass(frozen=True, slots=True)
class Module:
    """One folder under ``modules/``.

    ``classname`` and ``extends`` go into the plugin descriptor where the jar brings none;
    ``policy`` into its ``plugin-security.policy``.
    """

    name: str
    artifact: Artifact
    classname: str = ""
    extends: tuple[str, ...] = ()
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what a distribution is.

    ``folders`` are plain folders of jars under the home, ``plugins`` are zips that bring their own
    descriptor, ``skipped`` are file name patterns left out. ``java`` is the lowest Java version,
    ``download_mb`` what an empty Maven cache has to fetch (it only scales the progress bar) and
    ``sources`` the digest of the project's own Java files compiled into it.
    """

    engine: EngineName
    version: str
    java: int
    folders: tuple[tuple[str, tuple[Artifact, ...]], ...]
    modules: tuple[Module, ...]
    plugins: tuple[Artifact, ...] = ()
    skipped: tuple[str, ...] = ()
    download_mb: int = 100
    sources: str = ""

    def digest(self) -> str:
        """Ten hex digits that change whenever the distribution would."""
        return hashlib.sha256(f"{LAYOUT}{self!r}".encode()).hexdigest()[:10]

    def label(self) -> str:
        """The name of the distribution's folder: ``<engine>-<version>-<digest>``."""
        return f"{self.engine}-{self.version}-{self.digest()}"

    def groups(self) -> dict[str, tuple[Artifact, ...]]:
        """The sets of artifacts to resolve, each on its own so that each keeps its own versions."""
        # The plugins first: one of them is most of the download, and Maven works in two threads.
        found = {"plugins": self.plugins} if self.plugins else {}
        found |= dict(self.folders)
        return found | {f"modules/{module.name}": (module.artifact,) for module in self.modules}
