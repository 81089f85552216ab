"""Queries and judgments in files of their own, for an index whose documents are in no file.

Queries: BEIR's queries.jsonl; TREC topics, tagged or XML, of which the title or query is taken; or
an id, a tab and a text a line. Judgments: BEIR's TSV, or TREC's four columns. Sources of TREC's
forms: https://trec.nist.gov/data/qrels_eng/ and what ir_datasets reads (``formats/trec.py``).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from evaluation.collections import Collection, read_qrels
from ingest.documents import START, BrokenRecord
from ingest.readers.jsonl import read_jsonl
from plugin.ranking.errors import SettingsError

_QUERIES = "queries.jsonl, TREC topics, or lines of an id, a tab and a text"
_QRELS = "`query 0 document grade` by spaces, or query-id, corpus-id and score by tabs"

_TAGGED = re.compile(r"<top>(.*?)</top>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*([^\s<]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:Topic:)?\s*([^<]*)", re.IGNORECASE)
_XML = re.compile(r"<topic\b[^>]*?\bnumber\s*=\s*[\"']([^\"']+)[\"'][^>]*>(.*?)</topic>", re.DOTALL)
_XML_TEXT = re.compile(r"<(query|title)>(.*?)</\1>", re.DOTALL)


def judged_collection(name: str, queries: Path, qrels: Path) -> Collection:
    """The judged queries of ``queries``; the documents are in the index ``name`` alone.

    Raises:
        SettingsError: a file cannot be read, or judges a query that the other does not hold.
    """
    texts, judgments = read_queries(queries), read_judgments(qrels)
    for query in judgments:
        if query not in texts:
            raise SettingsError(
                f"{qrels}: query {query!r} is not in {queries}; add it, or drop its judgments"
            )
    return Collection(name, "", {}, {query: texts[query] for query in judgments}, judgments)


def read_queries(path: Path) -> dict[str, str]:
    """Query id → text, in the file's order; the form is seen from how it begins.

    Raises:
        SettingsError: the file cannot be read, is of no known form, or has an id twice.
    """
    text = _text(path, _QUERIES)
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


def read_judgments(path: Path) -> dict[str, dict[str, int]]:
    """Query id → document id → grade.

    Raises:
        SettingsError: the file cannot be read or is empty, or a line is wrong.
    """
    lines = [line for line in _text(path, _QRELS).splitlines() if line.strip()]
    if lines and len(lines[0].split("\t")) == 3:
        return read_qrels(path)
    return _trec_qrels(lines, path)


def _trec_qrels(lines: Iterable[str], path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for line in lines:
        try:
            query, _, document, grade = line.split()
            value = int(grade)
        except ValueError as error:
            raise SettingsError(f"{path}: {line!r} is no judgment; give {_QRELS}") from error
        if document in qrels.setdefault(query, {}):
            raise SettingsError(
                f"{path}: document {document!r} is judged twice for query {query!r}; keep one line"
            )
        qrels[query][document] = value
    if not qrels:
        raise SettingsError(f"{path} judges no query; give {_QRELS}")
    return qrels


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


def _text(path: Path, form: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({error}); give {form}") from error
