"""What a benchmark measured, as a table for eyes and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def show(document: Mapping[str, Any], title: str, json_out: str | None = None) -> None:
    """Print ``sections``, ``machine`` and ``versions`` of ``document``.

    ``json_out`` also gets all of it as JSON; with "-" only that is printed.
    """
    text = json.dumps(document, indent=2) + "\n"
    if json_out == "-":
        sys.stdout.write(text)
        return
    _print(document, title)
    if json_out is not None:
        Path(json_out).write_text(text, encoding="utf-8")


def _print(document: Mapping[str, Any], title: str) -> None:
    console = Console()
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("p50", "p95", "IQR", "n", "a second"):
        table.add_column(heading, justify="right", no_wrap=True)
    for section, rows in document["sections"].items():
        table.add_section()
        table.add_row(f"[bold]{section}[/]")
        for name, figures in rows.items():
            for cells in _rows(name, figures):
                table.add_row(*cells)
    console.print(table)
    console.print(f"{document['machine']} {document['versions']}", highlight=False)


def _rows(name: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    if "median_ms" in figures:
        low, high = figures["iqr_ms"]
        rate = figures.get("documents_per_second", figures["per_second"])
        spread = f"{low:.1f} … {high:.1f}"
        p50, p95 = f"{figures['median_ms']:.1f}", f"{figures['p95_ms']:.1f}"
        yield name, p50, p95, spread, str(figures["n"]), f"{rate:.1f}" if rate else ""
    elif "times" in figures:
        yield name, f"{figures['times']:g} x", "", "", "", ""
    elif not any(isinstance(value, Mapping) for value in figures.values()):
        yield name, ", ".join(f"{key} {value}" for key, value in figures.items()), "", "", "", ""
    else:
        yield name, "", "", "", "", ""
        for stage, spread in figures.items():
            share = f"{spread['share']:.0%} of it"
            yield f"  {stage}", f"{spread['p50']:.1f}", f"{spread['p95']:.1f}", "", "", share
