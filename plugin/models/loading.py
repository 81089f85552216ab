"""Loading a sentence-transformers model from a package, a folder or the hub."""

from __future__ import annotations

import hashlib
import importlib.resources
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling as PoolingModule
from sentence_transformers.sentence_transformer.modules import Transformer
from torch import nn

from plugin.models.hardware import Placement
from plugin.ranking.errors import ModelUnavailable
from plugin.ranking.profile import ModelProfile, Pooling

_MODES = {Pooling.LAST_TOKEN: "lasttoken", Pooling.MEAN: "mean", Pooling.CLS: "cls"}
_PACKAGED = "model"  # the folder inside the package that holds the files
_FAILURES = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError)


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
    ``modules.json`` is loaded as it ships, and must pool as the profile says. Code from the hub is
    never run.

    Raises:
        ModelUnavailable: the files are missing, changed or unreadable, or contradict the profile.
    """
    folder = path or _package_folder(profile)
    if folder is not None:
        _verify(profile, folder)
    location = str(folder or profile.location)
    try:
        if folder is not None and shipped_modules and (folder / "modules.json").is_file():
            model = SentenceTransformer(
                location,
                device=placement.device,
                local_files_only=True,
                model_kwargs={"dtype": placement.torch_dtype},
            )
        else:
            modules = _modules(profile, location, placement, offline=offline or folder is not None)
            model = SentenceTransformer(modules=modules, device=placement.device)
    except _FAILURES as error:
        raise ModelUnavailable(
            f"model {profile.name} cannot be loaded from {location} ({error}); check the path, or "
            "download it where the hub is reachable and set model.path"
        ) from error
    _check(profile, model)
    return model


def _modules(
    profile: ModelProfile, location: str, placement: Placement, *, offline: bool
) -> list[nn.Module]:
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
    return [transformer, pooling]


def _package_folder(profile: ModelProfile) -> Path | None:
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
