"""First-token decoding: an order out of the probabilities of an LLM's first token.

Source: arXiv 2406.15657. Instead of writing an order, the LLM is asked which passage is best; how
likely each passage's letter is as the first token of the answer orders them all, in one step.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Sequence

from plugin.ranking.permutation import Outcome, Permutation

LETTERS = tuple(string.ascii_uppercase + string.ascii_lowercase)
"""What passages are told by where one token is to say which is best."""

# What tokenizers and chat models put before or around a letter: a marked space (SentencePiece,
# byte-level BPE), brackets, quotes, Markdown.
_AROUND = " \t\r\n\u2581\u0120\u010a[]().:\"'`*"


def single_tokens(letters: Iterable[str], tokens_of: Callable[[str], int]) -> tuple[str, ...]:
    """Those of ``letters`` that are one token each, by ``tokens_of`` without special tokens.

    A letter of two tokens would be seen by its first half, which other answers begin with too.
    """
    return tuple(letter for letter in letters if tokens_of(letter) == 1)


def bare(token: str) -> str:
    """``token`` without what may stand around a letter."""
    return token.strip(_AROUND)


def most_hits(letters: Sequence[str], top_logprobs: int | None) -> int:
    """How many hits one prompt may hold so that each can be ranked.

    A server tells no more than the ``top_logprobs`` likeliest tokens; None: it tells all, as a
    model in this process does.
    """
    return len(letters) if top_logprobs is None else min(len(letters), top_logprobs)


def permutation(identifiers: Sequence[str], logprobs: Iterable[tuple[str, float]]) -> Permutation:
    """The order of ``identifiers``' passages by the log-probabilities of the first token.

    ``logprobs`` are (token, natural log of its probability). Tokens that are one letter but for
    what stands around it (``A``, ``" A"``, ``"[A"``) count together, by the sum of their
    probabilities. Letters that are not among the tokens follow as they were shown, and are missing;
    ties stand as they were shown. Nothing usable gives the order they were shown in.
    """
    places = {identifier: place for place, identifier in enumerate(identifiers)}
    found: dict[int, list[float]] = {}
    for token, logprob in logprobs:
        place = places.get(bare(token))
        if place is not None and logprob < math.inf:  # NaN is not less than anything
            found.setdefault(place, []).append(logprob)
    likelihood = {place: _log_of_sum(values) for place, values in found.items()}
    order = sorted(likelihood, key=lambda place: (-likelihood[place], place))
    missing = [place for place in range(len(identifiers)) if place not in likelihood]
    outcome = Outcome.REPAIRED if missing else Outcome.CLEAN
    return Permutation((*order, *missing), outcome if order else Outcome.UNUSABLE, len(missing))


def _log_of_sum(logs: Sequence[float]) -> float:
    """log(Σ exp) without underflow: servers write -9999 for "as good as never"."""
    highest = max(logs)
    if highest == -math.inf:
        return highest
    return highest + math.log(math.fsum(math.exp(log - highest) for log in logs))
