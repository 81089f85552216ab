"""Command-line options that measurements of an LLM over a collection's run share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CollectionOption = Annotated[str, typer.Option(help="Test collection.")]
RunOption = Annotated[
    Path | None, typer.Option(help="TREC run of the first stage; default: the collection's.")
]
DataOption = Annotated[
    Path | None, typer.Option(help="Test collections; default: RANKSIDE_SHARED_DATA.")
]
QueriesOption = Annotated[int | None, typer.Option(min=1, help="So many; default: all.")]
AtOnceOption = Annotated[int, typer.Option(min=1, help="Queries under way at the same time.")]
AnswersOption = Annotated[
    Path | None, typer.Option(help="File of answers, to go on where a run was ended.")
]
ConfigOption = Annotated[Path | None, typer.Option(help="TOML file with an [llm] table.")]
JsonOption = Annotated[
    Path | None, typer.Option("--json", metavar="OUT", help="Write JSON to a file, not here.")
]
