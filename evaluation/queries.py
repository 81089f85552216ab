"""The queries of a judged collection, in the forms they come in.

BEIR's queries.jsonl; TREC topics, tagged or XML, of which the title or query is taken; or an id, a
tab and a text a line. Source of TREC's forms: what ir_datasets reads (``formats/trec.py``).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from ingest.documents import START, BrokenRecord
from ingest.readers.jsonl import read_jsonl
from plugin.ranking.errors import SettingsError

_QUERIES = "queries.jsonl, TREC topics, or lines of an id, a tab and a text"

_TAGGED = re.compile(r"<top>(.*?)</top>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*([^\s<]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:Topic:)?\s*([^<]*)", re.IGNORECASE)
_XML = re.compile(r"<topic\b[^>]*?\bnumber\s*=\s*[\"']([^\"']+)[\"'][^>]*>(.*?)</topic>", re.DOTALL)
_XML_TEXT = re.compile(r"<(query|title)>(.*?)</\1>", re.DOTALL)


def read_queries(path: Path) -> dict[str, str]:
    """Query id → text, in the file's order; the form is seen from how it begins.

    Raises:
        SettingsError: the file cannot be read, is of no known form, or has an id twice.
    """
    text = _text(path)
    match text.lstrip()[:1]:
        case "{":
            found = _json_lines(path)
        case "<":
            found = _topics(text, path)
        case _:
            found = _lines(text, path)
    queries: dict[str, str] = {}
    for query, words in found:
        if query in queries:
            raise SettingsError(f"{path}: query {query!r} is there twice; keep one of them")
        queries[query] = words
    if not queries:
        raise SettingsError(f"{path} holds no query; give {_QUERIES}")
    return queries


def _json_lines(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as stream:
        for row in read_jsonl(stream, START):
            where = f"{path}, line {row.position.line}"
            if isinstance(row, BrokenRecord):
                raise SettingsError(f"{where}: {row.reason}")
            query, text = row.fields.get("_id"), row.fields.get("text")
            if not isinstance(query, str | int) or not isinstance(text, str) or not text.strip():
                raise SettingsError(f'{where}: a query is {{"_id": "…", "text": "…"}}')
            yield str(query), text


def _topics(text: str, path: Path) -> Iterator[tuple[str, str]]:
    for topic in _TAGGED.findall(text):
        number, title = _NUMBER.search(topic), _TITLE.search(topic)
        if number is None or title is None:
            raise SettingsError(f"{path}: a <top> has no <num> or no <title>; add it")
        yield number[1], _plain(title[1], number[1], path)
    for number, topic in _XML.findall(text):
        inner = _XML_TEXT.search(topic)
        yield number, _plain(inner[2] if inner else re.sub(r"<[^>]+>", " ", topic), number, path)


def _lines(text: str, path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        query, _, words = line.partition("\t")
        if not query.strip() or not words.strip():
            raise SettingsError(f"{path}, line {number} is no query; give {_QUERIES}")
        yield query.strip(), words.strip()


def _plain(text: str, topic: str, path: Path) -> str:
    words = " ".join(html.unescape(text).split())
    if not words:
        raise SettingsError(f"{path}: topic {topic!r} has no text; add a title")
    return words


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({error}); give {_QUERIES}") from error
