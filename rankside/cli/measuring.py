"""What commands that measure share: their options, progress, and where the engine comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plugin.ranking.errors import SettingsError
from rankside.access import engine_options, named_engine
from rankside.cli.console import check_writable, print_json, progress, write_file
from rankside.cli.engine import start_engine
from rankside.settings import Settings

if TYPE_CHECKING:
    from connectors.options import EngineOptions
    from evaluation.collections import Collection
    from evaluation.live_index import LiveIndex
    from evaluation.memory import Track

STDOUT = "-"

JsonOption = Annotated[
    str | None,
    typer.Option("--json", metavar="OUT", help="Write JSON to a file; - for stdout."),
]
LiveOption = Annotated[
    str | None,
    typer.Option(
        "--index", help="An index that is there, instead of DIR: searched as it is, never written."
    ),
]
QueriesOption = Annotated[
    Path | None,
    typer.Option(help="With --index: queries.jsonl, TREC topics, or lines of id, tab and text."),
]
QrelsOption = Annotated[
    Path | None, typer.Option(help="With --index: judgments, as TREC's or BEIR's.")
]
BodyOption = Annotated[
    Path | None,
    typer.Option(
        help='With --index: file with your own _search body, "{{query}}" where the text belongs.'
    ),
]
AnalyzerOption = Annotated[
    str, typer.Option(help="Text analyzer of the index made here, as `english`.")
]


def check_installed() -> None:
    """See that what measuring needs is there.

    Raises:
        SettingsError: an extra is not installed; the message names it.
    """
    try:
        import evaluation.session  # noqa: F401 - what it needs is in two extras
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed; install rankside[evaluation,sidecar]"
        ) from error


def json_file(json_out: str | None) -> Path | None:
    """The file of `--json`; None where it goes to standard output, or nowhere."""
    return Path(json_out) if json_out is not None and json_out != STDOUT else None


def check_json(json_out: str | None) -> None:
    """See that `--json` can be written before the hours it may take to have what it holds.

    Raises:
        SettingsError: it cannot.
    """
    file = json_file(json_out)
    if file is not None:
        check_writable("--json", file, make_folder=True)


def write_json(document: dict[str, Any], json_out: str | None) -> None:
    """Write the document of `--json`, where that is given.

    Raises:
        SettingsError: the file cannot be written.
    """
    file = json_file(json_out)
    if file is not None:
        write_file("--json", file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    elif json_out == STDOUT:
        print_json(document)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is searched and who judged it, as typed: a folder, or an index and two files."""

    folder: Path | None
    index: str | None
    queries: Path | None
    qrels: Path | None

    def load(self, split: str) -> Collection:
        """The collection; without documents where they are in the index.

        Raises:
            SettingsError: a file cannot be read, or neither of the two is given, or both are.
        """
        from evaluation.collections import load_collection
        from evaluation.judged import judged_collection

        if self.folder is not None:
            if (self.index, self.queries, self.qrels) != (None, None, None):
                raise SettingsError(
                    "DIR holds documents, queries and judgments; leave out --index, --queries and "
                    "--qrels, or DIR"
                )
            return load_collection(self.folder, split)
        if self.index is None or self.queries is None or self.qrels is None:
            raise SettingsError("give DIR, or all of --index, --queries and --qrels")
        return judged_collection(self.index, self.queries, self.qrels)

    def live(
        self, body: Path | None, text_fields: tuple[str, ...] | None, vector_field: str | None
    ) -> LiveIndex | None:
        """The index, if one is named.

        Raises:
            SettingsError: ``body`` cannot be read, or something is said of no index.
        """
        from evaluation.live_index import LiveIndex, read_body

        if self.index is None:
            if (body, text_fields, vector_field) != (None, None, None):
                raise SettingsError(
                    "--query-body, --text-fields and --vector-field are about your own index; give "
                    "--index, or leave them out"
                )
            return None
        return LiveIndex(self.index, read_body(body) if body else None, text_fields, vector_field)


def engine_to_measure(
    settings: Settings, url: str | None, *, has_index: bool, quiet: bool
) -> EngineOptions:
    """The engine named, else set, else the local one that runs, else OpenSearch, started.

    One that has the index to be read is not started: a node that just was has none.
    """
    named = named_engine(settings, url)
    if named is None and (has_index or _local_runs()):
        named = engine_options(settings)
    return named or start_engine(settings, quiet=quiet)


@contextmanager
def tracked(*, quiet: bool) -> Iterator[Track]:
    """Progress bars, one a step."""
    with progress(quiet=quiet) as bar:

        def track(description: str, total: int) -> Callable[[int], None]:
            task = bar.add_task(description, total=total)
            return lambda steps: bar.advance(task, steps)

        yield track


def _local_runs() -> bool:
    from deploy import local

    return any(local.status(name) is not None for name in local.ENGINES)
