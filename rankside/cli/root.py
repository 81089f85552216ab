"""The root command: mounts every command and maps errors to exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Annotated

import typer
from rich.markup import escape

from plugin.ranking.errors import RanksideError
from rankside.cli import (
    backfill,
    clicks,
    demo,
    doctor,
    engine,
    evaluate,
    ingest,
    pipelines,
    prompt,
    search,
    serve,
    train,
    tune,
)
from rankside.cli.console import err, exit_code, out
from rankside.cli.exits import epilog

app = typer.Typer(
    help="Listwise reranking inside OpenSearch and Elasticsearch.",
    epilog="Exit codes: 0 good, 2 usage, 3 engine, 4 sidecar, 5 partly done.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(engine.app, name="engine")
app.add_typer(prompt.app, name="prompt")
app.add_typer(train.app, name="train")
_COMMANDS: Mapping[str, Callable[..., None]] = {
    "serve": serve.serve,
    "ingest": ingest.ingest,
    "backfill": backfill.backfill,
    "plan": pipelines.plan,
    "apply": pipelines.apply,
    "destroy": pipelines.destroy,
    "search": search.search,
    "doctor": doctor.doctor,
    "eval": evaluate.evaluate,
    "tune": tune.tune,
    "clicks": clicks.clicks,
    "demo": demo.demo,
}
for _name, _command in _COMMANDS.items():
    app.command(_name, epilog=epilog(_name))(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"rankside {version('rankside')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Listwise reranking inside OpenSearch and Elasticsearch."""


def main() -> None:
    """Run the command line; a Rankside error becomes one sentence and its exit code."""
    try:
        app()
    except RanksideError as error:
        err.print(f"[bold red]rankside:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(exit_code(error))
