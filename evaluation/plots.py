"""Plots of an evaluation, as figures that are saved as files or put into a page.

Matplotlib's figures are used without pyplot: nothing is global, and no display is needed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.experiment import Result, leaders
from evaluation.measures import MAIN
from evaluation.report import latencies
from evaluation.significance import Comparison
from plugin.ranking.errors import SettingsError

INK = "#23272e"
"""Of text and axes in files; a page puts its own colour there."""

WON, LOST = "#3a9b6e", "#c2554d"
SERIES = ("#3b82c4", "#c9701a", "#3a9b6e", "#b5578f", "#8a7d1f", "#4f9c9c", "#7c6bc4", "#8c6d5a")
"""Seen on white as well as on black."""

_WIDTH, _HEIGHT = 7.2, 3.4  # inches
_PANELS = 6
_DPI = 150
_LABEL = 48  # characters that half a figure holds


_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure; ``name`` is of its files, ``title`` and ``caption`` are what a page says of it."""

    name: str
    title: str
    caption: str
    figure: Figure

    def svg(self) -> str:
        """An ``<svg>`` element for a page, in the page's own text colour."""
        text = io.StringIO()
        with _style(self.name):
            self.figure.savefig(text, format="svg", transparent=True, metadata=_NO_METADATA)
        written = text.getvalue()
        return written[written.index("<svg") :].replace(INK, "currentColor")

    def write(self, folder: Path, prefix: str) -> list[Path]:
        """Write ``<prefix>.<name>.svg`` and ``.png``; the paths.

        Raises:
            SettingsError: they cannot be written.
        """
        paths = [folder / f"{prefix}.{self.name}.{kind}" for kind in ("svg", "png")]
        try:
            with _style(self.name):
                for path in paths:
                    self.figure.savefig(path, dpi=_DPI, facecolor="white")
        except OSError as error:
            raise SettingsError(
                f"plots cannot be written to {folder} ({error.strerror}); give another folder"
            ) from error
        return paths


@contextmanager
def _style(name: str = "plot") -> Iterator[None]:
    """How figures look. Ids in a page are everybody's, so those of a plot depend on its name."""
    with mpl.rc_context(
        {
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 9,
            "font.size": 9,
            "legend.frameon": False,
            "svg.fonttype": "none",  # text stays text: small, searchable, in the page's own font
            "svg.hashsalt": name,
        }
    ):
        yield


def plots(baseline: Result, results: Sequence[Result]) -> list[Plot]:
    """What can be drawn of ``results``: no latency without searches, no grid without one."""
    compared = [one for one in results if one.versus_none is not None]
    if not compared:
        return []
    with _style():
        drawn = [_deltas(baseline, leaders(compared)[:_PANELS])]
        drawn += _frontier([baseline, *compared])
        drawn += _by_size(compared, "window", "prompt_hits")
        drawn += _by_size(compared, "prompt_hits", "window")
    return drawn


def _deltas(baseline: Result, shown: Sequence[Result]) -> Plot:
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(_WIDTH, 0.5 + 2.1 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axis, result in zip(axes.flat, shown, strict=False):
        differences = result.scores.values[MAIN] - baseline.scores.values[MAIN]
        ordered = sorted(differences, reverse=True)
        for colour, values in (
            (WON, [max(value, 0.0) for value in ordered]),
            (LOST, [min(value, 0.0) for value in ordered]),
        ):
            axis.stairs(values, fill=True, color=colour)
        axis.axhline(0, color=INK, linewidth=0.6)
        axis.set_title(_short(result.outcome.variant.label))
        axis.set_xlabel("queries, best first")
    for axis in axes.flat[len(shown) :]:
        axis.set_axis_off()
    for row in axes:
        row[0].set_ylabel(f"Δ {MAIN}")
    return Plot(
        "deltas",
        "Query by query",
        f"Every query's {MAIN} less that of its first stage, sorted: green was won, red was lost.",
        figure,
    )


def _frontier(results: Sequence[Result]) -> Iterator[Plot]:
    """Quality against what a search takes, where searches were timed."""
    points = [(total, one) for one in results if (total := _total(one)) is not None]
    if len(points) < 2:
        return
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    axis = figure.subplots()
    families = list(dict.fromkeys(one.outcome.variant.family for _, one in points))
    for place, family in enumerate(families):
        own = [pair for pair in points if pair[1].outcome.variant.family == family]
        times, colour = [total["p50"] for total, _ in own], SERIES[place % len(SERIES)]
        values = [one.scores.means[MAIN] for _, one in own]
        axis.hlines(values, times, [total["p95"] for total, _ in own], color=colour, alpha=0.35)
        axis.scatter(times, values, color=colour, s=28, label=_short(family), zorder=3)
    edge = _pareto([(total["p50"], one.scores.means[MAIN]) for total, one in points])
    axis.plot(*zip(*edge, strict=True), color=INK, linewidth=0.8, linestyle=":", zorder=2)
    axis.set_xlim(left=0)
    axis.set_xlabel("milliseconds a search: point p50, line to p95")
    axis.set_ylabel(MAIN)
    _legend(figure, axis)
    yield Plot(
        "latency",
        "What it costs",
        f"{MAIN} against the time of a whole search, one search at a time. Nothing below and right "
        "of the dotted line is worth its time.",
        figure,
    )


def _pareto(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those of (time, quality) that no other beats in both, by time."""
    edge: list[tuple[float, float]] = []
    for time, quality in sorted(points, key=lambda point: (point[0], -point[1])):
        if not edge or quality > edge[-1][1]:
            edge.append((time, quality))
    return edge


def _by_size(results: Sequence[Result], size: str, other: str) -> Iterator[Plot]:
    """The gain as one of window and prompt hits grows, a line for each value of the other."""
    lines: dict[str, list[tuple[int, Comparison]]] = {}
    for one in results:
        variant, found = one.outcome.variant, one.versus_none
        value, fixed = getattr(variant, size), getattr(variant, other)
        if value is None or found is None:
            continue
        named = _short(variant.family + (f", {_WORDS[other]} {fixed}" if fixed else ""))
        lines.setdefault(named, []).append((value, found))
    lines = {name: sorted(line, key=_size) for name, line in lines.items() if len(line) > 1}
    if not lines:
        return
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    axis = figure.subplots()
    axis.set_xscale("log")
    axis.axhline(0, color=INK, linewidth=0.6)
    for place, (name, line) in enumerate(lines.items()):
        gains = [found.difference for _, found in line]
        reach = [
            [found.difference - found.low for _, found in line],
            [found.high - found.difference for _, found in line],
        ]
        # Side by side, so that no interval hides another.
        where = [value * (1 + 0.012 * place) for value, _ in line]
        colour = SERIES[place % len(SERIES)]
        axis.errorbar(
            where, gains, yerr=reach, color=colour, label=name, marker="o", ms=4, lw=1.2, capsize=2
        )
    values = sorted({value for line in lines.values() for value, _ in line})
    axis.set_xticks(values, [str(value) for value in values], minor=False)
    axis.set_xticks([], minor=True)
    axis.set_xlabel(_WORDS[size])
    axis.set_ylabel(f"Δ {MAIN}")
    _legend(figure, axis)
    yield Plot(
        size.replace("_", "-"),
        f"The gain by {_WORDS[size]}",
        f"The gain of {MAIN} over the first stage, with its 95 % interval.",
        figure,
    )


_WORDS = {"window": "window", "prompt_hits": "prompt hits"}


def _size(point: tuple[int, Comparison]) -> int:
    return point[0]


def _total(result: Result) -> dict[str, float] | None:
    return latencies(result.outcome.timings_ms).get("total")


def _legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    columns = 3 if max(map(len, labels)) <= _LABEL // 2 else 2
    figure.legend(handles, labels, loc="outside upper left", ncols=columns)


def _short(label: str) -> str:
    """``label`` in lines that are no longer than a panel is wide, cut where its settings end."""
    lines = [""]
    for part in label.split(","):
        if lines[-1] and len(lines[-1]) + len(part) >= _LABEL:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] += f",{part}" if lines[-1] else part
    return "\n".join(lines)
