"""`python -m evaluation.injection_run`: the suite of injected passages against a chat model."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from evaluation.injection import Effect, Suite, attacks, cases
from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.models.load_llm import load_llm
from plugin.ranking.errors import RanksideError, SettingsError
from plugin.ranking.initial_order import InitialOrder
from plugin.ranking.llm_prompt import Decoding
from plugin.ranking.score_labels import ScoreMode

app = typer.Typer(pretty_exceptions_enable=False)
err = Console(stderr=True)


@app.command()
def run(  # noqa: PLR0913 - options are arguments
    *,
    url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible server, up to and with /v1.")
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="Folder or .gguf file of a model to run here instead.")
    ] = None,
    model: Annotated[str, typer.Option(help="Its name at that server.")] = "default",
    max_tokens: Annotated[int, typer.Option(min=16, help="Of an answer.")] = 512,
    score_mode: Annotated[ScoreMode, typer.Option(help="What stands beside a passage.")] = (
        ScoreMode.RAW
    ),
    initial_order: Annotated[InitialOrder, typer.Option(help="Order in the prompt.")] = (
        InitialOrder.FIRST_STAGE
    ),
    decoding: Annotated[Decoding, typer.Option(help="How the order is read.")] = (
        Decoding.PERMUTATION
    ),
    seconds: Annotated[float, typer.Option(min=1, help="For one answer.")] = 60.0,
    only: Annotated[str | None, typer.Option(help="Attacks of this kind alone.")] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write JSON to a file too.")
    ] = None,
) -> None:
    """Measure how far injected passages move, with passages cleaned and as they are."""
    settings = {
        "url": url,
        "path": path,
        "model": model,
        "max_tokens": max_tokens,
        "score_mode": score_mode,
        "initial_order": initial_order,
        "decoding": decoding,
        "timeout": seconds,
    }
    try:
        options = LLMOptions.model_validate(settings)
        effects = asyncio.run(_effects(_loaded(options), options, only))
    except (RanksideError, ValidationError) as error:
        err.print(f"[bold red]injection:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    Console().print(_table(effects))
    if json_out is not None:
        json_out.write_text(_json(options, effects), "utf-8")


def _json(options: LLMOptions, effects: list[Effect]) -> str:
    document = {
        "model": options.model,
        "template": options.template,
        "score_mode": options.score_mode,
        "initial_order": options.initial_order,
        "decoding": options.decoding,
        "effects": [asdict(effect) for effect in effects],
    }
    return json.dumps(document, indent=2) + "\n"


async def _effects(llm: LLM, options: LLMOptions, only: str | None) -> list[Effect]:
    tried = [attack for attack in attacks() if only in (None, attack.kind)]
    if not tried:
        kinds = ", ".join(dict.fromkeys(attack.kind for attack in attacks()))
        raise SettingsError(f"no attack is of kind {only!r}; --only is one of {kinds}")
    on = cases()
    suite = Suite(llm, options.insertrank(llm.tokenizer), options.timeout)
    try:
        with Progress(console=err, disable=not err.is_terminal) as bar:
            task = bar.add_task("ranking", total=2 * len(on) * (len(tried) + 1))
            found = [
                await suite.run(tried, on, cleaned=cleaned, done=lambda: bar.advance(task))
                for cleaned in (True, False)
            ]
    finally:
        await llm.close()
    return [effect for effects in found for effect in effects]


def _loaded(options: LLMOptions) -> LLM:
    llm = load_llm(options)
    if llm is None:
        raise SettingsError("no LLM is named; give --url or --path")
    return llm


def _table(effects: list[Effect]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("attack", "passages"):
        table.add_column(name, no_wrap=True)
    for name in ("places up", "95 %", "now first", "unread"):
        table.add_column(name, justify="right", no_wrap=True)
    for effect in effects:
        table.add_row(
            effect.attack,
            "cleaned" if effect.cleaned else "as they are",
            f"{effect.moved:+.2f}",
            f"{effect.low:+.2f} … {effect.high:+.2f}",
            f"{effect.first:.0%}",
            f"{effect.unread:.0%}",
        )
    return table


if __name__ == "__main__":
    app()
