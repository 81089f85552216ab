"""InsertRank: an LLM orders passages that stand in its prompt with their first-stage scores.

Source: arXiv 2506.14086. The scale of the scores and whether they are shown at all are settings:
they help some models and not others. Written without I/O: ``plan`` says which prompts an LLM must
answer, and the plan turns the answers into a ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate

from plugin.ranking import first_token
from plugin.ranking.hits import Hit, Ranking, RankRequest, passed_through, ranked_by_order
from plugin.ranking.llm_prompt import ChatMessage, Decoding, Prompt, PromptOptions, PromptWriter
from plugin.ranking.neutral import neutral
from plugin.ranking.permutation import Outcome, Permutation, parse
from plugin.ranking.prompts import Tokenizer
from plugin.ranking.score_labels import ScoreMode
from plugin.ranking.windows import Window, WindowMode, planned, rounds_of

__all__ = [
    "Answer",
    "ChatMessage",
    "Decoding",
    "Exchange",
    "InsertRankOptions",
    "Plan",
    "Prompt",
    "ScoreMode",
    "plan",
]


@dataclass(frozen=True, slots=True)
class InsertRankOptions:
    """How an LLM is asked.

    One prompt orders at most ``prompt_hits`` hits, 2 or more; more than these, or than fit into
    ``prompt.prompt_tokens``, are ordered by several prompts. ``stride``, below ``prompt_hits``, is
    how far a sliding window is moved. ``top_logprobs`` is how many tokens' probabilities the LLM
    tells, where its first token is read; None: all.
    """

    prompt: PromptOptions = field(default_factory=PromptOptions)
    prompt_hits: int = 20
    stride: int = 10
    windows: WindowMode = WindowMode.SLIDING
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an LLM made of a prompt.

    ``cut`` says that something ended it before the LLM did: a token limit, a deadline. ``failure``
    is the reason why there is no answer. ``first_token`` holds the likeliest first tokens and the
    natural logs of their probabilities, where those are to be read.
    """

    text: str = ""
    cut: bool = False
    failure: str | None = None
    first_token: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A prompt, its answer and what was read out of that."""

    prompt: Prompt
    answer: Answer
    permutation: Permutation

    @property
    def loss(self) -> str | None:
        """Why this prompt put nothing in order; None where it did."""
        if self.answer.failure is not None:
            return self.answer.failure
        if self.permutation.outcome is not Outcome.UNUSABLE:
            return None
        return "llm_answer_truncated" if self.permutation.truncated else "llm_answer_unusable"

    @property
    def order(self) -> Window:
        """The prompt's places, best first; what the answer left out follows as it stood."""
        if self.loss is not None:
            return self.prompt.places
        shown = self.prompt.shown
        stated = [shown[number] for number in self.permutation.stated]
        left = set(shown).difference(stated)
        return (*stated, *(place for place in self.prompt.places if place in left))


class Plan:
    """The prompts of one request, and what becomes of the answers.

    ``hits`` are those of the window that have a text, which prompts name by their places; the
    others follow behind them. ``exchanges`` grows with the answers, in the order in which the
    prompts were asked.
    """

    def __init__(
        self,
        request: RankRequest,
        hits: tuple[Hit, ...],
        options: InsertRankOptions,
        writer: PromptWriter,
    ) -> None:
        self.hits = hits
        self.exchanges: list[Exchange] = []
        self._request = request
        self._options = options
        self._writer = writer
        self._rounds = rounds_of(*self._shape)
        self._asked: tuple[Prompt, ...] = ()

    def advance(self, answers: Sequence[Answer] = ()) -> tuple[Prompt, ...] | Ranking:
        """Take the answers to the last prompts; more prompts come back, at the end the ranking.

        Call it without answers first. Prompts that come together do not depend on each other. The
        ranking holds every hit exactly once, whatever the answers.

        Raises:
            RequestTooLarge: the query alone leaves no room for passages.
        """
        read = _READERS[self._options.prompt.decoding]
        told = [
            Exchange(prompt, answer, read(prompt, answer))
            for prompt, answer in zip(self._asked, answers, strict=True)
        ]
        self.exchanges += told
        try:
            orders = tuple(exchange.order for exchange in told)
            windows = self._rounds.send(orders) if orders else next(self._rounds)
        except StopIteration as done:
            return self._ranking(done.value)
        self._asked = tuple(self._writer.prompt(window) for window in windows)
        return self._asked

    @property
    def prompts(self) -> int:
        """How many prompts there will be, those asked included."""
        return len(planned(*self._shape))

    @property
    def _shape(self) -> tuple[int, int, int, WindowMode]:
        """Hits, size and stride of the prompt windows, and what is done with several."""
        options, count = self._options, len(self.hits)
        size = min(options.prompt_hits, self._fitting, self._tellable)
        # A smaller window keeps its share of overlap, so that as much is carried along.
        stride = max(1, options.stride * size // options.prompt_hits)
        return count, size, min(stride, size - 1), options.windows

    @property
    def _tellable(self) -> int:
        """How many hits the LLM can tell apart in one answer."""
        prompt = self._options.prompt
        if prompt.decoding is Decoding.PERMUTATION:
            return self._options.prompt_hits
        return max(2, first_token.most_hits(prompt.letters, self._options.top_logprobs))

    @cached_property
    def _fitting(self) -> int:
        """How many hits fit into a prompt whichever they are; 2 at least, cut if they must be."""
        count = len(self.hits)
        limit = self._options.prompt.prompt_tokens
        if limit is None:
            return max(2, count)
        left = limit - self._writer.frame_tokens()
        lengths = self._writer.passage_tokens()
        if sum(lengths) <= left:
            return max(2, count)
        longest = accumulate(sorted(lengths, reverse=True))
        return max(2, sum(total <= left for total in longest))

    def _ranking(self, order: Window) -> Ranking:
        if not self.hits:
            return passed_through(self._request, "no_text")
        losses = [exchange.loss for exchange in self.exchanges if exchange.loss]
        if losses and len(losses) == len(self.exchanges):
            return passed_through(self._request, losses[0])
        silent = len(self._request.windowed) - len(self.hits)
        reasons = [*_lost(losses, len(self.exchanges)), *_mended(self.exchanges)]
        reasons += [f"no_text:{silent}"] if silent else []
        ids = (self.hits[place].id for place in order)
        return ranked_by_order(self._request, ids, reason="; ".join(reasons) or None)


def plan(
    request: RankRequest,
    options: InsertRankOptions,
    tokenizer: Tokenizer,
    clean: Callable[[str], str] = neutral,
) -> Plan:
    """The prompts over the window of ``request``, and what becomes of their answers.

    ``clean`` is what foreign text goes through; only an evaluation of it has another.
    """
    hits = tuple(hit for hit in request.windowed if hit.text and not hit.text.isspace())
    shown = replace(request, hits=hits, window=None)
    return Plan(request, hits, options, PromptWriter(shown, options.prompt, tokenizer, clean))


def _written(prompt: Prompt, answer: Answer) -> Permutation:
    return parse(answer.text, len(prompt.shown), cut=answer.cut)


def _first_token(prompt: Prompt, answer: Answer) -> Permutation:
    """A server that tells no probabilities still said which passage is best."""
    said = ((answer.text, 0.0),)
    return first_token.permutation(prompt.identifiers, answer.first_token or said)


_READERS: dict[Decoding, Callable[[Prompt, Answer], Permutation]] = {
    Decoding.PERMUTATION: _written,
    Decoding.FIRST_TOKEN: _first_token,
}


def _lost(losses: Sequence[str], prompts: int) -> list[str]:
    """How many prompts left their hits as they stood, and why the first did."""
    return [f"llm_windows_lost:{len(losses)}/{prompts},{losses[0]}"] if losses else []


def _mended(exchanges: Sequence[Exchange]) -> list[str]:
    """What had to be mended, so that nobody takes it for the model's own word."""
    read = [exchange.permutation for exchange in exchanges if exchange.loss is None]
    counts = {
        "missing": sum(one.missing for one in read),
        "repeated": sum(one.repeated for one in read),
        "out_of_range": sum(one.out_of_range for one in read),
    }
    mended = ",".join(f"{name}={count}" for name, count in counts.items() if count)
    # An answer that named every passage before it was cut off lacks nothing.
    truncated = any(one.truncated and one.missing for one in read)
    reason = "llm_answer_truncated" if truncated else "llm_answer_repaired"
    return [f"{reason}:{mended}"] if mended else []
