"""From settings to an encoder."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from plugin.models import registry
from plugin.models.adapter import read_manifest
from plugin.models.base_options import AUTO
from plugin.models.encoder import Encoder
from plugin.models.options import ModelOptions
from plugin.models.remote import RemoteEncoder
from plugin.ranking.errors import SettingsError
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import Tokenizer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from plugin.models.hardware import Placement

_log = logging.getLogger(__name__)


def profile_for(options: ModelOptions) -> ModelProfile:
    """The profile that ``options`` name or describe, with all that they say of it.

    Raises:
        SettingsError: the name is not in the registry, its model has no revisions, or the adapter's
            folder has no manifest.
    """
    if options.profile is not None:
        location = str(options.path or options.name)
        profile = options.profile.to_profile(options.name, location=location)
    else:
        name = _default_name() if options.name == AUTO else options.name
        profile = registry.get(name)
    if options.revision:
        if profile.package is not None and options.path is None:
            raise SettingsError(
                f"model.revision is {options.revision!r} and {profile.name} comes from a package; "
                "unset it"
            )
        profile = replace(profile, revision=options.revision)
    if options.max_tokens is not None:
        profile = replace(profile, max_tokens=min(profile.max_tokens, options.max_tokens))
    if options.listwise_adapter is not None:
        profile = read_manifest(options.listwise_adapter).applied(profile)
    return replace(
        profile,
        prompt_hits=options.prompt_hits or profile.prompt_hits,
        rocchio_hits=options.rocchio_hits or profile.rocchio_hits,
        fusion=options.fusion.to_weights() if options.fusion else profile.fusion,
    )


def follows_hub(options: ModelOptions) -> bool:
    """Whether the model is whatever its hub has at the time, as nothing pins its commit.

    Raises SettingsError as ``profile_for`` does.
    """
    profile = profile_for(options)
    elsewhere = options.path or options.url or profile.package
    return not profile.revision and elsewhere is None


def pinned(options: ModelOptions) -> ModelOptions:
    """``options`` with the commit that the hub has now, where nothing pins another.

    What is loaded by them is of that commit, and so the fingerprint covers it. Says in the log
    how to stay with it.

    Raises:
        SettingsError: as ``load_encoder``.
        ModelUnavailable: the hub cannot be reached and its cache has no such model.
    """
    if not follows_hub(options):
        return options
    try:
        from plugin.models.loading import hub_commit
    except ModuleNotFoundError as error:
        raise _extra_lacking(error) from error
    profile = profile_for(options)
    commit = hub_commit(profile, offline=options.offline)
    if not commit:
        _log.warning(
            "%s has no commit that its fingerprint could cover; set model.revision", profile.name
        )
        return options
    _log.warning(
        "%s is loaded as the hub has it, and stored vectors go out of use when that changes; set "
        "model.revision to %s to stay with it",
        profile.name,
        commit,
    )
    return options.model_copy(update={"name": profile.name, "revision": commit})


def load_encoder(options: ModelOptions) -> Encoder:
    """The encoder of the settings: remote where a url is set, else in this process.

    A hub model that nothing pins is loaded, and known, by the commit the hub has now.

    Raises:
        SettingsError: the name is not in the registry, the device is not there, the extra `models`
            is not installed, or the adapter is for other vectors.
        ModelUnavailable: the model or its adapter cannot be loaded.
    """
    options = pinned(options)
    profile = profile_for(options)
    if options.url is not None:
        return RemoteEncoder(profile, options, tokenizer=_tokenizer(options))
    try:
        from plugin.models.hardware import place
        from plugin.models.sentence_transformer import SentenceTransformerEncoder
    except ModuleNotFoundError as error:
        raise _extra_lacking(error) from error
    placement = place(options.device, options.dtype, half_precision=profile.half_precision)
    tower = _tower(options, profile, placement)
    model = load_modules(options, profile, placement)
    _log.info("loaded %s: %s", profile.name, placement.reason)
    return SentenceTransformerEncoder(
        profile, model, listwise=tower, batch_tokens=options.batch_tokens
    )


def load_modules(
    options: ModelOptions, profile: ModelProfile, placement: Placement
) -> SentenceTransformer:
    """The model's modules in this process, as ``options`` say where its files are.

    Raises:
        ModelUnavailable: the model cannot be loaded.
    """
    from plugin.models.loading import load_model

    return load_model(
        profile,
        placement,
        path=options.path,
        shipped_modules=options.profile is not None,
        offline=options.offline,
    )


def _tower(
    options: ModelOptions, profile: ModelProfile, placement: Placement
) -> SentenceTransformer | None:
    """The model that listwise prompts go through, where there is an adapter."""
    if options.listwise_adapter is None:
        return None
    from plugin.models.tower import with_adapter

    manifest = read_manifest(options.listwise_adapter)
    manifest.check(profile, options.listwise_adapter)
    model = load_modules(options, profile, placement)
    return with_adapter(model, options.listwise_adapter, manifest)


def _extra_lacking(error: ModuleNotFoundError) -> SettingsError:
    return SettingsError(
        f"{error.name} is not installed; install rankside[models], or set model.url"
    )


def _tokenizer(options: ModelOptions) -> Tokenizer | None:
    """The tokenizer of the folder beside a remote model; None where there is no folder."""
    if options.path is None:
        return None
    try:
        from plugin.models.tokenizer import load_tokenizer
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[models], or unset model.path"
        ) from error
    return load_tokenizer(options.path)


def _default_name() -> str:
    """The registry's default for this machine; without torch there is no GPU to use either."""
    try:
        from plugin.models.hardware import capabilities
    except ModuleNotFoundError:
        return registry.DEFAULT_WITHOUT_CUDA
    found = capabilities().cuda_devices
    return registry.DEFAULT_WITH_CUDA if found else registry.DEFAULT_WITHOUT_CUDA
