"""InsertRank's prompt: passages, their scores beside them, and what is asked, as chat turns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from plugin.ranking.errors import RequestError
from plugin.ranking.first_token import LETTERS
from plugin.ranking.hits import Hit, RankRequest
from plugin.ranking.initial_order import InitialOrder, laid_out
from plugin.ranking.neutral import neutral
from plugin.ranking.prompts import Tokenizer, fit
from plugin.ranking.score_labels import ScoreMode, score_labels, shown_mode
from plugin.ranking.template import DEFAULT_TEMPLATE, load_template

_TURN_TOKENS = 16  # what a chat template puts around a turn, on the high side


class Decoding(StrEnum):
    """How the LLM says the order: it writes it, or its first token's probabilities tell it."""

    PERMUTATION = "permutation"
    FIRST_TOKEN = "first_token"  # noqa: S105 - a token of text


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn: role is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How a prompt is written.

    ``scale`` is the upper end of the `minmax` mode; ``seed`` is of the shuffled order. A passage is
    cut to ``passage_tokens`` where that is set, else to ``passage_words``. ``prompt_tokens`` is the
    most a prompt may have; None: no limit is known. ``letters`` tell passages apart in first-token
    decoding; each is to be one token of the model (``first_token.single_tokens``). ``json_answer``
    asks for a permutation as JSON, for servers that are held to a schema.
    """

    score_mode: ScoreMode = ScoreMode.RAW
    scale: float = 100.0
    initial_order: InitialOrder = InitialOrder.FIRST_STAGE
    seed: int = 0
    passage_words: int = 300
    passage_tokens: int | None = None
    prompt_tokens: int | None = None
    decoding: Decoding = Decoding.PERMUTATION
    json_answer: bool = False
    letters: tuple[str, ...] = LETTERS
    template: str = DEFAULT_TEMPLATE


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that fits its model.

    ``places`` are the hits it orders, by their place in the request's window, best known first;
    ``shown`` holds the same places in the order of ``identifiers``. ``truncated`` passages were
    cut. ``tokens`` is its length as the tokenizer has it, turns included.
    """

    template: str
    messages: tuple[ChatMessage, ...]
    places: tuple[int, ...]
    shown: tuple[int, ...]
    identifiers: tuple[str, ...]
    tokens: int
    truncated: int

    @property
    def digest(self) -> str:
        """SHA-256 of what is sent, in hexadecimal."""
        turns = json.dumps([asdict(message) for message in self.messages])
        return hashlib.sha256(turns.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Passage:
    """A hit's text as it may stand in a prompt."""

    text: str
    label: str
    cut: bool


class PromptWriter:
    """Writes the prompts over the window of one request.

    ``clean`` is what foreign text goes through; only an evaluation of it has another.

    Raises:
        RequestError: a hit of the window has no text.
    """

    def __init__(
        self,
        request: RankRequest,
        options: PromptOptions,
        tokenizer: Tokenizer,
        clean: Callable[[str], str] = neutral,
    ) -> None:
        self._request = request
        self._clean = clean
        self._options = options
        self._tokenizer = tokenizer
        self._template = load_template(options.template)
        hits = request.windowed
        self._mode = shown_mode(hits, options.score_mode)
        labels = score_labels(hits, self._mode, options.scale)
        self._passages = [
            self._passage(hit, label) for hit, label in zip(hits, labels, strict=True)
        ]

    def prompt(self, places: Sequence[int]) -> Prompt:
        """The prompt over the hits at ``places``, cut to fit the model.

        Raises:
            RequestError: first-token decoding has no letters for so many hits.
            RequestTooLarge: the query alone leaves no room for passages.
        """
        options = self._options
        shown = laid_out(self._request, places, options.initial_order, options.seed)
        texts = [self._passages[place].text for place in shown]
        identifiers = _identifiers(len(shown), options)
        tokens = self._tokens(texts, shown, identifiers)
        whole = texts
        if options.prompt_tokens is not None and tokens > options.prompt_tokens:
            texts = fit(
                options.prompt_tokens,
                texts,
                self._tokenizer,
                lambda kept: self._tokens(kept, shown, identifiers),
            )
            tokens = self._tokens(texts, shown, identifiers)
        return Prompt(
            template=self._template.name,
            messages=self._messages(texts, shown, identifiers),
            places=tuple(places),
            shown=shown,
            identifiers=identifiers,
            tokens=tokens,
            truncated=sum(
                self._passages[place].cut or text != all_
                for place, text, all_ in zip(shown, texts, whole, strict=True)
            ),
        )

    def passage_tokens(self) -> list[int]:
        """Tokens of each of the window's passages with its number and label, about."""
        count, specials = self._tokenizer.count, self._tokenizer.count("")
        lines = [self._line("00", passage, passage.text) for passage in self._passages]
        return [count(line) - specials + 1 for line in lines]

    def frame_tokens(self) -> int:
        """Tokens of a prompt without its passages."""
        return self._tokens([], (), ())

    def _tokens(
        self, texts: Sequence[str], shown: Sequence[int], identifiers: Sequence[str]
    ) -> int:
        messages = self._messages(texts, shown, identifiers)
        return sum(self._tokenizer.count(turn.content) + _TURN_TOKENS for turn in messages)

    def _messages(
        self, texts: Sequence[str], shown: Sequence[int], identifiers: Sequence[str]
    ) -> tuple[ChatMessage, ...]:
        template, request = self._template, self._request
        lines = [
            self._line(identifier, self._passages[place], text)
            for identifier, place, text in zip(identifiers, shown, texts, strict=True)
        ]
        note = "" if self._mode is ScoreMode.OFF else template.score_note
        instruction = (
            template.instruction.format(instruction=self._clean(request.instruction))
            if request.instruction
            else ""
        )
        task = {
            Decoding.PERMUTATION: template.permutation,
            Decoding.FIRST_TOKEN: template.first_token,
        }[self._options.decoding]
        user = template.user.format(
            passages="\n".join(lines),
            instruction=instruction,
            task=task.format(
                count=len(shown),
                example=_example(identifiers, json_answer=self._options.json_answer),
                query=self._clean(request.query),
            ),
        )
        return (ChatMessage("system", template.system + note), ChatMessage("user", user))

    def _line(self, identifier: str, passage: _Passage, text: str) -> str:
        label = self._template.label.format(score=passage.label) if passage.label else ""
        return self._template.passage.format(identifier=identifier, label=label, text=text)

    def _passage(self, hit: Hit, label: str) -> _Passage:
        if not hit.text:
            raise RequestError(
                f"hit {hit.id!r} has no text, which an LLM's order needs; send text with every hit"
            )
        budget = self._options.passage_tokens
        # No word has less than a token, so that a book is cut before it is cleaned and counted.
        words = hit.text.split(maxsplit=budget or self._options.passage_words)
        limit = budget or self._options.passage_words
        cut = len(words) > limit
        text = self._clean(" ".join(words[:limit]) if cut else hit.text)
        if budget is not None:
            kept = self._tokenizer.truncate(text, budget)
            text, cut = kept, cut or kept != text
        return _Passage(text, label, cut)


def _identifiers(count: int, options: PromptOptions) -> tuple[str, ...]:
    if options.decoding is Decoding.PERMUTATION:
        return tuple(str(number) for number in range(1, count + 1))
    if count > len(options.letters):
        raise RequestError(
            f"{count} hits are more than the {len(options.letters)} letters that first_token "
            "decoding tells them by; lower llm.prompt_hits"
        )
    return options.letters[:count]


def _example(identifiers: Sequence[str], *, json_answer: bool) -> str:
    """The form of an answer, with as many numbers as there are; not the order they stand in."""
    first, *rest = identifiers[:3] or ("1",)
    shown = [*rest[:1], first, *rest[1:]]
    if json_answer:
        return json.dumps({"ranking": [int(identifier) for identifier in shown]})
    return " > ".join(f"[{identifier}]" for identifier in shown)
