"""The exit codes as a page: ``python -m rankside.exit_codes_page``, into docs/reference."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rankside.cli.console import Exit
from rankside.cli.exits import MEANINGS

_HEAD = """# Exit codes

The same for every command, so that a script can tell whose turn it is. Each command's `--help` ends with its own.

| code | means | look at |
|---|---|---|
| 0 | good; also where searches were passed through, or `doctor` has warnings | |
| 1 | you said no when asked, or a fault in Rankside itself | the traceback: please report it |
| 2 | what you asked for cannot be done so: options, settings, files, a foreign resource | the sentence names key and value |
| 3 | OpenSearch or Elasticsearch: not reached, refused, or lacking something | the engine, its log |
| 4 | the sidecar or a model: not reached, refused, overloaded, too late, unusable answer | the sidecar, its log and `/metrics` |
| 5 | partly done: some of the work is, the rest is listed | the list; most commands go on when run again |

Every error is one sentence on standard error, with its remedy; standard output holds the result alone.

| command | 2 | 3 | 4 | 5 |
|---|---|---|---|---|
"""  # noqa: E501 - a row of Markdown is one line

_FOOT = """
`doctor` with several problems ends with the lowest of their codes: settings, then engine, then sidecar. A search whose reranking failed has its hits, in first-stage order, and says so in `status`: that is exit code 0, unless `--on-failure fail` asks for the error instead.
"""  # noqa: E501 - a paragraph of Markdown is one line

_COLUMNS = (Exit.USAGE, Exit.ENGINE, Exit.SIDECAR, Exit.PARTLY_DONE)


def page() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(_row(*one) for one in MEANINGS.items()) + _FOOT


def _row(command: str, meanings: Mapping[Exit, str]) -> str:
    cells = [f"`{command}`", *(meanings.get(code, "") for code in _COLUMNS)]
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|\n"


if __name__ == "__main__":
    sys.stdout.write(page())
