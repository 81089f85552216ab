"""The root command: mounts every command and maps errors to exit codes."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.markup import escape

from plugin.ranking.errors import RanksideError
from rankside.cli import backfill, demo, doctor, engine, evaluate, ingest, pipelines, search, serve
from rankside.cli.console import err, exit_code, out
from rankside.cli.exits import epilog

app = typer.Typer(
    help="Listwise reranking inside OpenSearch and Elasticsearch.",
    epilog="Exit codes: 0 good, 2 usage, 3 engine, 4 sidecar, 5 partly done.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(engine.app, name="engine")
app.command("serve", epilog=epilog("serve"))(serve.serve)
app.command("ingest", epilog=epilog("ingest"))(ingest.ingest)
app.command("backfill", epilog=epilog("backfill"))(backfill.backfill)
app.command("plan", epilog=epilog("plan"))(pipelines.plan)
app.command("apply", epilog=epilog("apply"))(pipelines.apply)
app.command("destroy", epilog=epilog("destroy"))(pipelines.destroy)
app.command("search", epilog=epilog("search"))(search.search)
app.command("doctor", epilog=epilog("doctor"))(doctor.doctor)
app.command("eval", epilog=epilog("eval"))(evaluate.evaluate)
app.command("demo", epilog=epilog("demo"))(demo.demo)


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
