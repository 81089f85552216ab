"""The tables of docs/results.md, written from what `rankside eval --json` wrote.

``python -m evaluation.results_page docs/results.md --commit … scifact.json nfcorpus.json …``
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from evaluation.quality_page import replace_tables
from evaluation.report import describe_first_stage, p_text
from plugin.ranking.errors import RanksideError, SettingsError

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def results_page(
    page: Annotated[Path, typer.Argument(help="The page, with its two marks.")],
    documents: Annotated[list[Path], typer.Argument(help="Files of `rankside eval --json`.")],
    *,
    commit: Annotated[str, typer.Option(help="What was measured, as git names it.")],
) -> None:
    """Write the page's tables anew."""
    try:
        replace_tables(page, tables([_read(path) for path in documents], commit))
    except RanksideError as error:
        Console(stderr=True).print(f"results: {error}", style="bold red", soft_wrap=True)
        raise typer.Exit(1) from error


def tables(documents: Sequence[Mapping[str, Any]], commit: str) -> Iterator[str]:
    """A table a collection, below what it was measured on."""
    for document in documents:
        yield f"\n## {document['dataset']}, {document['split']} queries\n"
        yield _conditions(document, commit)
        yield ""
        yield from _rows(document["results"])


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as JSON: {error}") from error
    return document


def _conditions(document: Mapping[str, Any], commit: str) -> str:
    machine, versions = document["machine"], document["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    ranked = {
        "engine": "real searches (window search, sidecar, rescore)",
        "memory": "the core in memory",
    }
    return (
        f"{document['queries']} queries, {document['documents']} documents, window "
        f"{document['k']}. First stage: {describe_first_stage(document['first_stage'])}; ranked "
        f"by {ranked[document['through']]}. Model: {document['model']['name']} "
        f"({document['model']['fingerprint']}). {document['date'][:10]}, {commit}; "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, load "
        f"{machine['load_1m']:g}; {named}."
    )


def _rows(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    recall = max((name for name in results[0] if name.startswith("R@")), key=_depth)
    yield (
        "| strategy | nDCG@10 | against the first stage | 95 % interval | p | won, lost | not "
        f"reranked | MAP | MRR@10 | R@10 | {recall} | Judged@10 |"
    )
    yield f"|{'---|' * 12}"
    for row in results:
        gain = row["vs_none"]
        unranked = sum(count for status, count in row["statuses"].items() if status != "reranked")
        sure = (
            [
                f"{gain['difference']:+.4f}",
                "{:+.3f} … {:+.3f}".format(*gain["ci95"]),
                p_text(gain["p_value"]),
                f"{gain['better']}, {gain['worse']}",
                str(unranked),
            ]
            if gain
            else [""] * 5
        )
        others = [f"{row[name]:.4f}" for name in ("AP", "RR@10", "R@10", recall, "Judged@10")]
        cells = [row["strategy"], f"{row['nDCG@10']:.4f}", *sure, *others]
        yield f"| {' | '.join(cells)} |"


def _depth(name: str) -> int:
    return int(name.removeprefix("R@"))


if __name__ == "__main__":
    app()
