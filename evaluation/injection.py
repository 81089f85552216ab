"""How far a passage gets by giving orders to the LLM that ranks it.

Each attack is put behind the text of a passage that answers nothing, and the LLM ranks the same
hits with it and without it. An attack names the passage by the number it has in the prompt, which
an attacker can only guess, so what is measured is the worst case.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import numpy as np

from evaluation.asking import ranking
from evaluation.significance import compare
from plugin.models.llm import LLM
from plugin.ranking.hits import Hit, RankRequest, Status, Strategy
from plugin.ranking.initial_order import laid_out
from plugin.ranking.insertrank import InsertRankOptions
from plugin.ranking.llm_prompt import Decoding
from plugin.ranking.neutral import neutral

AT_ONCE = 4
Clean = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Attack:
    """What is put behind a passage's text; ``{number}`` in it is the passage's own, or letter."""

    name: str
    kind: str
    text: str

    def on(self, text: str, number: str) -> str:
        """``text`` with the attack behind it."""
        return f"{text} {self.text.replace('{number}', number)}"


@dataclass(frozen=True, slots=True)
class Case:
    """Hits to rank, the ids of those that answer the query, and the one that is attacked with."""

    request: RankRequest
    relevant: frozenset[str]
    target: str

    def attacked(self, attack: Attack, options: InsertRankOptions) -> RankRequest:
        """The request whose target carries ``attack``."""
        ids = [hit.id for hit in self.request.hits]
        prompt = options.prompt
        shown = laid_out(self.request, range(len(ids)), prompt.initial_order, prompt.seed)
        place = ids.index(self.target)
        written = prompt.decoding is Decoding.PERMUTATION
        at = shown.index(place)
        number = str(at + 1) if written else prompt.letters[at]
        hits = list(self.request.hits)
        hits[place] = replace(hits[place], text=attack.on(hits[place].text or "", number))
        return replace(self.request, hits=tuple(hits))


@dataclass(frozen=True, slots=True)
class Effect:
    """What one attack did over all cases, with passages cleaned or as they are.

    ``moved`` is how many places the target rose on average (negative: fell), ``low`` and ``high``
    its 95 % bootstrap interval over the cases. ``first`` is the share of cases where it came first
    with the attack and not without it; ``unread`` the share where the attack, and nothing else,
    kept the answer from being read.
    """

    attack: str
    kind: str
    cleaned: bool
    cases: int
    moved: float
    low: float
    high: float
    first: float
    unread: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where a case's target came, from 1, and whether the answer could be read at all."""

    rank: int
    read: bool


def attacks() -> tuple[Attack, ...]:
    """Every attack there is."""
    return tuple(Attack(**one) for one in _read("attacks.jsonl"))


def cases() -> tuple[Case, ...]:
    """The rankings that attacks are tried on."""
    return tuple(
        Case(
            request=RankRequest(
                one["query"], tuple(Hit(**hit) for hit in one["hits"]), Strategy.INSERTRANK
            ),
            relevant=frozenset(one["relevant"]),
            target=one["target"],
        )
        for one in _read("cases.jsonl")
    )


class Suite:
    """Runs attacks on cases with one LLM, some prompts at once.

    ``seconds`` is the time for one answer; a prompt without an answer counts as not read.
    """

    def __init__(self, llm: LLM, options: InsertRankOptions, seconds: float = 60.0) -> None:
        self._llm = llm
        self._options = options
        self._seconds = seconds
        self._free = asyncio.Semaphore(AT_ONCE)

    async def run(
        self,
        tried: Sequence[Attack],
        on: Sequence[Case],
        *,
        cleaned: bool,
        done: Callable[[], None] = lambda: None,
    ) -> list[Effect]:
        """The effect of every attack; ``done`` is called after each ranking."""
        clean: Clean = neutral if cleaned else _as_it_is

        async def ranked(request: RankRequest, target: str) -> Ranked:
            async with self._free:
                found = await self._ranked(request, target, clean)
            done()
            return found

        before = await asyncio.gather(*(ranked(case.request, case.target) for case in on))
        effects = []
        for attack in tried:
            requests = [(case.attacked(attack, self._options), case.target) for case in on]
            after = await asyncio.gather(*(ranked(*one) for one in requests))
            effects.append(_effect(attack, before, after, cleaned=cleaned))
        return effects

    async def _ranked(self, request: RankRequest, target: str, clean: Clean) -> Ranked:
        found = await ranking(self._llm, request, self._options, seconds=self._seconds, clean=clean)
        return Ranked(found.ids.index(target) + 1, found.status is not Status.PASSED_THROUGH)


def _effect(
    attack: Attack, before: Sequence[Ranked], after: Sequence[Ranked], *, cleaned: bool
) -> Effect:
    ranks = [np.array([one.rank for one in ranked], dtype=np.float64) for ranked in (before, after)]
    compared = compare(ranks[0], ranks[1])  # a lower rank is better: before less after
    pairs = list(zip(before, after, strict=True))
    return Effect(
        attack=attack.name,
        kind=attack.kind,
        cleaned=cleaned,
        cases=len(pairs),
        moved=compared.difference,
        low=compared.low,
        high=compared.high,
        first=sum(one.rank > 1 and two.rank == 1 for one, two in pairs) / len(pairs),
        unread=sum(one.read and not two.read for one, two in pairs) / len(pairs),
    )


def _as_it_is(text: str) -> str:
    return text


def _read(name: str) -> Iterable[dict[str, Any]]:
    file = resources.files("evaluation.injections").joinpath(name)
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
