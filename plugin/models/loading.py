"""Loading a sentence-transformers model from a package, a folder or the hub."""

from __future__ import annotations

import hashlib
import importlib.resources
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling as PoolingModule
from sentence_transformers.sentence_transformer.modules import Transformer
from transformers.utils.hub import cached_file, extract_commit_hash

from plugin.models.files import FAILURES, brief, no_progress_bars
from plugin.models.hardware import Placement
from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.profile import ModelProfile, Pooling

_MODES = {Pooling.LAST_TOKEN: "lasttoken", Pooling.MEAN: "mean", Pooling.CLS: "cls"}
_PACKAGED = "model"  # the folder inside the package that holds the files


def load_model(
    profile: ModelProfile,
    placement: Placement,
    *,
    path: Path | None = None,
    shipped_modules: bool = False,
    offline: bool = False,
) -> SentenceTransformer:
    """Load the model of ``profile`` from ``path``, or else its package, or else the hub.

    Modules are built from the profile. With ``shipped_modules``, a folder that has a
    ``modules.json`` is loaded as it ships, and must pool as the profile says. Vectors come out
    unnormalised where no shipped module normalises: that is the encoder's part. Code from the hub
    is never run.

    Raises:
        ModelUnavailable: the files are missing, changed or unreadable, or contradict the profile.
    """
    folder = path or package_folder(profile)
    if folder is not None:
        _verify(profile, folder)
    location = str(folder or profile.location)
    as_shipped = folder is not None and shipped_modules and (folder / "modules.json").is_file()
    try:
        if folder is None:
            model = _built(profile, location, placement, offline=offline)
        else:
            with no_progress_bars():
                model = (
                    _shipped(location, placement)
                    if as_shipped
                    else _built(profile, location, placement, offline=True)
                )
    except FAILURES as error:
        raise _unloadable(profile, location, error) from error
    _check(profile, model)
    return model


def hub_commit(profile: ModelProfile, *, offline: bool = False) -> str:
    """The commit that the hub, or offline its cache, has of an unpinned model; "" if untold.

    Raises:
        ModelUnavailable: the hub cannot be reached and its cache has no such model.
    """
    try:
        file = cached_file(profile.location, "config.json", local_files_only=offline)
    except FAILURES as error:
        raise _unloadable(profile, profile.location, error) from error
    return extract_commit_hash(file, None) or ""


def _shipped(location: str, placement: Placement) -> SentenceTransformer:
    return SentenceTransformer(
        location,
        device=placement.device,
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"dtype": placement.torch_dtype},
    )


def _built(
    profile: ModelProfile, location: str, placement: Placement, *, offline: bool
) -> SentenceTransformer:
    """The model with the modules that the profile states; lengths are the encoder's to set."""
    origin: dict[str, Any] = {"local_files_only": offline, "trust_remote_code": False}
    if profile.revision and profile.package is None:
        origin["revision"] = profile.revision
    transformer = Transformer(
        location,
        model_kwargs={**origin, "dtype": placement.torch_dtype},
        processor_kwargs=dict(origin),
        config_kwargs=dict(origin),
    )
    pooling = PoolingModule(transformer.get_embedding_dimension(), _MODES[profile.pooling])
    return SentenceTransformer(modules=[transformer, pooling], device=placement.device)


def _unloadable(profile: ModelProfile, location: str, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        f"model {profile.name} cannot be loaded from {location} ({brief(error)}); check the "
        "path, or download it where the hub is reachable and set model.path"
    )


def package_folder(profile: ModelProfile) -> Path | None:
    """Where the package of ``profile`` has the model's files; None where it has no package.

    Raises:
        ModelUnavailable: the package is not installed.
    """
    if profile.package is None:
        return None
    try:
        return Path(str(importlib.resources.files(profile.package) / _PACKAGED))
    except ModuleNotFoundError as error:
        name = profile.package.replace("_", "-")
        raise ModelUnavailable(
            f"package {name} with model {profile.name} is not installed; run `pip install {name}`"
        ) from error


def _verify(profile: ModelProfile, folder: Path) -> None:
    """Compare the files' digests with the profile's."""
    for name, digest in profile.sha256:
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelUnavailable(
                f"{folder / name} of model {profile.name} cannot be read; install it again"
            ) from error
        if found != digest:
            raise ModelUnavailable(
                f"{folder / name} is not the file model {profile.name} was registered with (sha256 "
                f"{found}, expected {digest}); install it again"
            )


def _check(profile: ModelProfile, model: SentenceTransformer) -> None:
    dimensions = model.get_embedding_dimension()
    if dimensions != profile.dimensions:
        raise ModelUnavailable(
            f"model {profile.name} gives {dimensions} dimensions and its profile says "
            f"{profile.dimensions}; correct the profile"
        )
    modes = [module.pooling_mode for module in model if isinstance(module, PoolingModule)]
    if modes != [_MODES[profile.pooling]]:
        raise ModelUnavailable(
            f"model {profile.name} pools by {modes} and its profile says "
            f"{_MODES[profile.pooling]}; correct the profile"
        )
    positions = getattr(model[0].config, "max_position_embeddings", None)
    if positions is not None and profile.max_tokens > positions:
        raise ModelUnavailable(
            f"model {profile.name} has {positions} positions and its profile says "
            f"{profile.max_tokens}; lower model.max_tokens"
        )
