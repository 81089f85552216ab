"""Encoder texts: queries, documents and listwise prompts, as E2Rank lays them out.

Source: arXiv 2510.22733, section 3, and its reference implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from plugin.ranking.errors import RequestTooLarge
from plugin.ranking.profile import ModelProfile

_REFITS = 8  # joining pieces shifts token boundaries by a few tokens; one round mends that


class InputKind(StrEnum):
    """What an encoder input is; only queries and documents get the end token."""

    QUERY = "query"
    DOCUMENT = "document"
    LISTWISE = "listwise"


@dataclass(frozen=True, slots=True)
class EncoderInput:
    """A text with its template already applied, ready to be tokenised."""

    kind: InputKind
    text: str


class Tokenizer(Protocol):
    """What prompt building needs of a model's tokenizer."""

    def count(self, text: str) -> int:
        """Tokens of ``text``, special tokens included."""
        ...

    def truncate(self, text: str, tokens: int) -> str:
        """The longest prefix of ``text`` of at most ``tokens`` tokens, special tokens left out."""
        ...

    def user_turn(self, content: str) -> str:
        """``content`` as one user turn of the model's chat template, ready for the answer."""
        ...


@dataclass(frozen=True, slots=True)
class ListwisePrompt:
    """A listwise prompt that fits the model.

    ``passages`` hits are in it, ``truncated`` of them cut; ``tokens`` is its length.
    """

    text: str
    tokens: int
    passages: int
    truncated: int

    @property
    def input(self) -> EncoderInput:
        """The prompt as an encoder input."""
        return EncoderInput(InputKind.LISTWISE, self.text)


def query_input(profile: ModelProfile, query: str, instruction: str | None = None) -> EncoderInput:
    """The encoder text of a query."""
    text = _fill(
        profile.query_template, query=query, instruction=instruction or profile.query_instruction
    )
    return EncoderInput(InputKind.QUERY, text)


def document_input(profile: ModelProfile, text: str) -> EncoderInput:
    """The encoder text of a document."""
    return EncoderInput(InputKind.DOCUMENT, _fill(profile.document_template, text=text))


def share_tokens(lengths: Sequence[int], budget: int) -> list[int]:
    """Share ``budget`` tokens over passages of ``lengths`` tokens; the answer has their order.

    Short passages keep all they have and what they leave goes to the longer ones, so nothing is
    ever cut off at the end of the prompt. The shares sum to at most ``budget``.
    """
    shares = [0] * len(lengths)
    left = max(budget, 0)
    by_length = sorted(range(len(lengths)), key=lambda place: lengths[place])
    for done, place in enumerate(by_length):
        shares[place] = min(lengths[place], left // (len(lengths) - done))
        left -= shares[place]
    return shares


def listwise_prompt(
    profile: ModelProfile,
    query: str,
    passages: Sequence[str],
    tokenizer: Tokenizer,
    instruction: str | None = None,
) -> ListwisePrompt:
    """Lay out the listwise prompt of ``query`` over ``passages`` so that it fits the model.

    White space inside a passage becomes single spaces, as in the evaluated form: a passage is a
    line.

    Raises:
        RequestTooLarge: the query and the template alone exceed the model's positions.
    """
    instruction = instruction or profile.listwise_instruction
    whole = [" ".join(passage.split()) for passage in passages]
    kept = [_first_words(passage, profile.listwise.passage_words) for passage in whole]

    def render(texts: Sequence[str]) -> str:
        return _layout(profile, query, texts, tokenizer, instruction)

    text = render(kept)
    tokens = tokenizer.count(text)
    if tokens > profile.max_tokens:
        kept = fit(
            profile.max_tokens,
            kept,
            tokenizer,
            lambda some: tokenizer.count(render(some)),
            profile.name,
        )
        text = render(kept)
        tokens = tokenizer.count(text)
    truncated = sum(some != all_ for some, all_ in zip(kept, whole, strict=True))
    return ListwisePrompt(text, tokens, len(passages), truncated)


def fit(
    limit: int,
    passages: Sequence[str],
    tokenizer: Tokenizer,
    count: Callable[[Sequence[str]], int],
    model: str = "the model",
) -> list[str]:
    """``passages`` cut so that their prompt, of ``count(passages)`` tokens, fits into ``limit``.

    Raises:
        RequestTooLarge: the prompt does not fit even with empty passages.
    """
    empty = count([""] * len(passages))
    if empty > limit:
        raise RequestTooLarge(
            f"the query leaves no room for passages: {empty} tokens, and {model} takes {limit}; "
            "shorten the query or lower prompt_hits"
        )
    specials = tokenizer.count("")
    lengths = [tokenizer.count(passage) - specials for passage in passages]
    budget = limit - empty
    for refit in range(_REFITS):
        kept = [
            passage if share >= length else tokenizer.truncate(passage, share)
            for passage, share, length in zip(
                passages, share_tokens(lengths, budget), lengths, strict=True
            )
        ]
        over = count(kept) - limit
        if over <= 0:
            return kept
        budget -= over << refit
    return [""] * len(passages)


def _layout(
    profile: ModelProfile,
    query: str,
    passages: Sequence[str],
    tokenizer: Tokenizer,
    instruction: str,
) -> str:
    template = profile.listwise
    documents = template.separator.join(
        _fill(template.passage, number=str(number), text=passage + template.passage_suffix)
        for number, passage in enumerate(passages, start=1)
    )
    prompt = _fill(template.prompt, instruction=instruction, documents=documents, query=query)
    return tokenizer.user_turn(prompt) if template.chat else prompt


def _first_words(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` words, as the reference does; shorter text is left alone."""
    words = text.split()
    return text if len(words) <= limit else " ".join(words[:limit])


def _fill(template: str, **fields: str) -> str:
    """Fill a template; braces inside the values are left alone."""
    return template.format(**fields)
