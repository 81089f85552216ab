from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.engine import Engine
from connectors.meta import IndexMeta, vector_hash
from ingest.embedders import SidecarEmbedder
from ingest.index import existing_index
from ingest.plan import plan_ingest
from ingest.run import Progress, ingest
from ingest.source import open_source
from plugin.ranking.errors import EngineRejected, SettingsError, SidecarError
from plugin.ranking.prompts import EncoderInput, document_input
from tests.doubles import PROFILE, WordEncoder
from tests.integration.ingest.conftest import documents, options, sources, with_vector

Corpus = Callable[..., str]


def letters_in(path: str | None) -> list[dict[str, Any]]:
    """The letters of a dead-letter file, by line."""
    lines = Path(str(path)).read_text().splitlines()
    return sorted(map(json.loads, lines), key=lambda letter: int(letter["line"]))


def files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


async def stored_vector(engine: Engine, index: str, id_: str) -> np.ndarray[Any, Any]:
    fields = {"fields": ["rankside_vector"], "_source": False, "query": {"ids": {"values": [id_]}}}
    (hit,) = (await engine.search(index, fields))["hits"]["hits"]
    return np.array(hit["fields"]["rankside_vector"], dtype=np.float32).reshape(-1)


async def test_every_document_is_indexed_with_the_vector_of_its_text(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, encoder: WordEncoder
) -> None:
    seen: list[Progress] = []
    source = open_source(corpus(*documents(57), {"_id": "bare", "number": 1}))

    report = await ingest(source, engine, embedder, options(index), progress=seen.append)

    assert (report.read, report.indexed, report.embedded) == (58, 58, 57)
    assert (report.created, report.rejected, report.overwritten) == (True, 0, 0)
    assert (report.dead_letter, report.checkpoint) == (None, None)
    assert seen[0].settled == 0
    assert seen[-1].settled == 58
    found = await sources(engine, index)
    assert set(found) == {f"doc-{number}" for number in range(57)} | {"bare"}
    text = "Number 3\nrescore shard 3"
    assert found["doc-3"] == {
        "title": "Number 3",
        "text": "rescore shard 3",
        "number": 3,
        "rankside_hash": vector_hash(PROFILE.fingerprint, text),
    }
    assert await with_vector(engine, index) == set(found) - {"bare"}
    expected = encoder.encode([document_input(PROFILE, text)]).vectors[0]
    assert np.allclose(await stored_vector(engine, index, "doc-3"), expected, atol=1e-6)
    meta = (await existing_index(engine, index)).meta
    assert meta == IndexMeta(
        fingerprint=PROFILE.fingerprint, model="words", revision="1", dimensions=16
    )


async def test_a_second_run_doubles_nothing_and_can_skip_what_is_there(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, encoder: WordEncoder
) -> None:
    some = documents(20)
    await ingest(open_source(corpus(*some)), engine, embedder, options(index))

    again = await ingest(open_source(corpus(*some)), engine, embedder, options(index))
    some[4]["text"] = "changed"
    encoder.batches.clear()
    skipping = await ingest(
        open_source(corpus(*some)), engine, embedder, options(index, skip_existing=True)
    )

    assert (again.indexed, again.overwritten, again.created) == (20, 20, False)
    assert (skipping.indexed, skipping.skipped, skipping.embedded) == (1, 19, 1)
    assert [text for batch in encoder.batches for text in batch] == ["Number 4\nchanged"]
    found = await sources(engine, index)
    assert len(found) == 20
    assert found["doc-4"]["text"] == "changed"


async def test_what_is_broken_or_refused_becomes_a_dead_letter_and_nothing_else_does(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, state: Path
) -> None:
    some: list[Any] = [*documents(40)]
    some[13]["number"] = "thirteen"
    some[27]["number"] = {"not": "a number"}
    some.insert(20, '{"_id": "cut off')

    report = await ingest(open_source(corpus(*some)), engine, embedder, options(index))

    assert (report.read, report.indexed, report.rejected) == (41, 38, 3)
    assert report.dead_letter is not None
    assert Path(report.dead_letter).parent == state
    letters = letters_in(report.dead_letter)
    assert [one["line"] for one in letters] == [14, 21, 29]
    refused, broken, other = letters
    assert refused["id"] == "doc-13"
    assert refused["status"] == other["status"] == 400
    assert "number" in refused["reason"]
    assert refused["document"]["number"] == "thirteen"
    assert "not a JSON object" in broken["reason"]
    assert broken["raw"] == '{"_id": "cut off'
    assert len(await sources(engine, index)) == 38


async def test_documents_without_an_id_get_one_that_is_the_same_next_time(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus
) -> None:
    nameless = [{"title": f"t{number}", "text": "same"} for number in range(12)]

    first = await ingest(open_source(corpus(*nameless)), engine, embedder, options(index))
    second = await ingest(open_source(corpus(*nameless)), engine, embedder, options(index))

    assert (first.derived_ids, first.indexed, first.overwritten) == (12, 12, 0)
    assert second.overwritten == 12
    assert len(await sources(engine, index)) == 12


async def interrupt(
    engine: Engine, embedder: SidecarEmbedder, encoder: WordEncoder, path: str, **given: Any
) -> None:
    """An ingest that ends in the middle: once some documents are acknowledged, no more embed."""
    acknowledged = threading.Event()

    def watch(progress: Progress) -> None:
        if progress.settled >= 20:
            acknowledged.set()

    def fail(inputs: Sequence[EncoderInput]) -> None:
        # The sidecar's own check of its encoder is no document.
        if acknowledged.is_set() and inputs[0].text.startswith("Number"):
            raise RuntimeError("made to fail")

    encoder.before = fail
    with pytest.raises(SidecarError):
        await ingest(
            open_source(path), engine, embedder, options(patience=0, **given), progress=watch
        )
    encoder.before = lambda _: None


async def test_an_interrupted_run_goes_on_with_exact_counts(
    engine: Engine,
    index: str,
    embedder: SidecarEmbedder,
    corpus: Corpus,
    encoder: WordEncoder,
    state: Path,
) -> None:
    some: list[Any] = [*documents(400)]
    some[5]["number"] = "five"
    path = corpus(*some)
    await interrupt(engine, embedder, encoder, path, index=index)
    (checkpoint,) = files(state, "*.json")
    encoder.batches.clear()

    plan = await plan_ingest(open_source(path), engine, embedder, options(index))
    report = await ingest(open_source(path), engine, embedder, options(index))

    assert 0 < report.resumed_at < 400
    assert plan.resumes_at == report.resumed_at
    assert (report.read, report.indexed, report.rejected) == (400, 399, 1)
    assert len(letters_in(report.dead_letter)) == 1
    embedded = {text for batch in encoder.batches for text in batch if text.startswith("Number")}
    assert len(embedded) == 400 - report.resumed_at
    assert set(await sources(engine, index)) == {f"doc-{n}" for n in range(400) if n != 5}
    assert checkpoint not in files(state, "*")


async def test_a_run_whose_source_or_index_changed_is_refused_until_told_to_start_over(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, encoder: WordEncoder
) -> None:
    path = corpus(*documents(400))
    await interrupt(engine, embedder, encoder, path, index=index)
    await engine.request("DELETE", f"/{index}")
    with pytest.raises(SettingsError, match="index that is gone"):
        await ingest(open_source(path), engine, embedder, options(index))
    corpus(*documents(401))
    with pytest.raises(SettingsError, match="files changed"):
        await ingest(open_source(path), engine, embedder, options(index))

    report = await ingest(open_source(path), engine, embedder, options(index, resume=False))

    assert (report.resumed_at, report.indexed) == (0, 401)
    assert len(await sources(engine, index)) == 401


@pytest.mark.parametrize("interval", [None, "7s"])
async def test_refreshing_is_held_and_put_back_at_any_end(
    engine: Engine,
    index: str,
    embedder: SidecarEmbedder,
    corpus: Corpus,
    encoder: WordEncoder,
    interval: str | None,
) -> None:
    async def setting() -> object:
        return (await existing_index(engine, index)).settings.get("refresh_interval")

    await ingest(open_source(corpus(*documents(1))), engine, embedder, options(index))
    body = {"index": {"refresh_interval": interval}}
    await engine.request("PUT", f"/{index}/_settings", body=body)
    during: list[object] = []

    def look(_: Progress) -> None:
        looks.append(asyncio.create_task(setting()))

    looks: list[asyncio.Task[object]] = []
    path = corpus(*documents(400), name="more.jsonl")
    await interrupt(engine, embedder, encoder, path, index=index, hold_refresh=True)
    after_failure = await setting()
    held = options(index, hold_refresh=True)
    report = await ingest(open_source(path), engine, embedder, held, progress=look)
    during = [await one for one in looks]

    assert "-1" in during
    assert after_failure == await setting() == interval
    assert report.indexed == 400
    assert len(await sources(engine, index)) == 400


async def test_nothing_is_made_where_no_document_has_a_text(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus
) -> None:
    source = open_source(corpus({"_id": "a", "body": "text"}))

    with pytest.raises(SettingsError, match=r"--text-fields \(there are: body\)"):
        await ingest(source, engine, embedder, options(index))
    assert await engine.request("GET", f"/{index}*") == {}
    report = await ingest(source, engine, embedder, options(index, text_fields=("body",)))
    assert report.embedded == 1


async def test_an_index_of_others_is_given_the_fields_and_keeps_its_own_meta(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus
) -> None:
    body = {"mappings": {"_meta": {"theirs": 1}, "properties": {"text": {"type": "text"}}}}
    await engine.request("PUT", f"/{index}", body=body)

    report = await ingest(open_source(corpus(*documents(5))), engine, embedder, options(index))

    assert (report.created, report.indexed) == (False, 5)
    there = await existing_index(engine, index)
    assert there.mappings["_meta"]["theirs"] == 1
    assert there.meta is not None
    assert there.meta.fingerprint == PROFILE.fingerprint
    assert len(await with_vector(engine, index)) == 5


async def test_an_index_of_another_model_is_left_alone(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus
) -> None:
    path = corpus(*documents(3))
    await ingest(open_source(path), engine, embedder, options(index))
    embedder.fingerprint, embedder.model = "0" * 16, "other"

    with pytest.raises(SettingsError, match="holds vectors of words 1"):
        await ingest(open_source(path), engine, embedder, options(index))


async def test_a_dry_run_reads_everything_and_changes_nothing(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, state: Path
) -> None:
    path = corpus(*documents(5), "{", {"text": ""}, {"_id": "x", "text": "y"})

    plan = await plan_ingest(open_source(path), engine, embedder, options(index))

    found = plan.findings
    assert (found.read, found.documents, found.broken) == (8, 7, 1)
    assert (found.without_text, found.derived_ids) == (1, 1)
    assert found.first_broken[0].startswith("corpus.jsonl, line 6: it is not a JSON object")
    assert plan.create is not None
    assert plan.create["mappings"]["_meta"]["rankside"]["model"] == "words"
    assert json.dumps(plan.as_dict())
    assert await engine.request("GET", f"/{index}*") == {}
    assert files(state, "*.json*") == []


async def test_an_index_that_is_deleted_meanwhile_is_noticed(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, encoder: WordEncoder
) -> None:
    loop, times = asyncio.get_running_loop(), [1]

    def delete(inputs: Sequence[EncoderInput]) -> None:
        if inputs[0].text.startswith("Number") and times.pop(0) == 0:
            deleting = engine.request("DELETE", f"/{index}")
            asyncio.run_coroutine_threadsafe(deleting, loop).result(timeout=60)

    times += [1, 1, 0, *[1] * 100]
    encoder.before = delete
    # Seen by the request that was under way, or in the end, where the engine made a new index.
    noticed = "index_not_found|deleted or replaced while"
    with pytest.raises((EngineRejected, SettingsError), match=noticed):
        await ingest(open_source(corpus(*documents(100))), engine, embedder, options(index))


async def test_an_address_s_password_is_not_written_down(
    engine: Engine, index: str, embedder: SidecarEmbedder, corpus: Corpus, state: Path
) -> None:
    seen: list[str] = []
    url = engine.url
    engine.url = url.replace("://", "://somebody:secret@")

    def look(_: Progress) -> None:
        seen.extend(path.read_text() for path in files(state, "*.json"))

    await ingest(
        open_source(corpus(*documents(5))), engine, embedder, options(index), progress=look
    )

    assert seen
    assert url in seen[0]
    assert "secret" not in "".join(seen)
