"""The demo's ingest: the ordinary one, told to leave alone what is there and unchanged."""

from __future__ import annotations

from pathlib import Path

from rich.progress import Progress as Bar

from connectors.connect import connect
from connectors.options import EngineOptions, SidecarClientOptions
from ingest.embedders import SidecarEmbedder
from ingest.flow import FlowOptions
from ingest.run import IngestOptions, IngestReport, Progress, ingest
from ingest.source import open_source
from plugin.ranking.errors import PartlyDone
from rankside.demo.run import INDEX


async def ingest_corpus(
    folder: Path, documents: int, where: EngineOptions, client: SidecarClientOptions, bar: Bar
) -> IngestReport:
    """Index the corpus in ``folder`` (BEIR layout) with vectors; a second time only what changed.

    Raises:
        RanksideError: as `rankside ingest` does.
        PartlyDone: the engine refused documents; figures over the rest would be another corpus's.
    """
    task = bar.add_task("documents", total=documents)

    def show(progress: Progress) -> None:
        bar.update(task, completed=progress.settled)

    engine = await connect(where)
    embedder = await SidecarEmbedder.connect(client)
    # The corpus is written anew each time; what a killed run had indexed is skipped all the same.
    options = IngestOptions(index=INDEX, flow=FlowOptions(skip_existing=True), resume=False)
    try:
        source = open_source(str(folder))
        report = await ingest(source, engine, embedder, options, progress=show)
    finally:
        await embedder.close()
        await engine.close()
    if report.rejected:
        raise PartlyDone(
            f"{report.rejected} of {report.read} documents were refused, so that figures would be "
            f"over a part; {report.dead_letter} says why"
        )
    return report
