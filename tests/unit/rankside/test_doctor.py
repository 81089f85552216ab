from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.engine import EngineInfo, EngineKind
from connectors.meta import IndexMeta
from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from pipelines.definitions import index_body
from plugin.ranking.errors import EngineUnavailable, SidecarRejected
from plugin.ranking.wire import ModelCard
from rankside.checks import calls
from rankside.checks import engine as engine_checks
from rankside.checks import index as index_checks
from rankside.checks import sidecar as sidecar_checks
from rankside.checks.finding import Case, Check, Finding, Level, Side
from rankside.doctor import CHECKS, examine, worst
from rankside.settings import Settings
from tests.unit.pipelines.memory import MemoryEngine

META = IndexMeta(fingerprint="f00d", model="words", dimensions=16)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    """A case whose engine is in memory and whose sidecar is nowhere."""
    async with SidecarClient(SidecarClientOptions(url="http://127.0.0.1:9")) as client:
        yield Case(Settings(), "docs", client, engine=MemoryEngine(), meta=META)


def check(name: str, level: Level, *needs: str, side: Side = Side.ENGINE) -> Check:
    async def look(_case: Case) -> Finding:
        return Finding(name, level, "as told", side=side)

    return Check(name, side, look, needs)


def failing(name: str, error: Exception, side: Side = Side.ENGINE) -> Check:
    async def look(_case: Case) -> Finding:
        raise error

    return Check(name, side, look)


async def findings(*checks: Check) -> list[Finding]:
    return [finding async for finding in examine(Settings(), checks=checks)]


async def test_what_needs_a_problem_is_not_run_and_the_rest_is() -> None:
    found = await findings(
        check("a", Level.PROBLEM),
        check("b", Level.GOOD, "a"),
        check("c", Level.GOOD, "b"),
        check("d", Level.WARNING),
        check("e", Level.GOOD, "d"),
    )
    assert [(one.name, one.level) for one in found] == [
        ("a", Level.PROBLEM),
        ("b", Level.NOT_RUN),
        ("c", Level.NOT_RUN),
        ("d", Level.WARNING),
        ("e", Level.GOOD),
    ]
    assert found[1].sentence == "needs a"


async def test_an_error_is_a_finding_with_its_sides_remedy_and_ends_nothing() -> None:
    found = await findings(
        failing("engine", EngineUnavailable("nobody answers")),
        failing("sidecar", SidecarRejected("no", status=500), Side.SIDECAR),
        check("more", Level.GOOD),
    )
    assert [one.level for one in found] == [Level.PROBLEM, Level.PROBLEM, Level.GOOD]
    assert found[0].sentence == "nobody answers"
    assert "log" in found[0].remedy
    assert "rankside serve" in found[1].remedy


async def test_an_error_of_ours_is_not_taken_for_a_finding() -> None:
    with pytest.raises(KeyError):
        await findings(failing("x", KeyError("a fault in the check")))


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ([], None),
        ([Side.SIDECAR], Side.SIDECAR),
        ([Side.SIDECAR, Side.ENGINE], Side.ENGINE),
        ([Side.ENGINE, Side.SETTINGS], Side.SETTINGS),
    ],
)
def test_the_side_to_mend_first(sides: list[Side], expected: Side | None) -> None:
    problems = [Finding("x", Level.PROBLEM, "", side=side) for side in sides]
    others = [
        Finding("x", level, "", side=side)
        for level in Level
        if level is not Level.PROBLEM
        for side in Side
    ]
    assert worst([*others, *problems]) is expected


def test_every_check_comes_after_what_it_needs() -> None:
    before: set[str] = set()
    for one in CHECKS:
        assert before.issuperset(one.needs)
        before.add(one.name)
    assert len(before) == len(CHECKS)


@pytest.mark.parametrize(
    ("kind", "version", "level"),
    [
        (EngineKind.OPENSEARCH, "3.6.0", Level.GOOD),
        (EngineKind.OPENSEARCH, "2.19.1", Level.WARNING),
        (EngineKind.OPENSEARCH, "2.16.0", Level.PROBLEM),
        (EngineKind.OPENSEARCH, "4.0.0-SNAPSHOT", Level.WARNING),
        (EngineKind.ELASTICSEARCH, "9.5.3", Level.GOOD),
        (EngineKind.ELASTICSEARCH, "8.19.0", Level.WARNING),
        (EngineKind.ELASTICSEARCH, "8.9.0", Level.PROBLEM),
    ],
)
async def test_versions(case: Case, kind: EngineKind, version: str, level: Level) -> None:
    case.info = EngineInfo(kind, version, ())
    finding = await engine_checks.version(case)
    assert finding.level is level
    assert version in finding.sentence
    assert bool(finding.remedy) is (level is not Level.GOOD)


@pytest.mark.parametrize(
    ("status", "level"),
    [("green", Level.GOOD), ("yellow", Level.WARNING), ("red", Level.PROBLEM)],
)
async def test_cluster_health(case: Case, status: str, level: Level) -> None:
    assert isinstance(case.engine, MemoryEngine)
    answer = {"status": status, "unassigned_shards": 2, "number_of_nodes": 1}
    case.engine.answers["GET", "/_cluster/health"] = answer
    assert (await engine_checks.health(case)).level is level


async def test_opensearch_without_k_nn_cannot_rescore(case: Case) -> None:
    case.info = EngineInfo(EngineKind.OPENSEARCH, "3.6.0", ("opensearch-ml",))
    finding = await engine_checks.plugins(case)
    assert (finding.level, finding.sentence) == (
        Level.PROBLEM,
        "opensearch-knn is not installed",
    )


def mapping_of(meta: IndexMeta) -> dict[str, Any]:
    mappings: dict[str, Any] = index_body(EngineKind.ELASTICSEARCH, meta)["mappings"]
    return mappings


@pytest.mark.parametrize(
    ("mappings", "level", "words"),
    [
        ({"a": mapping_of(META)}, Level.GOOD, "vectors of words, 16 dimensions, f00d"),
        ({"a": mapping_of(META), "b": mapping_of(META)}, Level.GOOD, "f00d"),
        ({"a": mapping_of(META), "b": {}}, Level.PROBLEM, "b has no _meta.rankside"),
        (
            {"a": mapping_of(META), "b": mapping_of(META.model_copy(update={"dimensions": 8}))},
            Level.PROBLEM,
            "different models or fields",
        ),
        ({"a": {"_meta": {"rankside": {"model": 1}}}}, Level.PROBLEM, "cannot be read"),
        (
            {"a": mapping_of(META.model_copy(update={"fingerprint": ""}))},
            Level.WARNING,
            "re-embedding is under way",
        ),
    ],
)
async def test_what_an_index_says_of_itself(
    case: Case, mappings: dict[str, dict[str, Any]], level: Level, words: str
) -> None:
    case.mappings = mappings
    finding = await index_checks.described(case)
    assert finding.level is level
    assert words in finding.sentence
    assert bool(finding.remedy) is (level is not Level.GOOD)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, "is not mapped"),
        ({"type": "float"}, "is a float, not a dense_vector"),
        ({"type": "dense_vector", "dims": 8}, "has 8 dimensions, not 16"),
    ],
)
async def test_a_vector_field_that_a_rescore_cannot_use(
    case: Case, change: dict[str, Any] | None, words: str
) -> None:
    mapping = mapping_of(META)
    del mapping["properties"][META.vector_field]
    if change is not None:
        mapping["properties"][META.vector_field] = change
    case.mappings = {"docs": mapping}
    finding = await index_checks.mapped(case)
    assert finding.level is Level.PROBLEM
    assert words in finding.sentence
    assert "--rebuild" in finding.remedy


@pytest.mark.parametrize("change", [{"similarity": "l2_norm"}, {"index": False}])
async def test_a_vector_field_that_only_scripts_can_compare_is_no_problem_yet(
    case: Case, change: dict[str, Any]
) -> None:
    mapping = mapping_of(META)
    mapping["properties"][META.vector_field] = {"type": "dense_vector", "dims": 16, **change}
    case.mappings = {"docs": mapping}
    finding = await index_checks.mapped(case)
    assert finding.level is Level.WARNING
    assert "docs has no k-NN by cosine" in finding.sentence


async def test_a_vector_field_with_the_default_similarity_is_by_cosine(case: Case) -> None:
    mapping = mapping_of(META)
    mapping["properties"][META.vector_field] = {"type": "dense_vector", "dims": 16}
    case.mappings = {"docs": mapping}
    assert (await index_checks.mapped(case)).level is Level.GOOD


async def test_a_vector_field_is_found_where_search_and_ingest_find_it(case: Case) -> None:
    vector = {"type": "dense_vector", "dims": 16}
    case.meta = META.model_copy(update={"vector_field": "text.vector"})
    case.mappings = {
        "docs": {"properties": {"text": {"type": "text", "fields": {"vector": vector}}}}
    }
    assert (await index_checks.mapped(case)).level is Level.GOOD


async def test_two_models_are_told_apart_by_their_fingerprints(case: Case) -> None:
    case.card = ModelCard(id="words", fingerprint="f00d", dimensions=16)
    assert (await sidecar_checks.agreed(case)).level is Level.GOOD
    case.card = ModelCard(id="other", fingerprint="beef", dimensions=16)
    finding = await sidecar_checks.agreed(case)
    assert (finding.level, finding.side) == (Level.PROBLEM, Side.SIDECAR)
    assert "f00d" in finding.sentence
    assert "beef" in finding.sentence


def inference(case: Case, task: str, name: str, answer: dict[str, Any]) -> Case:
    """``case`` with an Elasticsearch that has an endpoint, and what a call of it answers."""
    assert isinstance(case.engine, MemoryEngine)
    endpoint = {"service": "custom", "task_type": task, "service_settings": {}}
    case.engine.answers["GET", f"/_inference/{name}"] = {"endpoints": [endpoint]}
    case.engine.answers["POST", f"/_inference/{task}/{name}"] = answer
    return case


@pytest.mark.parametrize(("length", "level"), [(16, Level.GOOD), (8, Level.PROBLEM)])
async def test_a_vector_that_comes_by_the_engine_has_the_sidecars_length(
    case: Case, length: int, level: Level
) -> None:
    case.card = ModelCard(id="words", fingerprint="f00d", dimensions=16)
    answer = {"text_embedding": [{"embedding": [0.5] * length}]}
    inference(case, "text_embedding", "rankside-embed", answer)
    assert (await calls.embeds(case)).level is level


@pytest.mark.parametrize(("scores", "level"), [((0.7, 0.6), Level.GOOD), ((0.7,), Level.PROBLEM)])
async def test_scores_that_come_by_the_engine_are_one_a_text(
    case: Case, scores: tuple[float, ...], level: Level
) -> None:
    results = [{"index": place, "relevance_score": one} for place, one in enumerate(scores)]
    inference(case, "rerank", "rankside-rerank", {"rerank": results})
    assert (await calls.reranks(case)).level is level


@pytest.mark.parametrize(
    ("step", "level"),
    [
        ({"script": {"params": {"fingerprint": "f00d"}}}, Level.GOOD),
        ({"script": {"params": {"fingerprint": "beef"}}}, Level.PROBLEM),
        ({"rankside_embedding": {"url": ["http://sidecar:8080"]}}, Level.GOOD),
        ({"lowercase": {"field": "title"}}, Level.PROBLEM),
    ],
)
async def test_by_what_an_ingest_pipeline_marks_its_vectors(
    case: Case, step: dict[str, Any], level: Level
) -> None:
    assert isinstance(case.engine, MemoryEngine)
    case.card = ModelCard(id="words", fingerprint="f00d", dimensions=16)
    case.engine.kept["/_ingest/pipeline/rankside-embed"] = {"processors": [step]}
    assert (await calls.pipeline_agreed(case)).level is level
