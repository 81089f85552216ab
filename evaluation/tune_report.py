"""What `rankside tune` says: as JSON, and for eyes. Only held-out figures are in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from evaluation.llm_runs import figures
from evaluation.measures import MAIN
from evaluation.score_mode import TunedScoreMode
from evaluation.significance import Comparison, Values, compare
from evaluation.tune import Tuned


def tuned_json(tuned: Tuned) -> dict[str, Any]:
    """The weights' part of the document of `--json`."""
    verdict, stage = tuned.verdict, tuned.stage
    return {
        "queries": len(stage.collection.queries),
        "folds": tuned.options.folds,
        "seed": tuned.options.seed,
        "settings_tried": tuned.tried,
        "first_stage": figures(tuned.first_stage_values),
        "present": {**tuned.present.to_json(), **figures(tuned.present_values)},
        "held_out": {
            **figures(tuned.held_out.values),
            "vs_first_stage": verdict.versus_first_stage.to_json(),
            "vs_present": verdict.versus_present.to_json(),
        },
        "by_fold": [
            {
                "queries": len(fold.rows),
                "chosen": in_use.to_json(),
                "held_out": _mean(tuned.held_out.values[fold.rows]),
                "present": _mean(tuned.present_values[fold.rows]),
                "first_stage": _mean(tuned.first_stage_values[fold.rows]),
            }
            for fold, in_use in zip(tuned.held_out.folds, tuned.of_folds, strict=True)
        ],
        "chosen": tuned.chosen.to_json(),
        "taken": verdict.taken,
        "why": sentence(tuned),
    }


def sentence(tuned: Tuned) -> str:
    """What was decided, and why."""
    gain = tuned.verdict.versus_present
    shown = (
        f"on queries left out of the choice it is worth {gain.difference:+.4f} {MAIN} against "
        f"the present setting, 95 % interval {gain.low:+.4f} … {gain.high:+.4f}"
    )
    if tuned.chosen == tuned.present:
        return f"The present setting is chosen again; {shown}."
    if tuned.verdict.taken:
        return f"The chosen setting is taken: {shown}."
    return f"The present setting is kept: the gain is not more than noise; {shown}."


def score_mode_line(tuned: TunedScoreMode) -> str:
    """What was decided of the score mode, and why."""
    gain, first = tuned.verdict.versus_present, tuned.verdict.versus_first_stage
    asked = tuned.sample.cost
    decided = (
        f"{tuned.chosen} is taken instead of {tuned.present}"
        if tuned.verdict.taken
        else f"{tuned.present} is kept"
    )
    return (
        f"Score mode: {decided}. On queries left out of the choice it is worth "
        f"{gain.difference:+.4f} {MAIN} against {tuned.present}, 95 % interval {gain.low:+.4f} … "
        f"{gain.high:+.4f}, and {first.difference:+.4f} against the first stage; "
        f"{asked.queries} queries, {asked.calls} calls.{_reasons(tuned)}"
    )


def tuned_table(tuned: Tuned, title: str) -> Table:
    """First stage, present setting and the choosing, each judged on the same queries."""
    table = Table(title=title, title_justify="left")
    table.add_column("", overflow="fold", min_width=12)
    for heading in (MAIN, "Δ first stage", "Δ present", "95 % interval", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    first, present = tuned.first_stage_values, tuned.present_values
    at_present = compare(present, first)
    table.add_row("first stage", *_row(first, None, None))
    table.add_row("present setting", *_row(present, at_present, None))
    verdict = tuned.verdict
    table.add_row(
        "chosen, held out",
        *_row(tuned.held_out.values, verdict.versus_first_stage, verdict.versus_present),
    )
    return table


def folds_line(tuned: Tuned) -> str:
    """What each fold chose, the commonest first."""
    chosen = [str(in_use) for in_use in tuned.of_folds]
    counts = sorted({one: chosen.count(one) for one in chosen}.items(), key=lambda item: -item[1])
    told = " | ".join(f"{one} ({count} of {len(chosen)})" for one, count in counts)
    return f"Chosen in the folds: {told}."


def _row(
    values: Values, versus_first_stage: Comparison | None, versus_present: Comparison | None
) -> Sequence[str]:
    """The interval and p are of the last difference shown."""
    last = versus_present or versus_first_stage
    return (
        f"{values.mean():.4f}",
        f"{versus_first_stage.difference:+.4f}" if versus_first_stage else "",
        f"{versus_present.difference:+.4f}" if versus_present else "",
        f"{last.low:+.3f} … {last.high:+.3f}" if last else "",
        f"{last.p_value:.2g}" if last else "",
    )


def _reasons(tuned: TunedScoreMode) -> str:
    """What had to be mended of the answers, or was lost."""
    told = ", ".join(f"{reason} {count}" for reason, count in tuned.reasons.most_common())
    return f" Not all answers were whole orders: {told}." if told else ""


def _mean(values: Values) -> float:
    return round(float(values.mean()), 6)
