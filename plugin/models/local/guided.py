"""Which tokens an answer of a model in this process may go on with, so that it is an order."""

from __future__ import annotations

from plugin.models.tokenizer import HubTokenizer

_BETWEEN = " > "


class GuidedOrder:
    """Lets an answer be ``[2] > [1] > …``, each number from 1 to ``passages`` once.

    A number is told by its brackets, so that no number's tokens begin another's.
    """

    def __init__(self, passages: int, tokenizer: HubTokenizer) -> None:
        self._left = [tuple(tokenizer.bare(f"[{number}]")) for number in range(1, passages + 1)]
        self._between = tuple(tokenizer.bare(_BETWEEN))
        self._made: tuple[int, ...] = ()  # of the number that is being written
        self._forced: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every number stands there."""
        return not self._left

    def allowed(self) -> list[int]:
        """The tokens that may come next, while it is not complete."""
        if self._forced:
            return [self._forced[0]]
        at = len(self._made)
        return sorted({tokens[at] for tokens in self._left if tokens[:at] == self._made})

    def take(self, token: int) -> None:
        """``token``, one of those allowed, came."""
        if self._forced:
            self._forced = self._forced[1:]
            return
        self._made += (token,)
        if self._made in self._left:
            self._left.remove(self._made)
            self._made, self._forced = (), self._between
