"""The body of a `_search` that a command was given, as a file or as a plain text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.meta import VECTOR_FIELD
from connectors.query_text import text_query
from plugin.ranking.errors import UsageError


def request_body(
    text: str | None, file: Path | None, fields: tuple[str, ...] | None, vector_field: str | None
) -> dict[str, Any]:
    """The body in ``file``, or a search for ``text``.

    The query is added where ``fields`` says where to search; else the index's own fields are to be
    asked for first.

    Raises:
        UsageError: there is neither, or the file is no JSON object.
    """
    if file is None:
        if not text:
            raise UsageError("nothing to search for; give a text or --query-body")
        body: dict[str, Any] = {"_source": {"excludes": [vector_field or VECTOR_FIELD]}}
        return body | ({"query": text_query(text, fields)} if fields else {})
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--query-body {file} cannot be read as JSON: {error}") from error
    if not isinstance(read, dict):
        raise UsageError(f"--query-body {file} is not a JSON object; give the body of a _search")
    return read
