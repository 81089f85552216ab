"""`rankside demo`: the whole way on a real engine, with figures."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from plugin.ranking.errors import SettingsError
from rankside.cli.console import (
    JsonFlag,
    SidecarOption,
    UrlOption,
    called_as,
    err,
    out,
    print_json,
    progress,
)

if TYPE_CHECKING:
    from connectors.options import SidecarClientOptions
    from rankside.demo.report import Report

ENGINE: Final = "opensearch"
TRIED: Final = "run a command and read its output"


def demo(
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the node and the sidecar of the demo.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the figures to this file, as Markdown.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Run judged queries over the standard library's docstrings, before and after reranking.

    Starts a local OpenSearch node and a sidecar unless their addresses are given, and leaves both
    running for you to try.
    """
    if stop:
        _stop()
        return
    _require_extras()
    result, client = asyncio.run(_run(url, sidecar, quiet=as_json))
    if markdown is not None:
        markdown.write_text(result.to_markdown() + "\n", encoding="utf-8")
    if as_json:
        print_json(result.to_json())
        return
    result.print(out)
    steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in result.seconds.items())
    out.print(f"[dim]{steps}[/]")
    _print_command("Try", _search(url, client))
    if url is None or sidecar is None:
        _print_command("Stop it all", ["demo", "--stop"])


def _search(url: str | None, client: SidecarClientOptions) -> list[str]:
    """The words of a search of the demo's index; a local node is found without its address."""
    from rankside.demo.run import INDEX

    engine = [] if url is None else ["--url", url]
    return ["search", TRIED, "--index", INDEX, *engine, "--sidecar", client.url]


def _print_command(label: str, words: list[str]) -> None:
    """A line to copy, whole: neither wrapped nor taken for markup."""
    line = f"{label}: {shlex.join([*called_as(), *words])}"
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def _stop() -> None:
    from deploy import local
    from rankside.demo.background import BackgroundSidecar

    running = BackgroundSidecar.running()
    if running:
        running.stop()
    node = local.down(ENGINE)
    out.print(f"sidecar {'stopped' if running else 'was not running'}")
    out.print(f"{ENGINE} {'stopped' if node else 'was not running'}")


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
    url: str | None, sidecar: str | None, *, quiet: bool
) -> tuple[Report, SidecarClientOptions]:
    """The report, and how the sidecar is reached."""
    from connectors.options import SidecarClientOptions
    from deploy import local
    from deploy.local.places import cache_root
    from evaluation.collections import load_collection
    from rankside.demo import background
    from rankside.demo.corpus import write_beir
    from rankside.demo.ingest import ingest_corpus
    from rankside.demo.run import compare_systems

    seconds: dict[str, float] = {}
    with _step(seconds, "node", quiet=quiet):
        url = url or local.up(ENGINE).url
    with _step(seconds, "sidecar", quiet=quiet):
        sidecar = sidecar or background.start().url
    client = SidecarClientOptions(url=sidecar, timeout=120)
    folder = cache_root() / "demo"
    with _step(seconds, "corpus", quiet=quiet):
        documents = write_beir(folder).documents
    with _step(seconds, "ingest", quiet=quiet), progress(quiet=quiet) as bar:
        await ingest_corpus(folder, documents, url, client, bar)
    with _step(seconds, "searches", quiet=quiet), progress(quiet=quiet) as bar:
        report = await compare_systems(load_collection(folder), url, client, seconds, bar)
    return report, client
