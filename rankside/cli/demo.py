"""`rankside demo`: the whole way on a real engine, with figures."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from plugin.models.base_options import AUTO
from plugin.ranking.errors import SettingsError
from rankside.access import client_options, named_client, named_engine
from rankside.cli.console import (
    ConfigOption,
    JsonFlag,
    SidecarOption,
    UrlOption,
    called_as,
    check_writable,
    err,
    out,
    print_json,
    progress,
    write_file,
)
from rankside.cli.engine import EngineChoice, start_engine
from rankside.settings import Settings, load_settings

if TYPE_CHECKING:
    from connectors.options import EngineOptions, SidecarClientOptions
    from rankside.demo.report import Report

ENGINE: Final = EngineChoice.opensearch.value
TRIED: Final = "run a command and read its output"
MODEL: Final = "all-minilm-l6-v2"
PATIENCE: Final = 120.0  # seconds for one call, where the settings do not say


def demo(
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the node and the sidecar of the demo.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the figures to this file, as Markdown.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Run judged queries over the standard library's docstrings, before and after reranking.

    Starts a local OpenSearch node and a sidecar unless their addresses are given or set, and leaves
    both running for you to try.
    """
    if stop:
        _stop(as_json=as_json)
        return
    if markdown is not None:
        check_writable("--markdown", markdown)
    _require_extras()
    settings = load_settings(config)
    engine, named = named_engine(settings, url), named_client(settings, sidecar)
    stoppable = engine is None or named is None
    seconds: dict[str, float] = {}
    with _step(seconds, "node", quiet=as_json):
        engine = engine or start_engine(settings, quiet=as_json)
    with _step(seconds, "sidecar", quiet=as_json):
        client = _client(settings, named, config)
    result = asyncio.run(_run(engine, client, seconds, quiet=as_json))
    if as_json:
        print_json(result.to_json())
    else:
        _print(result)
        found = client.url == settings.client.url  # by a search with the same settings
        where = {"--url": url, "--sidecar": None if found else client.url, "--config": config}
        _print_command("Try", _search(where))
        if stoppable:
            _print_command("Stop it all", ["demo", "--stop"])
    if markdown is not None:
        write_file("--markdown", markdown, result.to_markdown() + "\n")


def _print(report: Report) -> None:
    report.print(out)
    steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in report.seconds.items())
    out.print(f"[dim]{steps}[/]")


def _client(
    settings: Settings, named: SidecarClientOptions | None, config: str | None
) -> SidecarClientOptions:
    """The sidecar named or set, else one started in the background."""
    from rankside.demo import background

    client = named
    if client is None:
        client = client_options(settings, background.start(_serve(settings, config)).url)
    if "timeout" in settings.client.model_fields_set:
        return client
    return client.model_copy(update={"timeout": PATIENCE})


def _serve(settings: Settings, config: str | None) -> list[str]:
    """Arguments of the sidecar: the model whose figures are documented, unless one is set.

    The default with CUDA would be fetched from its hub first.
    """
    name = MODEL if settings.model.name == AUTO else settings.model.name
    return ["--model", name, *(["--config", str(Path(config).absolute())] if config else [])]


def _search(where: Mapping[str, str | None]) -> list[str]:
    """The words of a search of the demo's index; a local node is found without its address."""
    from rankside.demo.run import INDEX

    given = [word for option, value in where.items() if value for word in (option, value)]
    return ["search", TRIED, "--index", INDEX, *given]


def _print_command(label: str, words: list[str]) -> None:
    """A line to copy, whole: neither wrapped nor taken for markup."""
    line = f"{label}: {shlex.join([*called_as(), *words])}"
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def _stop(*, as_json: bool) -> None:
    from deploy import local
    from rankside.demo.background import BackgroundSidecar

    running = BackgroundSidecar.running()
    if running:
        running.stop()
    stopped = {"sidecar": running is not None, ENGINE: local.down(ENGINE)}
    if as_json:
        print_json({"stopped": stopped})
        return
    for name, was_running in stopped.items():
        out.print(f"{name} {'stopped' if was_running else 'was not running'}")


def _require_extras() -> None:
    try:
        import fastapi  # noqa: F401
        import ir_measures  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            f"the demo needs {error.name}; install rankside with its extras: rankside[all]"
        ) from error


@contextmanager
def _step(seconds: dict[str, float], name: str, *, quiet: bool) -> Iterator[None]:
    """Time a step, and say that it is under way."""
    start = time.perf_counter()
    if not quiet:
        err.print(f"[bold]{name}[/] …", highlight=False)
    yield
    seconds[name] = round(time.perf_counter() - start, 1)


async def _run(
    engine: EngineOptions,
    client: SidecarClientOptions,
    seconds: dict[str, float],
    *,
    quiet: bool,
) -> Report:
    from deploy.local.places import cache_root
    from evaluation.collections import load_collection
    from rankside.demo.corpus import write_beir
    from rankside.demo.ingest import ingest_corpus
    from rankside.demo.run import compare_systems

    folder = cache_root() / "demo"
    with _step(seconds, "corpus", quiet=quiet):
        documents = write_beir(folder).documents
    with _step(seconds, "ingest", quiet=quiet), progress(quiet=quiet) as bar:
        await ingest_corpus(folder, documents, engine, client, bar)
    with _step(seconds, "searches", quiet=quiet), progress(quiet=quiet) as bar:
        return await compare_systems(load_collection(folder), engine, client, seconds, bar)
