"""From options, model and sidecar to the resources an engine should hold, in order of need."""

from __future__ import annotations

from collections.abc import Callable, Collection

from connectors.engine import Engine, EngineKind
from connectors.meta import IndexMeta
from pipelines import bodies
from pipelines.bodies import SidecarTarget
from pipelines.definitions import index_body, index_template
from pipelines.mlcommons import Connector, RemoteModel
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.resources import (
    IndexTemplate,
    InferenceEndpoint,
    IngestPipeline,
    Resource,
    SearchPipeline,
    key,
    ref,
)
from plugin.ranking.errors import UsageError

Maker = Callable[[IndexMeta, PipelineOptions, SidecarTarget], list[Resource]]


def catalogue(
    kind: EngineKind,
    meta: IndexMeta,
    options: PipelineOptions,
    target: SidecarTarget,
    parts: Collection[Part] | None = None,
    *,
    attached: bool | None = None,
) -> tuple[Resource, ...]:
    """The resources of ``parts`` (default: all of the path's), each after what it needs.

    The cluster settings are not among them, since what to write there is known only from what is
    there: see `cluster.settings_for`. ``attached`` says that new indices embed by the ingest
    pipeline; default: where that is among the parts, since an index whose default pipeline is not
    there takes no document.

    Raises:
        SettingsError: the engine cannot index vectors of that length.
        UsageError: the path has no such part, or does not exist on this engine.
    """
    wanted = options.path.parts if parts is None else parts
    embeds = Part.INGEST in wanted if attached is None else attached
    resources: list[Resource] = []
    for part in (Part.INGEST, Part.SEARCH):
        if part in wanted:
            resources += _maker(kind, options.path, part)(meta, options, target)
    if Part.TEMPLATE in wanted:
        resources.append(_template(kind, meta, options, embeds=embeds))
    return tuple(resources)


def check_parts(path: EnginePath, parts: Collection[Part]) -> None:
    """Refuse parts that ``path`` does not have.

    Raises:
        UsageError: there is one.
    """
    foreign = [part for part in parts if part not in path.parts]
    if foreign:
        has = [other for other in EnginePath if foreign[0] in other.parts]
        raise UsageError(
            f"--path {path} has no {foreign[0]} part, only {', '.join(path.parts)}; leave it out, "
            f"or choose --path {' or '.join(has)}"
        )


def ingest_name(options: PipelineOptions) -> str:
    """Name of the ingest pipeline."""
    return f"{options.name}-embed"


def search_name(options: PipelineOptions) -> str:
    """Name of the search pipeline, or of the rerank endpoint."""
    return f"{options.name}-rerank"


def query_name(options: PipelineOptions) -> str:
    """Name of the search pipeline that embeds a query for a rescore."""
    return f"{options.name}-query"


async def has_ingest_pipeline(engine: Engine, options: PipelineOptions) -> bool:
    """Whether the ingest pipeline is there, whoever made it."""
    pipeline = IngestPipeline(ingest_name(options), Part.INGEST, {})
    return await pipeline.find(engine) is not None


def _maker(kind: EngineKind, path: EnginePath, part: Part) -> Maker:
    check_parts(path, [part])
    return _MAKERS[kind, path, part]


def _template(
    kind: EngineKind, meta: IndexMeta, options: PipelineOptions, *, embeds: bool
) -> Resource:
    body = index_body(
        kind,
        meta,
        shards=options.shards,
        replicas=options.replicas,
        vectors=options.vectors,
        default_pipeline=ingest_name(options) if embeds else None,
    )
    template = index_template(options.index_patterns, body, priority=options.priority)
    return IndexTemplate(options.name, Part.TEMPLATE, template)


def _opensearch_ingest(
    meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    name = ingest_name(options)
    connector = Connector(name, Part.INGEST, bodies.embed_connector(name, target, meta, options))
    model = _model(connector)
    pipeline = IngestPipeline(
        name,
        Part.INGEST,
        bodies.opensearch_ingest(meta, ref(key(model)), options),
        needs=(key(model),),
    )
    return [connector, model, pipeline]


def _opensearch_search(
    meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    name = search_name(options)
    connector = Connector(name, Part.SEARCH, bodies.rerank_connector(name, target, options))
    model = _model(connector)
    pipeline = SearchPipeline(
        name,
        Part.SEARCH,
        bodies.opensearch_search(ref(key(model)), meta.text_fields),
        needs=(key(model),),
    )
    return [connector, model, pipeline, *_opensearch_query(meta, options, target)]


def _opensearch_query(
    meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    name = query_name(options)
    connector = Connector(name, Part.SEARCH, bodies.query_connector(name, target, meta, options))
    model = _model(connector)
    body = bodies.opensearch_query(ref(key(model)))
    return [connector, model, SearchPipeline(name, Part.SEARCH, body, needs=(key(model),))]


def _model(connector: Connector) -> RemoteModel:
    body = bodies.remote_model(connector.name, ref(key(connector)))
    return RemoteModel(connector.name, connector.part, body, needs=(key(connector),))


def _elasticsearch_ingest(
    meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    name = ingest_name(options)
    endpoint = InferenceEndpoint(
        name, Part.INGEST, bodies.embed_endpoint(target, meta, options), task="text_embedding"
    )
    pipeline = IngestPipeline(
        name,
        Part.INGEST,
        bodies.elasticsearch_ingest(meta, name, options),
        needs=(key(endpoint),),
    )
    return [endpoint, pipeline]


def _elasticsearch_search(
    _meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    name = search_name(options)
    body = bodies.rerank_endpoint(target)
    return [InferenceEndpoint(name, Part.SEARCH, body, task="rerank")]


def _plugin_ingest(
    _meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    body = bodies.plugin_ingest(target, options)
    return [IngestPipeline(ingest_name(options), Part.INGEST, body)]


def _plugin_search(
    _meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> list[Resource]:
    body = bodies.plugin_search(target, options)
    return [SearchPipeline(search_name(options), Part.SEARCH, body)]


def _elasticsearch_plugin_ingest(
    _meta: IndexMeta, options: PipelineOptions, _target: SidecarTarget
) -> list[Resource]:
    return [IngestPipeline(ingest_name(options), Part.INGEST, bodies.elasticsearch_plugin_ingest())]


def _elasticsearch_plugin_search(
    _meta: IndexMeta, _options: PipelineOptions, _target: SidecarTarget
) -> list[Resource]:
    return []  # a search names the retriever itself


_MAKERS: dict[tuple[EngineKind, EnginePath, Part], Maker] = {
    (EngineKind.OPENSEARCH, EnginePath.STOCK, Part.INGEST): _opensearch_ingest,
    (EngineKind.OPENSEARCH, EnginePath.STOCK, Part.SEARCH): _opensearch_search,
    (EngineKind.OPENSEARCH, EnginePath.PLUGIN, Part.INGEST): _plugin_ingest,
    (EngineKind.OPENSEARCH, EnginePath.PLUGIN, Part.SEARCH): _plugin_search,
    (EngineKind.ELASTICSEARCH, EnginePath.STOCK, Part.INGEST): _elasticsearch_ingest,
    (EngineKind.ELASTICSEARCH, EnginePath.STOCK, Part.SEARCH): _elasticsearch_search,
    (EngineKind.ELASTICSEARCH, EnginePath.PLUGIN, Part.INGEST): _elasticsearch_plugin_ingest,
    (EngineKind.ELASTICSEARCH, EnginePath.PLUGIN, Part.SEARCH): _elasticsearch_plugin_search,
}
