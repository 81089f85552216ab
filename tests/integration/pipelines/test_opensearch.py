"""Everything that `--path stock` makes, on a real node and through a real sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.engine import Engine
from connectors.meta import IndexMeta, document_text, vector_hash
from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from evaluation.local_sidecar import free_port
from pipelines import bodies
from pipelines.application import Outcome, apply, remove
from pipelines.bodies import SidecarTarget
from pipelines.capabilities import lacking
from pipelines.options import EnginePath, Part, PipelineOptions
from pipelines.planning import Action, plan, plan_removal
from plugin.models.encoder import Encoder
from plugin.ranking.errors import EngineRejected, PartlyDone, UsageError
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.integration.pipelines.steps import applied, deploy, resources, sources, write
from tests.serving import serving

ML = "/_plugins/_ml"
DOCUMENTS: Mapping[str, dict[str, Any]] = {
    "glass": {"title": "Windows", "text": "Light falls through the glass."},
    "list": {"title": "Lamps", "text": ["They", "glow."]},
    "bare": {"price": 3},
}


async def test_the_node_can_hold_all_of_it(opensearch: Engine) -> None:
    for part in Part:
        assert await lacking(opensearch, part, EnginePath.STOCK) == []


async def test_a_template_makes_indices_that_can_be_reranked(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine = cleaned_opensearch
    plain = options.model_copy(update={"path": EnginePath.CLIENT, "shards": 2})
    await applied(engine, resources(meta, plain, target))
    index = f"{options.name}-docs"
    await engine.request("PUT", f"/{index}")
    answer = await engine.request("GET", f"/{index}")
    mappings, settings = answer[index]["mappings"], answer[index]["settings"]["index"]
    assert IndexMeta.of_mapping(mappings) == meta
    assert mappings["properties"]["rankside_vector"]["type"] == "knn_vector"
    assert (settings["number_of_shards"], settings["knn"]) == ("2", "true")
    assert "default_pipeline" not in settings
    vector = [1.0] + [0.0] * (meta.dimensions - 1)
    await write(engine, index, {"a": {"text": "x", "rankside_vector": vector}})
    query = {"query": {"knn": {"rankside_vector": {"vector": vector, "k": 1}}}}
    hits = (await engine.search(index, query))["hits"]["hits"]
    assert hits[0]["_score"] == pytest.approx(1.0)


async def test_documents_written_plainly_get_the_sidecars_vectors(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine = cleaned_opensearch
    await applied(engine, resources(meta, options, target))
    index = f"{options.name}-docs"
    await write(engine, index, DOCUMENTS)
    stored = await sources(engine, index)
    texts = {id_: document_text(DOCUMENTS[id_], meta.text_fields) for id_ in ("glass", "list")}
    async with SidecarClient(SidecarClientOptions(url=target.url)) as sidecar:
        expected = await sidecar.embed_documents(list(texts.values()))
    for (id_, text), vector in zip(texts.items(), expected, strict=True):
        assert np.allclose(stored[id_]["rankside_vector"], vector, atol=1e-4)
        assert stored[id_]["rankside_hash"] == vector_hash(meta.fingerprint, text)
        assert set(stored[id_]) == {"title", "text", "rankside_vector", "rankside_hash"}
    assert stored["bare"] == {"price": 3}


async def test_a_vector_of_the_documents_text_is_kept_and_a_stale_one_is_not(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine = cleaned_opensearch
    await applied(engine, resources(meta, options, target))
    index = f"{options.name}-docs"
    mark = [1.0] + [0.0] * (meta.dimensions - 1)
    text = {"text": "The same words."}
    fresh = {"rankside_vector": mark, "rankside_hash": vector_hash(meta.fingerprint, text["text"])}
    stale = {"rankside_vector": mark, "rankside_hash": vector_hash("another", text["text"])}
    await write(engine, index, {"fresh": text | fresh, "stale": text | stale, "bare": stale})
    stored = await sources(engine, index)
    assert stored["fresh"]["rankside_vector"] == mark
    assert stored["stale"]["rankside_vector"] != mark
    assert stored["stale"]["rankside_hash"] == fresh["rankside_hash"]
    assert stored["bare"] == {}, "a vector of no text is taken away"


async def test_an_update_is_embedded_and_one_in_a_bulk_is_not(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, index = cleaned_opensearch, f"{options.name}-docs"
    await applied(engine, resources(meta, options, target))
    await write(engine, index, {"a": DOCUMENTS["glass"], "b": DOCUMENTS["glass"]})
    change = {"doc": {"text": "Curtains keep it out."}}
    await engine.request("POST", f"/{index}/_update/a", body=change)
    await engine.bulk(index, [{"update": {"_id": "b"}}, change])
    await engine.request("POST", f"/{index}/_refresh")
    stored = await sources(engine, index)
    for id_, is_fresh in (("a", True), ("b", False)):
        text = document_text(stored[id_], meta.text_fields)
        assert text == "Windows\nCurtains keep it out."
        fresh = stored[id_]["rankside_hash"] == vector_hash(meta.fingerprint, text)
        assert fresh is is_fresh, "docs/how-to/pipelines.md says so"


@pytest.mark.parametrize("on_embed_failure", ["index", "fail"])
async def test_without_a_sidecar_a_document_is_indexed_bare_or_rejected(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, on_embed_failure: str
) -> None:
    engine = cleaned_opensearch
    nobody = SidecarTarget(f"http://127.0.0.1:{free_port()}", meta.model)
    changed = options.model_copy(update={"on_embed_failure": on_embed_failure})
    await applied(engine, resources(meta, changed, nobody))
    index = f"{options.name}-docs"
    await engine.request("PUT", f"/{index}")
    outcome = await engine.bulk(index, [{"index": {"_id": "a"}}, {"text": "words"}])
    await engine.request("POST", f"/{index}/_refresh")
    if on_embed_failure == "index":
        assert outcome.items[0].error is None
        assert await sources(engine, index) == {"a": {"text": "words"}}
    else:
        assert outcome.items[0].error is not None
        assert await sources(engine, index) == {}


async def test_a_sidecar_that_now_serves_another_model_writes_no_vector(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, index = cleaned_opensearch, f"{options.name}-docs"
    before = meta.model_copy(update={"fingerprint": "f" * 16})
    await applied(engine, resources(before, options, target))
    await write(engine, index, {"glass": DOCUMENTS["glass"]})
    assert await sources(engine, index) == {"glass": DOCUMENTS["glass"]}


async def test_the_search_pipeline_orders_by_the_sidecars_scores(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine = cleaned_opensearch
    await applied(engine, resources(meta, options, target))
    index = f"{options.name}-docs"
    texts = {"far": "Boats sail on the sea.", "near": "Lamps light a dark room."}
    await write(engine, index, {id_: {"text": text} for id_, text in texts.items()})
    body = {
        "query": {"match_all": {}},
        "_source": ["title", "text"],
        "ext": {"rerank": {"query_context": {"query_text": 'what "lights" a room'}}},
    }
    answer = await engine.search(index, body, params={"search_pipeline": f"{options.name}-rerank"})
    hits = answer["hits"]["hits"]
    assert [hit["_id"] for hit in hits] == ["near", "far"]
    assert all(0.0 <= hit["_score"] < 1.0 for hit in hits)


async def test_a_second_time_there_is_nothing_to_do(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    wanted = resources(meta, options, target)
    first = await applied(cleaned_opensearch, wanted)
    assert {step.change.action for step in first.steps} == {Action.CREATE}
    assert len(first.steps) == len(wanted)
    assert (await plan(cleaned_opensearch, wanted)).pending == ()
    assert (await applied(cleaned_opensearch, wanted)).steps == ()


async def test_drift_is_shown_and_repaired_and_ids_stay(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, name = cleaned_opensearch, options.name
    wanted = resources(meta, options, target)
    await applied(engine, wanted)
    before = {change.key: change.found for change in (await plan(engine, wanted)).changes}
    model = before[f"ml-commons model {name}-rerank"]
    connector = before[f"ml-commons connector {name}-embed"]
    embedder = before[f"ml-commons model {name}-embed"]
    assert model is not None
    assert connector is not None
    assert embedder is not None
    await engine.request("POST", f"{ML}/models/{model.id}/_undeploy")
    await engine.request("POST", f"{ML}/models/{embedder.id}/_undeploy")
    changed = {"client_config": {"read_timeout": 1}, "description": "managed_by: rankside, edited"}
    await engine.request("PUT", f"{ML}/connectors/{connector.id}", body=changed)
    await deploy(engine, embedder.id)
    body = (await engine.request("GET", f"/_ingest/pipeline/{name}-embed"))[f"{name}-embed"]
    body["processors"].pop()
    await engine.request("PUT", f"/_ingest/pipeline/{name}-embed", body=body)
    found = await engine.request("GET", f"/_index_template/{name}")
    template = found["index_templates"][0]["index_template"]
    template["template"]["mappings"]["properties"]["extra"] = {"type": "keyword"}
    await engine.request("PUT", f"/_index_template/{name}", body=template)

    planned = await plan(engine, wanted)
    assert {change.key: change.action for change in planned.pending} == {
        f"ml-commons connector {name}-embed": Action.UPDATE,
        f"ingest pipeline {name}-embed": Action.UPDATE,
        f"ml-commons model {name}-rerank": Action.UPDATE,
        f"index template {name}": Action.UPDATE,
    }
    shown = "\n".join(line for change in planned.pending for line in change.diff)
    for line in ('-    "read_timeout": 1', '+    "read_timeout": 30', '+  "deployed": true'):
        assert line in shown
    assert '"extra": {' in shown
    await applied(engine, wanted)
    after = {change.key: change.found for change in (await plan(engine, wanted)).changes}
    assert {key: found and found.id for key, found in after.items()} == {
        key: found and found.id for key, found in before.items()
    }
    await write(engine, f"{name}-docs", {"a": {"text": "It embeds still."}})
    assert "rankside_vector" in (await sources(engine, f"{name}-docs"))["a"]


async def test_what_is_not_ours_is_never_touched(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, name = cleaned_opensearch, options.name
    connector = bodies.rerank_connector(f"{name}-rerank", target, options)
    connector["description"] = "somebody's"
    created = await engine.request("POST", f"{ML}/connectors/_create", body=connector)
    pipeline = {"description": "somebody's", "processors": [{"lowercase": {"field": "a"}}]}
    await engine.request("PUT", f"/_ingest/pipeline/{name}-embed", body=pipeline)
    template = {"index_patterns": [f"{name}-*"], "priority": 999}
    await engine.request("PUT", f"/_index_template/{name}", body=template)
    wanted = resources(meta, options, target)

    planned = await plan(engine, wanted)
    assert {change.key for change in planned.foreign} == {
        f"ml-commons connector {name}-rerank",
        f"ingest pipeline {name}-embed",
        f"index template {name}",
    }
    with pytest.raises(UsageError, match="take it over with --adopt"):
        await apply(engine, planned)
    await remove(engine, await plan_removal(engine, wanted))
    assert await engine.request("GET", f"/_ingest/pipeline/{name}-embed") == {
        f"{name}-embed": pipeline
    }
    found = await engine.request("GET", f"/_index_template/{name}")
    assert found["index_templates"][0]["index_template"]["priority"] == 999
    kept = await engine.request("GET", f"{ML}/connectors/{created['connector_id']}")
    assert kept["description"] == "somebody's"
    assert await engine.request("GET", f"/_ingest/pipeline/{name}-embed")

    await applied(engine, wanted, adopt=True)
    adopted = await plan(engine, wanted)
    assert adopted.pending == adopted.foreign == ()


async def test_a_connector_takes_a_model_of_ours_with_it_but_not_anothers(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine = cleaned_opensearch
    connector, model = resources(meta, options, target)[:2]
    await applied(engine, [connector, model])
    behind, ours = await connector.find(engine), await model.find(engine)
    assert behind is not None
    assert ours is not None
    theirs = await engine.request(
        "POST",
        f"{ML}/models/_register",
        body={"name": options.name, "function_name": "remote", "connector_id": behind.id},
    )
    with pytest.raises(EngineRejected, match="still using this connector"):
        await connector.delete(engine, behind)
    assert await engine.request("GET", f"{ML}/models/{ours.id}")

    await engine.request("DELETE", f"{ML}/models/{theirs['model_id']}")
    await connector.delete(engine, behind)
    assert await connector.find(engine) is None
    assert await model.find(engine) is None
    await model.delete(engine, ours)  # what is gone already is no error


async def test_destroying_leaves_nothing_of_ours_but_what_an_index_needs(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, name = cleaned_opensearch, options.name
    wanted = resources(meta, options, target)
    await applied(engine, wanted)
    await engine.request("PUT", f"/{name}-docs")

    planned = await plan_removal(engine, wanted)
    in_use = [change for change in planned.changes if change.action is Action.IN_USE]
    assert [change.resource.kind for change in in_use] == [
        "ingest pipeline",
        "ml-commons model",
        "ml-commons connector",
    ]
    assert f"index {name}-docs (index.default_pipeline)" in in_use[0].reason
    (await remove(engine, planned)).raise_if_incomplete()
    await write(engine, f"{name}-docs", {"a": {"text": "It embeds still."}})
    assert "rankside_vector" in (await sources(engine, f"{name}-docs"))["a"]

    await engine.request("DELETE", f"/{name}-docs")
    (await remove(engine, await plan_removal(engine, wanted))).raise_if_incomplete()
    after = await plan_removal(engine, wanted)
    assert {change.action for change in after.changes} == {Action.ABSENT}
    body = {"query": {"prefix": {"name.keyword": name}}}
    for what in ("models", "connectors", "model_groups"):
        answer = await engine.request("POST", f"{ML}/{what}/_search", body=body)
        assert answer["hits"]["hits"] == []


async def test_a_pipeline_of_somebody_elses_keeps_the_model_it_uses(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, name = cleaned_opensearch, options.name
    wanted = resources(meta, options, target)
    await applied(engine, wanted)
    found = await plan(engine, wanted)
    (model,) = [one.found for one in found.changes if one.key == f"ml-commons model {name}-embed"]
    assert model is not None
    embed = {"text_embedding": {"model_id": model.id, "field_map": {"a": "b"}}}
    path = f"/_ingest/pipeline/{name}-somebodys"
    await engine.request("PUT", path, body={"processors": [embed]})
    try:
        planned = await plan_removal(engine, wanted)
        reasons = [one.reason for one in planned.changes if one.action is Action.IN_USE]
        assert f"used by _ingest/pipeline {name}-somebodys" in reasons[0]
        assert f"used by ml-commons model {name}-embed" in reasons[1]
    finally:
        await engine.request("DELETE", path)


async def test_a_sidecar_that_the_cluster_does_not_trust(
    cleaned_opensearch: Engine, meta: IndexMeta, options: PipelineOptions, target: SidecarTarget
) -> None:
    engine, name = cleaned_opensearch, options.name
    far = SidecarTarget("https://sidecar.example", meta.model)
    report = await apply(engine, await plan(engine, resources(meta, options, far)))
    outcomes = {step.change.key: step.outcome for step in report.steps}
    assert outcomes[f"ml-commons connector {name}-embed"] is Outcome.FAILED
    assert outcomes[f"ml-commons model {name}-embed"] is Outcome.NOT_RUN
    assert outcomes[f"ingest pipeline {name}-embed"] is Outcome.NOT_RUN
    assert outcomes[f"index template {name}"] is Outcome.DONE
    with pytest.raises(PartlyDone, match="trusted_connector_endpoints_regex"):
        report.raise_if_incomplete()
    again = await applied(engine, resources(meta, options, target))
    assert f"index template {name}" not in {step.change.key for step in again.steps}


async def test_a_key_reaches_the_sidecar_and_a_new_one_is_written_on_request(
    cleaned_opensearch: Engine,
    meta: IndexMeta,
    options: PipelineOptions,
    minilm: Encoder,
    tmp_path: Path,
) -> None:
    engine, name = cleaned_opensearch, options.name
    keys = tmp_path / "keys"
    keys.write_text("new-key-of-the-sidecar\n")
    rejecting = options.model_copy(update={"on_embed_failure": "fail"})
    with serving(create_app(SidecarOptions(keys_file=keys), minilm)) as url:
        old = SidecarTarget(url, meta.model, "old-key-of-the-sidecar")
        new = SidecarTarget(url, meta.model, "new-key-of-the-sidecar")
        await applied(engine, resources(meta, rejecting, old))
        outcome = await engine.bulk(f"{name}-docs", [{"index": {}}, {"text": "words"}])
        assert "401" in str(outcome.items[0].error)
        wanted = resources(meta, rejecting, new)
        assert (await plan(engine, wanted)).pending == (), "nobody can see that a key changed"
        report = await applied(engine, wanted, refresh_secrets=True)
        assert {step.change.resource.kind for step in report.steps} == {"ml-commons connector"}
        await write(engine, f"{name}-docs", {"a": {"text": "words"}})
        assert "rankside_vector" in (await sources(engine, f"{name}-docs"))["a"]


async def test_painless_and_python_make_the_same_text_and_hash(opensearch: Engine) -> None:
    fields = ("title", "page.body", "text")
    meta = IndexMeta(fingerprint="f", model="m", dimensions=3, text_fields=fields)
    script = bodies.opensearch_ingest(meta, "id", PipelineOptions())["processors"][0]
    documents: list[dict[str, Any]] = [
        {"text": "\u3000Größe \u2028x\x00\u200b "},
        {"title": ["", " a ", None, True, 3], "text": False},
        {"page": {"body": "deep"}, "text": 7},
        {"page.body": "flat", "title": " \n\t"},
        {"page": "no object", "text": 1.5},
        {"title": ["", ""], "text": "\x85both\xa0"},
        {"title": None, "text": {"not": "text"}},
        {"other": 1},
        {"text": "𝄞 beyond the first plane 🙂 "},
    ]
    answer = await opensearch.request(
        "POST",
        "/_ingest/pipeline/_simulate",
        body={
            "pipeline": {"processors": [script]},
            "docs": [{"_source": document} for document in documents],
        },
    )
    for document, shown in zip(documents, answer["docs"], strict=True):
        source, text = shown["doc"]["_source"], document_text(document, fields)
        assert source.get("rankside_text_to_embed") == (text or None)
        assert source.get("rankside_hash") == (vector_hash("f", text) if text else None)
