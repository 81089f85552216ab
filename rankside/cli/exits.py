"""What each command's exit codes mean: the source of its ``--help`` and of the page.

``python -m rankside.exit_codes_page > docs/reference/exit-codes.md`` writes the page anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from rankside.cli.console import Exit

_LONGER = "the engine is not there, or failed for longer than `--patience`"
_EMBEDDER = "so did the sidecar, or with `--in-process` the model"

MEANINGS: Mapping[str, Mapping[Exit, str]] = {
    "serve": {
        Exit.USAGE: "a setting is wrong, the address is taken, the extra is not installed",
        Exit.SIDECAR: "the model cannot be loaded, or was lost for good (a broken GPU)",
    },
    "engine up": {
        Exit.USAGE: "a wrong option",
        Exit.ENGINE: "the node could not be built or started",
    },
    "engine down": {
        Exit.USAGE: "a wrong option",
        Exit.ENGINE: "the node could not be stopped",
    },
    "engine status": {Exit.USAGE: "a wrong option", Exit.ENGINE: "it is not running"},
    "ingest": {
        Exit.USAGE: "a file cannot be read, options contradict each other, the index holds vectors "
        "of another model",
        Exit.ENGINE: _LONGER,
        Exit.SIDECAR: _EMBEDDER,
        Exit.PARTLY_DONE: "some records were refused: they are in the dead-letter file",
    },
    "backfill": {
        Exit.USAGE: "options contradict each other, or do not suit the index",
        Exit.ENGINE: _LONGER,
        Exit.SIDECAR: _EMBEDDER,
        Exit.PARTLY_DONE: "some documents were refused, or written faster than copied",
    },
    "plan": {
        Exit.USAGE: "a wrong option, an unknown model",
        Exit.ENGINE: "the engine cannot be asked, or lacks what is asked for",
        Exit.SIDECAR: "no `--model`, and no sidecar to ask",
    },
    "apply": {
        Exit.FAILED: "you said no",
        Exit.USAGE: "as for `plan`, something foreign has one of the names, or nobody to ask and "
        "no `--yes`",
        Exit.ENGINE: "as for `plan`, nothing could be applied, or the engine keeps something else",
        Exit.SIDECAR: "as for `plan`",
        Exit.PARTLY_DONE: "some resources are applied",
    },
    "destroy": {
        Exit.FAILED: "you said no",
        Exit.USAGE: "a wrong option, or nobody to ask and no `--yes`",
        Exit.ENGINE: "nothing could be removed",
        Exit.PARTLY_DONE: "some could not be removed, or are in use",
    },
    "search": {
        Exit.USAGE: "a wrong query or option, and with `--on-failure fail` an index without "
        "usable vectors",
        Exit.ENGINE: "the engine refused the search, and with `--on-failure fail` the window "
        "search or the rescore",
        Exit.SIDECAR: "only with `--on-failure fail`: the sidecar or its model failed or was late",
    },
    "prompt show": {Exit.USAGE: "there is no such template"},
    "prompt render": {
        Exit.USAGE: "the request cannot be read, the query leaves no room",
        Exit.ENGINE: "the engine cannot be reached, or refuses the search",
        Exit.SIDECAR: "no tokenizer can be read from `llm.tokenizer`",
    },
    "doctor": {
        Exit.USAGE: "the settings do not load",
        Exit.ENGINE: "a problem of engine or index",
        Exit.SIDECAR: "a problem of the sidecar, or its model is not the index's",
    },
    "eval": {
        Exit.USAGE: "the folder is not a BEIR folder, a file of queries or judgments cannot be "
        "read, an unknown strategy, a place that cannot be written",
        Exit.ENGINE: "the engine failed, or could not be had",
        Exit.SIDECAR: "the sidecar or the model failed, or could not be had",
        Exit.PARTLY_DONE: "not every search was reranked: the report says why",
    },
    "tune": {
        Exit.USAGE: "no judged queries, or too few of them, or too few calls of the LLM; an index "
        "with vectors of another model; a place that cannot be written",
        Exit.ENGINE: "the engine failed, or could not be had",
        Exit.SIDECAR: "the model failed, or could not be loaded",
        Exit.PARTLY_DONE: "the LLM gave no order for some of its rankings",
    },
    "clicks": {
        Exit.USAGE: "a log cannot be read or holds no vote, a place that cannot be written",
        Exit.PARTLY_DONE: "some lines are no votes: the report is of the others, and names them",
    },
    "train adapter": {
        Exit.USAGE: "a file cannot be read, options contradict each other, nothing to train on, "
        "an extra is not installed",
        Exit.ENGINE: "the engine failed, or could not be had",
        Exit.SIDECAR: "the model cannot be loaded",
    },
    "train recipe": {
        Exit.USAGE: "a file cannot be read, the folder cannot be written, no text is long enough",
    },
    "demo": {
        Exit.USAGE: "a setting is wrong, an extra is not installed, a place that cannot be written",
        Exit.ENGINE: "the node failed, or could not be had",
        Exit.SIDECAR: "the sidecar failed, or could not be had",
        Exit.PARTLY_DONE: "some documents were refused: nothing is measured",
    },
}
"""By command; 0 is always good, and 1 besides a fault in Rankside itself."""


def epilog(command: str) -> str:
    """The exit codes of a command, in a line for its ``--help``."""
    told = "; ".join(f"{code} {meaning}" for code, meaning in MEANINGS[command].items())
    return f"Exit codes: 0 good; {told}.".replace("`", "")
