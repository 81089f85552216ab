"""Foreign text made harmless: nothing in a passage or a query can pass for a part of the prompt.

What gives a prompt its shape is taken out of the text that stands in it: lines (a passage is one
line), square brackets (passage numbers, ``[INST]``), angle brackets (tags, ``<|im_start|>``, the
``>`` of a permutation), the word that stands before a score, and what nobody sees. A reader still
understands the text; orders in plain words remain, and the template says what they are worth.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_ROUND_OPEN = (
    "[\u2045\u23a1\u23a2\u23a3\u2772\u27e6\u298b\u298d\u298f\u2997\u3010\u3014\u3016\u3018\u301a"
)
_ROUND_CLOSE = (
    "]\u2046\u23a4\u23a5\u23a6\u2773\u27e7\u298c\u298e\u2990\u2998\u3011\u3015\u3017\u3019\u301b"
)
_ANGLE_OPEN = "<\u2329\u276c\u276e\u27e8\u27ea\u3008\u300a"
_ANGLE_CLOSE = ">\u232a\u276d\u276f\u27e9\u27eb\u227b\u3009\u300b"
_HARMLESS = str.maketrans({"[": "(", "]": ")", "<": "\u2039", ">": "\u203a"})
# Styled forms of ASCII: letterlike, small, full-width, and mathematical ones.
_STYLED = ((0x2100, 0x2150), (0xFE47, 0xFE70), (0xFF01, 0xFF5F), (0x1D400, 0x1D800))
_STYLES = ("<font>", "<small>", "<wide>", "<vertical> 005")
# Not seen: controls, zero width, direction, tags, lone surrogates (which no UTF-8 has), and the
# selectors of variants but the emoji's own.
_UNSEEN = ("Cc", "Cf", "Cs")
_SELECTORS = (0xE0100, 0xE01F0)
_JOINERS = "\u200c\u200d"  # part of words and of emoji, between two letters that are not ASCII
_LETTER = rf"[^\x00-\x7f{_JOINERS}]"
_LONE_JOINER = re.compile(rf"(?<!{_LETTER})[{_JOINERS}]|[{_JOINERS}](?!{_LETTER})")
_SCORE_WORD = re.compile(r"(BM)(?=\s*25)", re.IGNORECASE)


def neutral(text: str) -> str:
    """``text`` as one line that holds no delimiter of a prompt or of a chat template.

    ``neutral(neutral(text))`` is ``neutral(text)``. No ``[ ] < >`` and no look-alike of them is in
    it, no ``BM25``, and nothing that cannot be encoded as UTF-8.
    """
    spaced = " ".join(text.split())  # before controls go: some of them part lines
    plain = spaced if spaced.isascii() and spaced.isprintable() else _visible(spaced)
    return " ".join(_SCORE_WORD.sub(r"\1-", plain.translate(_HARMLESS)).split())


def _visible(text: str) -> str:
    text = text.translate(_look_alikes())
    text = "".join(sign for sign in text if sign in _JOINERS or not _unseen(sign))
    return _LONE_JOINER.sub("", text)


@cache
def _look_alikes() -> dict[int, str]:
    """Code points that look like ASCII's delimiters, digits and letters, and what they become."""
    table = {
        point: unicodedata.normalize("NFKC", chr(point))
        for first, end in _STYLED
        for point in range(first, end)
        if unicodedata.decomposition(chr(point)).startswith(_STYLES)
    }
    for signs, sign in (
        (_ROUND_OPEN, "["),
        (_ROUND_CLOSE, "]"),
        (_ANGLE_OPEN, "<"),
        (_ANGLE_CLOSE, ">"),
    ):
        table |= dict.fromkeys(map(ord, signs), sign)
    return table


def _unseen(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN or ord(sign) in range(*_SELECTORS)
