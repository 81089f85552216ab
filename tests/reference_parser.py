"""The rules for reading an LLM's order once more, sign by sign: slow, and plain to check.

No regular expressions, nothing shared with `plugin.ranking.permutation`. ``read`` is told apart
from the parser by random answers.
"""

from __future__ import annotations

TAGS = ("think", "thinking", "thought", "reasoning")
LOOK_ALIKES = {"\uff3b": "[", "\u3010": "[", "\uff3d": "]", "\u3011": "]", "\uff1e": ">"}
LOOK_ALIKES["\u227b"] = ">"


def read(answer: str, count: int, *, cut: bool) -> tuple[list[int], int, int, int, bool]:
    """The order (0-based), and the counts: missing, repeated, out of range; and if truncated."""
    said, inside = spoken("".join(LOOK_ALIKES.get(sign, sign) for sign in answer))
    truncated = cut or inside or ends_open(said)
    numbers = bracketed(said) or listed(said, cut=truncated) or chained(said, cut=truncated)
    order: list[int] = []
    repeated = out_of_range = 0
    for digits in numbers:
        value = value_of(digits)
        if not 1 <= value <= count:
            out_of_range += 1
        elif value - 1 in order:
            repeated += 1
        else:
            order.append(value - 1)
    missing = [place for place in range(count) if place not in order]
    if not order:
        repeated = 0
    return order + missing, len(missing), repeated, out_of_range, truncated


def value_of(digits: str) -> int:
    if len(digits) > 6:
        return 0
    value = 0
    for digit in digits:
        value = value * 10 + int(digit)
    return value


def spoken(answer: str) -> tuple[str, bool]:
    """What is outside of reasoning, and whether reasoning is still going on at the end."""
    pieces: list[str] = []
    piece, place, inside = "", 0, False
    while place < len(answer):
        tag = tag_at(answer, place)
        if not tag:
            piece += answer[place]
            place += 1
            continue
        if not inside:
            pieces.append(piece)
        if tag.startswith("</") and not inside:
            pieces = []
        inside = not tag.startswith("</")
        piece, place = "", place + len(tag)
    return " ".join(pieces if inside else [*pieces, piece]), inside


def tag_at(answer: str, place: int) -> str:
    for name in TAGS:
        for tag in (f"<{name}>", f"</{name}>"):
            if answer[place : place + len(tag)].lower() == tag:
                return tag
    return ""


def ends_open(said: str) -> bool:
    said = said.rstrip()
    if said.endswith((">", ",")):
        before = said[:-1].rstrip()
        return before.endswith("]") or before[-1:].isdecimal()
    return strip_digits(said).rstrip().endswith("[")


def strip_digits(text: str) -> str:
    while text[-1:].isdecimal():
        text = text[:-1]
    return text


class Reader:
    """A place in a text; each method moves on if it can, and says what it found."""

    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place

    def spaces(self) -> None:
        while self.text[self.place : self.place + 1].isspace():
            self.place += 1

    def sign(self, wanted: str) -> bool:
        self.spaces()
        found = self.text[self.place : self.place + 1] == wanted
        self.place += found
        return found

    def digits(self) -> str:
        self.spaces()
        start = self.place
        while self.text[self.place : self.place + 1].isdecimal():
            self.place += 1
        return self.text[start : self.place]

    def ended(self) -> bool:
        self.spaces()
        return self.place == len(self.text)


def bracketed(said: str) -> list[str]:
    found: list[tuple[str, bool]] = []
    place = 0
    while place < len(said):
        reader = Reader(said, place)
        start = place
        place += 1
        if said[start] != "[":
            continue
        reader.place += 1
        digits = reader.digits()
        if digits and reader.sign("]"):
            place = reader.place
            found.append((digits, said[:start].rstrip().endswith(">")))
    found.append(("", said.rstrip().endswith(">")))
    first = next((number for number, (_, joined) in enumerate(found) if joined), 0)
    found.pop()
    start = max(0, first - 1)
    return [digits for digits, _ in found[start:] + found[:start]]


def listed(said: str, *, cut: bool) -> list[str]:
    numbers: list[str] = []
    place = 0
    while place < len(said):
        reader = Reader(said, place)
        place += 1
        if said[reader.place] != "[":
            continue
        reader.place += 1
        members = [reader.digits()]
        if not members[0]:
            continue
        after = reader.place
        while reader.sign(",") and (more := reader.digits()):
            members.append(more)
            after = reader.place
        reader.place = after
        closed = reader.sign("]")
        if not closed:
            reader.sign(",")
        if closed or reader.ended():
            numbers += members
            place = reader.place
    return without_last(numbers, said, cut=cut)


def chained(said: str, *, cut: bool) -> list[str]:
    numbers: list[str] = []
    place = 0
    while place < len(said):
        before = said[place - 1 : place]
        if not said[place].isdecimal() or is_word(before) or before == ".":
            place += 1
            continue
        members, ends = members_of(said, place)
        # What a number is part of, such as 3.5 or 2nd4, is not a passage's.
        while len(members) > 1 and goes_on(said, ends[-1]):
            members.pop()
            ends.pop()
        if len(members) > 1:
            numbers += members
            place = ends[-1]
        else:
            place = ends[0]
    return without_last(numbers, said, cut=cut)


def members_of(said: str, place: int) -> tuple[list[str], list[int]]:
    reader = Reader(said, place)
    members, ends = [reader.digits()], [reader.place]
    while reader.sign(">") and (more := reader.digits()):
        members.append(more)
        ends.append(reader.place)
    return members, ends


def goes_on(said: str, place: int) -> bool:
    while place < len(said) and (is_word(said[place]) or said[place] == "."):
        if said[place].isdecimal():
            return True
        place += 1
    return False


def is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def without_last(numbers: list[str], said: str, *, cut: bool) -> list[str]:
    unsure = cut and numbers and said.endswith(numbers[-1])
    return numbers[:-1] if unsure else numbers
