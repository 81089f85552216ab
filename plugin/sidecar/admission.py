"""The one admission rule: tokens queued and running, against a limit.

Tokens are estimated from the texts' length, so that refused work costs nothing, not even
tokenising.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from plugin.ranking.errors import Overloaded
from plugin.ranking.hits import RankRequest
from plugin.ranking.profile import ModelProfile
from plugin.sidecar.metrics import Metrics

_BYTES_PER_TOKEN = 4  # English prose under the vocabularies of BERT and Qwen
_SPECIAL_TOKENS = 2
_SMOOTHING = 0.2  # weight of the newest batch in the measured rate
_LONGEST_RETRY = 60.0


class Admission:
    """Lets work in until ``limit`` tokens are queued or running.

    Work larger than the limit is let in alone, as it could never be otherwise.
    """

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._metrics = metrics
        self._in_use = 0
        self._rate = 0.0

    @contextmanager
    def admit(self, tokens: int) -> Iterator[None]:
        """Hold ``tokens`` for the length of the block.

        Raises:
            Overloaded: the limit is reached; ``retry_after`` is by the measured rate.
        """
        if self._in_use and self._in_use + tokens > self._limit:
            self._metrics.refusals.inc()
            raise Overloaded(
                f"{self._in_use} tokens are queued or running and the limit is {self._limit}; "
                "try again later, or raise sidecar.queue_tokens",
                retry_after=self._retry_after(tokens),
            )
        self._hold(tokens)
        try:
            yield
        finally:
            self._hold(-tokens)

    def worked(self, tokens: int, seconds: float) -> None:
        """Learn from a batch of ``tokens`` (estimated) that took ``seconds``; for any thread."""
        rate = tokens / max(seconds, 1e-6)
        self._rate = rate if not self._rate else self._rate + _SMOOTHING * (rate - self._rate)

    def _hold(self, tokens: int) -> None:
        self._in_use += tokens
        self._metrics.queue_tokens.set(self._in_use)

    def _retry_after(self, tokens: int) -> float:
        excess = min(self._in_use + tokens - self._limit, self._in_use)
        seconds = excess / self._rate if self._rate else 1.0
        return float(min(_LONGEST_RETRY, max(1, math.ceil(seconds))))


def estimate(text: str, limit: int) -> int:
    """Estimated tokens of ``text``, special tokens included, cut to ``limit``."""
    size = len(text.encode("utf-8", "replace"))
    return min(limit, size // _BYTES_PER_TOKEN + _SPECIAL_TOKENS)


def estimate_all(texts: Iterable[str], limit: int) -> int:
    """Estimated tokens of ``texts``, each cut to ``limit``."""
    return sum(estimate(text, limit) for text in texts)


def estimate_request(request: RankRequest, profile: ModelProfile, *, documents: bool) -> int:
    """Estimated tokens of a ranking: its prompt, its query, and the documents to encode."""
    head = request.windowed[: request.prompt_hits or profile.prompt_hits]
    limit = profile.max_tokens
    passages = estimate_all((hit.text for hit in head if hit.text), limit)
    query = estimate(request.query, limit)
    tokens = min(limit, passages + query) + query
    if documents:
        comparable = request.vector_fingerprint == profile.fingerprint
        tokens += estimate_all(
            (
                hit.text
                for hit in request.windowed
                if hit.text and (hit.vector is None or not comparable)
            ),
            limit,
        )
    return tokens
