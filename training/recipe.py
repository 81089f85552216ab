"""Training text that anybody may train on: free descriptions, with queries drawn from themselves.

A text that has a one-line summary makes a query of it; a text of many sentences gives one of them
away as a query (the inverse cloze task: arXiv 1906.00300, section 3.2). What became a query is
taken out of the document, so that neither the first stage nor the encoder can find it by its words
alone. The outcome is a BEIR folder with two splits, `train` and `dev`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from plugin.ranking.errors import SettingsError

DEV_SHARE = 0.1
_LEAST_WORDS = 20
_SUMMARY_WORDS = range(3, 25)
_SENTENCE_WORDS = range(6, 31)
_LEAST_SENTENCES = 4
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_FIELD = re.compile(r"(Package|Description(?:-en)?): *(.*)")


@dataclass(frozen=True, slots=True)
class FreeText:
    """A text with its one-line summary; either ``title`` or ``summary`` may be empty."""

    id: str
    title: str
    summary: str
    body: str


@dataclass(frozen=True, slots=True)
class RecipeCounts:
    """What `write_recipe` wrote."""

    documents: int
    queries: int


@dataclass(frozen=True, slots=True)
class _Made:
    """A document without the words of its query."""

    text: FreeText
    query: str


def summarised(id_: str, title: str, text: str) -> FreeText:
    """A text whose first paragraph, where more follows, is its summary: a docstring."""
    first, _, rest = text.partition("\n\n")
    summary, body = (first, rest) if rest.strip() else ("", text)
    return FreeText(id_, title, _flat(summary), body)


def package_descriptions(path: Path) -> Iterator[FreeText]:
    """The descriptions in a Debian control file: `Translation-en`, `Packages`, `status`.

    Source of the form: Debian Policy, sections 5.1 and 5.6.13: stanzas between empty lines; the
    first line of a description is its synopsis, a line of one dot separates paragraphs.

    Raises:
        SettingsError: the file cannot be read, or describes no package.
    """
    found = False
    try:
        for stanza in path.read_text(encoding="utf-8").split("\n\n"):
            described = _described(stanza)
            if described is not None:
                found = True
                yield described
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read ({error}); give a Debian control file, uncompressed"
        ) from error
    if not found:
        raise SettingsError(
            f"{path} describes no package at length; give a Translation-en of apt's lists"
        )


def write_recipe(
    folder: Path, texts: Iterable[FreeText], *, documents: int, queries: int, seed: int
) -> RecipeCounts:
    """Write a BEIR folder of at most ``documents`` texts, drawn by ``seed``, and their queries.

    Texts with the same first paragraph are one text (packages built of one source share theirs).
    A tenth of the queries are judged in `qrels/dev.tsv`, the rest in `qrels/train.tsv`.

    Raises:
        SettingsError: nothing is long enough, or the folder cannot be written.
    """
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    distinct = list(_distinct(texts))
    draw.shuffle(distinct)
    made = [_with_query(text, draw) for text in distinct[:documents]]
    if not made:
        raise SettingsError("no text is long enough to train on; give another file")
    asked = [(number, one) for number, one in enumerate(made) if one.query][:queries]
    dev = max(1, round(len(asked) * DEV_SHARE))
    try:
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        corpus = (
            {"_id": one.text.id, "title": one.text.title, "text": one.text.body} for one in made
        )
        _write(folder / "corpus.jsonl", (json.dumps(row) for row in corpus))
        rows = ({"_id": f"q{number}", "text": one.query} for number, one in asked)
        _write(folder / "queries.jsonl", (json.dumps(row) for row in rows))
        for split, some in (("dev", asked[:dev]), ("train", asked[dev:])):
            lines = (f"q{number}\t{one.text.id}\t1" for number, one in some)
            _write(folder / "qrels" / f"{split}.tsv", ["query-id\tcorpus-id\tscore", *lines])
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be written ({error.strerror}); give another folder"
        ) from error
    return RecipeCounts(len(made), len(asked))


def _described(stanza: str) -> FreeText | None:
    name = synopsis = ""
    lines: list[str] = []
    inside = False
    for line in stanza.splitlines():
        field = _FIELD.match(line)
        if field is not None and field[1] == "Package":
            name, inside = field[2], False
        elif field is not None:
            synopsis, inside = field[2], True
        elif inside and line.startswith(" "):
            lines.append("" if line.strip() == "." else line.strip())
        else:
            inside = False
    body = "\n".join(lines)
    return FreeText(name, name, synopsis, body) if name and body.strip() else None


def _distinct(texts: Iterable[FreeText]) -> Iterator[FreeText]:
    ids: set[str] = set()
    beginnings: set[str] = set()
    for text in texts:
        beginning = _flat(text.body.partition("\n\n")[0]).lower()
        enough = len(text.body.split()) >= _LEAST_WORDS
        if enough and beginning not in beginnings and text.id not in ids:
            beginnings.add(beginning)
            ids.add(text.id)
            yield text


def _with_query(text: FreeText, draw: random.Random) -> _Made:
    """The document and what it is asked by: its summary or one of its sentences, by chance."""
    flat = FreeText(text.id, text.title, _flat(text.summary), _flat(text.body))
    sentences = _SENTENCES.split(flat.body)
    fit = [one for one in sentences if len(one.split()) in _SENTENCE_WORDS]
    by_summary = len(flat.summary.split()) in _SUMMARY_WORDS
    by_sentence = bool(fit) and len(sentences) >= _LEAST_SENTENCES
    if by_sentence and (not by_summary or draw.random() < 0.5):
        query = draw.choice(fit)
        left = " ".join(one for one in sentences if one != query)
        body = f"{flat.summary}. {left}" if flat.summary else left
        return _Made(FreeText(flat.id, flat.title, "", body), query)
    return _Made(flat, flat.summary if by_summary else "")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
