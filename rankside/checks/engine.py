"""Checks of the cluster."""

from __future__ import annotations

from connectors.connect import connect
from connectors.engine import EngineKind
from pipelines.capabilities import lacking, remedy
from plugin.ranking.errors import EngineError, EngineRejected, SettingsError
from rankside.access import engine_options
from rankside.checks.finding import Case, Finding, Level, known

_IMPATIENCE = 10.0  # seconds; a doctor does not wait for a sick engine as a search would

# First release with what Rankside asks for, and the line its tests run on.
_OLDEST = {EngineKind.OPENSEARCH: (2, 17), EngineKind.ELASTICSEARCH: (8, 14)}
_TESTED = {EngineKind.OPENSEARCH: 3, EngineKind.ELASTICSEARCH: 9}
_TITLES = {EngineKind.OPENSEARCH: "OpenSearch", EngineKind.ELASTICSEARCH: "Elasticsearch"}
_KNN = "opensearch-knn"


async def reachable(case: Case) -> Finding:
    """The cluster answers, and says what it is."""
    remedy = "give --url, or start a local engine with `rankside engine up`"
    try:
        options = engine_options(case.settings)
        patience = min(options.timeout, _IMPATIENCE)
        options = options.model_copy(update={"timeout": patience, "retries": 0})
        case.engine = await connect(options)
        case.info = await case.engine.info()
    except EngineRejected as error:
        if error.status in {401, 403}:
            remedy = "set RANKSIDE_ENGINE__USERNAME and __PASSWORD, or RANKSIDE_ENGINE__API_KEY"
        return Finding("engine", Level.PROBLEM, str(error), remedy)
    except (EngineError, SettingsError) as error:
        return Finding("engine", Level.PROBLEM, str(error), remedy)
    title = _TITLES[case.info.kind]
    return Finding("engine", Level.GOOD, f"{title} {case.info.version} at {case.engine.url}")


async def version(case: Case) -> Finding:
    """Its version is one that Rankside is made for."""
    info = known(case.info)
    major, minor = (int(part) for part in info.version.split(".")[:2])
    oldest, tested = _OLDEST[info.kind], _TESTED[info.kind]
    needed = f"{oldest[0]}.{oldest[1]}"
    if (major, minor) < oldest:
        sentence = f"{info.version} is older than {needed}"
        return Finding("version", Level.PROBLEM, sentence, f"upgrade to {tested}.x")
    if major != tested:
        sentence = f"{info.version} is not tested; {tested}.x is"
        return Finding("version", Level.WARNING, sentence, "try it on a copy of your data first")
    return Finding("version", Level.GOOD, f"{info.version} is supported")


async def plugins(case: Case) -> Finding:
    """What searches and the chosen path need is there."""
    engine, info = known(case.engine), known(case.info)
    path = case.settings.pipelines.path
    if info.kind is EngineKind.OPENSEARCH and _KNN not in info.plugins:
        return Finding(
            "plugins", Level.PROBLEM, f"{_KNN} is not installed", "install the k-NN plugin"
        )
    lacks = [name for part in path.parts for name in await lacking(engine, part, path)]
    if lacks:
        return Finding(
            "plugins",
            Level.PROBLEM,
            f"the {path} path lacks {', '.join(dict.fromkeys(lacks))}",
            f"{remedy(info.kind, path)}, or do without: "
            'path = "client" in the settings\' [pipelines]',
        )
    return Finding("plugins", Level.GOOD, f"all that the {path} path needs is there")


async def health(case: Case) -> Finding:
    """No shard is missing."""
    answer = await known(case.engine).request("GET", "/_cluster/health")
    status, missing = answer["status"], answer["unassigned_shards"]
    if status == "green":
        return Finding("cluster", Level.GOOD, f"green, {answer['number_of_nodes']} node(s)")
    sentence = f"{status}, {missing} shard(s) without a node"
    remedy = "GET /_cluster/allocation/explain says why"
    if status == "yellow":
        remedy += "; on a single node set index.number_of_replicas to 0"
    level = Level.WARNING if status == "yellow" else Level.PROBLEM
    return Finding("cluster", level, sentence, remedy)
