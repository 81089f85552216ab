"""What an engine should hold, from settings, sidecar and registry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connectors.engine import Engine, EngineKind
from connectors.meta import IndexMeta
from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from pipelines.bodies import SidecarTarget
from pipelines.capabilities import has_inference, has_ml_commons
from pipelines.catalogue import (
    catalogue,
    check_parts,
    has_ingest_pipeline,
    ingest_name,
    query_name,
    search_name,
)
from pipelines.cluster import settings_for
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.resources import Resource
from plugin.ranking.errors import SettingsError
from plugin.ranking.profile import fingerprint
from rankside.access import override
from rankside.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model as typed; without a name the sidecar says what it runs."""

    name: str | None = None
    dimensions: int | None = None
    fingerprint: str | None = None


async def wanted(
    settings: Settings, engine: Engine, parts: Collection[Part], choice: ModelChoice
) -> tuple[Resource, ...]:
    """The resources of ``parts`` on ``engine``; the cluster's settings first.

    Raises:
        SettingsError: the model is unknown, or cannot be indexed there.
        UsageError: the path has no such part, or does not exist on this engine.
        SidecarError: no model is named and the sidecar cannot be asked.
        EngineError: the engine cannot be asked.
    """
    options = settings.pipelines
    check_parts(options.path, parts)
    meta = await index_meta(settings, choice)
    # `--only template` must not cut new indices off from a pipeline applied before.
    attached = Part.INGEST in parts or (
        options.path is not EnginePath.CLIENT and await has_ingest_pipeline(engine, options)
    )
    target = sidecar_target(options, settings.client, meta.model)
    made = catalogue(engine.kind, meta, options, target, parts, attached=attached)
    cluster = Part.CLUSTER in parts and engine.kind is EngineKind.OPENSEARCH
    models = (ingest_name(options), search_name(options), query_name(options))
    first = await settings_for(engine, target, models) if cluster else []
    return (*first, *made)


async def removable(
    engine: Engine, options: PipelineOptions, parts: Collection[Part]
) -> tuple[Resource, ...]:
    """The resources of ``parts`` that the engine can have, by name; their bodies mean nothing.

    Those of every path, as a cluster may have gone from one to another.
    """
    # Not what a licence allows: where it has run out, what was made can still go.
    asked = has_inference if engine.kind is EngineKind.ELASTICSEARCH else has_ml_commons
    # The plugin's pipelines have the same names, and nothing behind them.
    path = EnginePath.STOCK if await asked(engine) else EnginePath.PLUGIN
    possible = [part for part in parts if part is not Part.CLUSTER]
    meta = IndexMeta(fingerprint="", model="", dimensions=1)
    target = SidecarTarget("http://unused", "")
    chosen = options.model_copy(update={"path": path})
    return catalogue(engine.kind, meta, chosen, target, possible)


async def index_meta(settings: Settings, choice: ModelChoice) -> IndexMeta:
    """What an index for the chosen model says of itself.

    Raises:
        SettingsError: the model is unknown, or what is typed contradicts it.
        SidecarError: no model is named and the sidecar cannot be asked.
    """
    fields = settings.pipelines
    name, revision, dimensions, print_ = await _model(settings, choice)
    return IndexMeta(
        fingerprint=print_,
        model=name,
        revision=revision,
        dimensions=dimensions,
        vector_field=fields.vector_field,
        hash_field=fields.hash_field,
        text_fields=fields.text_fields,
    )


def sidecar_target(
    options: PipelineOptions, client: SidecarClientOptions, model: str
) -> SidecarTarget:
    """The sidecar as the engine's nodes are to call it."""
    key = client.api_key.get_secret_value() if client.api_key else None
    return SidecarTarget(options.engine_sidecar or client.url, model, key)


async def _model(settings: Settings, choice: ModelChoice) -> tuple[str, str, int, str]:
    """Name, revision, dimensions, fingerprint."""
    if choice.name is None:
        return await _served(settings.client, choice)
    if choice.fingerprint is not None:
        if choice.dimensions is None:
            raise SettingsError("--fingerprint needs --dimensions, the length of its vectors")
        return choice.name, "", choice.dimensions, choice.fingerprint
    return _registered(settings, choice.name, choice.dimensions)


async def _served(client: SidecarClientOptions, choice: ModelChoice) -> tuple[str, str, int, str]:
    async with SidecarClient(client) as sidecar:
        card = await sidecar.model()
    for option, typed, served in (
        ("--dimensions", choice.dimensions, card.dimensions),
        ("--fingerprint", choice.fingerprint, card.fingerprint),
    ):
        if typed is not None and typed != served:
            raise SettingsError(
                f"{option} {typed} is not what the sidecar serves ({card.id}: {served}); leave it "
                "out, or name another model with --model"
            )
    return card.id, card.revision, card.dimensions, card.fingerprint


def _registered(settings: Settings, name: str, dimensions: int | None) -> tuple[str, str, int, str]:
    from plugin.models.load import follows_hub, profile_for

    model = override(settings.model, "model", name=name)
    if follows_hub(model):
        raise SettingsError(
            f"vectors of {name} are known by the commit of its hub, and none is set; leave --model "
            "out to ask the sidecar, or set model.revision"
        )
    profile = profile_for(model)
    length = dimensions or profile.dimensions
    if length not in {profile.dimensions, *profile.matryoshka}:
        sizes = ", ".join(map(str, sorted({profile.dimensions, *profile.matryoshka})))
        raise SettingsError(f"{name} has vectors of {sizes} dimensions, not {length}")
    return name, profile.revision, length, fingerprint(profile, length)
