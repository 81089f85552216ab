"""`rankside engine up|down|status`: an engine on this machine, for development and tests.

Standard output carries the result only (a URL, or JSON with ``--json``), so that it can be used in
scripts; progress goes to standard error.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from connectors.options import EngineOptions
from deploy import local
from plugin.ranking.errors import UsageError
from rankside.access import engine_options
from rankside.cli.console import Exit, node_progress
from rankside.cli.exits import epilog
from rankside.settings import Settings

BUILD = "build"

app = typer.Typer(
    no_args_is_help=True,
    help="A real OpenSearch or Elasticsearch node on this machine, fetched from Maven Central.",
)


class EngineChoice(StrEnum):
    """The engines that can be run here."""

    opensearch = "opensearch"
    elasticsearch = "elasticsearch"


Engine = Annotated[EngineChoice, typer.Option("--engine", "-e", help="Which engine.")]
Instance = Annotated[str, typer.Option(help="Which node of this engine; each has its own data.")]
Home = Annotated[
    Path | None,
    typer.Option(help="Where engines and data are kept (default: RANKSIDE_HOME, else the cache)."),
]
Plugin = Annotated[
    str | None,
    typer.Option(
        metavar="[ZIP]",
        help="Install the Rankside plugin: this zip, or without one what the checkout builds.",
    ),
]
NodeSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--setting",
        metavar="NAME=VALUE",
        help="Of the engine's configuration file, for this start; may be repeated.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
UrlOnly = Annotated[bool, typer.Option("--url-only", help="Print the URL and nothing else.")]


class UpCommand(TyperCommand):
    """`up`, whose ``--plugin`` may stand alone, which Typer's own options cannot."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write out what a bare ``--plugin`` stands for."""
        words = [*args, "-"]
        spelled = [
            f"--plugin={BUILD}" if word == "--plugin" and after.startswith("-") else word
            for word, after in pairwise(words)
        ]
        return super().parse_args(ctx, spelled)


@app.command(epilog=epilog("engine up"), cls=UpCommand)
def up(
    *,
    engine: Engine = EngineChoice.opensearch,
    instance: Instance = "default",
    heap: Annotated[str | None, typer.Option(help="Memory of the JVM, like 512m or 1g.")] = None,
    plugin: Plugin = None,
    setting: NodeSettings = None,
    home: Home = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Stop it and DELETE its data first.")
    ] = False,
    url_only: UrlOnly = False,
    as_json: Json = False,
) -> None:
    """Start the engine, or find it running, and print its URL.

    The first call fetches the engine from Maven Central and needs a JDK 21 or newer and Maven.
    """
    settings = dict(map(_setting, setting or ()))
    with node_progress(quiet=as_json or url_only) as report:
        zipped = _plugin(engine, plugin, home, report)
        node = local.up(
            engine.value,
            instance=instance,
            heap=heap,
            settings=settings,
            plugin=zipped,
            fresh=fresh,
            root=home,
            progress=report,
        )
    typer.echo(_as_json(node) if as_json else node.url)


@app.command(epilog=epilog("engine down"))
def down(
    *,
    engine: Engine = EngineChoice.opensearch,
    instance: Instance = "default",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Stop the engine and keep its data; it is fine if it was not running."""
    stopped = local.down(engine.value, instance, root=home)
    if as_json:
        typer.echo(json.dumps({"engine": engine.value, "stopped": stopped}))
    else:
        typer.echo(f"{engine.value} {'stopped' if stopped else 'was not running'}")


@app.command(epilog=epilog("engine status"))
def status(
    *,
    engine: Engine = EngineChoice.opensearch,
    instance: Instance = "default",
    home: Home = None,
    url_only: UrlOnly = False,
    as_json: Json = False,
) -> None:
    """Say whether the engine runs and where."""
    node = local.status(engine.value, instance, root=home)
    if as_json:
        stopped = json.dumps({"engine": engine.value, "running": False})
        typer.echo(_as_json(node) if node else stopped)
    elif url_only:
        typer.echo(node.url if node else "", nl=node is not None)
    else:
        typer.echo(_as_text(node) if node else f"{engine.value} is not running")
    if node is None:
        raise typer.Exit(Exit.ENGINE)


def start_engine(settings: Settings, *, quiet: bool = False) -> EngineOptions:
    """The local OpenSearch, started if it does not run, with the rest of the settings.

    Raises:
        LocalEngineError: it cannot be built or started.
    """
    with node_progress(quiet=quiet) as report:
        url = local.up(EngineChoice.opensearch.value, progress=report).url
    return engine_options(settings, url)


def _setting(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not (name and equals):
        raise UsageError(f"--setting {written}: write NAME=VALUE")
    return name, value


def _plugin(
    engine: EngineChoice, asked: str | None, home: Path | None, report: local.Progress
) -> Path | None:
    if asked == BUILD:
        return local.build_plugin(engine.value, root=home, progress=report)
    return Path(asked) if asked else None


def _fields(node: local.RunningNode) -> dict[str, object]:
    return {key: str(v) if isinstance(v, Path) else v for key, v in asdict(node).items()}


def _as_json(node: local.RunningNode) -> str:
    return json.dumps({"running": True, **_fields(node)})


def _as_text(node: local.RunningNode) -> str:
    fields = {"engine": node.engine, "state": "running", **_fields(node)}
    return "\n".join(f"{key:<8} {value}" for key, value in fields.items() if value is not None)
