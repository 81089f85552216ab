"""The tables of docs/reference/quality.md, written from the result of `make eval`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from plugin.ranking.errors import SettingsError

BEGIN, END = "<!-- eval:begin -->", "<!-- eval:end -->"


def update_page(path: Path, document: Mapping[str, Any]) -> None:
    """Write the tables of ``document`` between the marks of ``path``; raises SettingsError."""
    replace_tables(path, _tables(document))


def replace_tables(path: Path, lines: Iterable[str]) -> None:
    """Replace what stands between the marks of ``path``.

    Raises:
        SettingsError: the page cannot be read or has no marks.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"page {path} cannot be read: {error.strerror}") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SettingsError(f"page {path} has no {BEGIN} … {END}; add them where the tables go")
    tables = "\n".join(lines)
    path.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")


def _tables(document: Mapping[str, Any]) -> Iterator[str]:
    yield _conditions(document)
    yield "\n### Choosing, on dev queries\n"
    yield from _families(document["choice"])
    yield from _flatness(document["choice"])
    yield "\n### Measured once, on test queries\n"
    for report in document["test"]:
        size = f"{report['queries']} queries, {report['documents']} documents"
        yield f"**{report['name']}** ({size})\n"
        yield from _results(report["results"])
        yield ""


def _conditions(document: Mapping[str, Any]) -> str:
    machine, versions = document["machine"], document["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    dev = "; ".join(f"{one['name']} ({one['queries']})" for one in document["dev"])
    return (
        f"Model {document['model']['name']} ({document['model']['fingerprint']}), window "
        f"{document['k']}. {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB; {named}. Dev queries: {dev}. "
        f"{document['choice']['settings_tried']} settings tried; {document['seconds']:.0f} s."
    )


def _families(choice: Mapping[str, Any]) -> Iterator[str]:
    yield "| signals | weights | prompt hits | Rocchio hits | dev nDCG@10 | behind the best |"
    yield "|---|---|---|---|---|---|"
    for row in choice["families"]:
        weights = ", ".join(f"{weight:g}" for weight in row["signals"].values())
        mark = "**" if row["signals"] == choice["chosen"]["signals"] else ""
        yield (
            f"| {mark}{' + '.join(row['signals'])}{mark} | {weights} | {row['prompt_hits']} "
            f"| {row['rocchio_hits'] if 'rocchio' in row['signals'] else ''} "
            f"| {row['dev_nDCG@10']:.4f} | {row['behind']:.4f} ± {row['standard_error']:.4f} |"
        )


def _flatness(choice: Mapping[str, Any]) -> Iterator[str]:
    points = choice["by_first_stage"]
    weights = " | ".join(f"{point['first_stage']:g}" for point in points)
    scores = " | ".join(f"{point['dev_nDCG@10']:.4f}" for point in points)
    yield "\nHow flat it is: dev nDCG@10 by first-stage weight, all else as chosen.\n"
    yield f"| {weights} |\n{'|---' * len(points)}|\n| {scores} |"


def _results(results: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| strategy | nDCG@10 | against BM25 | 95 % interval | p | p against query cosine | MAP |"
    yield "|---|---|---|---|---|---|---|"
    for row in results:
        none, query = row["vs_none"], row["vs_query"]
        gain = f"{none['difference']:+.4f}" if none else ""
        interval = "{:+.3f} … {:+.3f}".format(*none["ci95"]) if none else ""
        yield (
            f"| {row['strategy']} | {row['nDCG@10']:.4f} | {gain} | {interval} "
            f"| {_p(none)} | {_p(query)} | {row['AP']:.4f} |"
        )


def _p(comparison: Mapping[str, Any] | None) -> str:
    if comparison is None:
        return ""
    value = comparison["p_value"]
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
