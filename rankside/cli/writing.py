"""What `rankside ingest` and `rankside backfill` share: options, limits, the rate of a bar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TextColumn

from ingest.bulk import BulkOptions
from ingest.stages import FlowOptions

TextFieldsOption = Annotated[
    str | None,
    typer.Option(
        "--text-fields",
        help="Fields the embedded text is made of, like title,text; default: the index's, else "
        "the settings'.",
    ),
]
VectorFieldOption = Annotated[
    str | None, typer.Option("--vector-field", help="Field of the vector; default likewise.")
]
InProcessFlag = Annotated[
    bool, typer.Option("--in-process", help="Embed in this process instead of by the sidecar.")
]
BatchOption = Annotated[
    int, typer.Option("--batch", min=1, max=2048, help="Documents embedded in one call.")
]
BulkDocsOption = Annotated[
    int, typer.Option("--bulk-docs", min=1, max=100_000, help="Documents in one bulk request.")
]
BulkBytesOption = Annotated[
    int, typer.Option("--bulk-bytes", min=1024, max=100_000_000, help="Bytes of one bulk request.")
]
ConcurrencyOption = Annotated[
    int,
    typer.Option(
        "--concurrency", min=1, max=64, help="Embedding calls and bulk requests in flight, each."
    ),
]
PatienceOption = Annotated[
    float,
    typer.Option(
        "--patience",
        min=0,
        max=86_400,
        help="Seconds to keep trying while engine or sidecar is away or refuses work.",
    ),
]
DeadLetterOption = Annotated[
    Path | None,
    typer.Option("--dead-letter", help="File for what fails; default: in the state folder."),
]

RATE_COLUMN = TextColumn("{task.fields[rate]}")


def flow_options(
    batch: int,
    concurrency: int,
    bulk_docs: int,
    bulk_bytes: int,
    patience: float,
    skip_existing: bool = False,
) -> FlowOptions:
    """The limits of a run."""
    bulk = BulkOptions(bulk_docs, bulk_bytes, patience)
    return FlowOptions(batch, concurrency, bulk, skip_existing)


def rate(done: int, seconds: float) -> str:
    """How a rate is shown."""
    return f"{done / seconds:.0f} documents/s" if seconds > 0 else ""
