"""A tokenizer that counts words, so that expected lengths can be read off the page."""

from __future__ import annotations

import pytest

SPECIALS = 2


class WordTokenizer:
    """One token a word, two around every text."""

    def count(self, text: str) -> int:
        return len(text.split()) + SPECIALS

    def truncate(self, text: str, tokens: int) -> str:
        return " ".join(text.split()[: max(tokens, 0)])

    def user_turn(self, content: str) -> str:
        return f"<user>{content}</user><answer>"


@pytest.fixture(scope="session")
def words() -> WordTokenizer:
    return WordTokenizer()
