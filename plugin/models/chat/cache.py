"""Answers kept by what was asked, and asked once however many wait for them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from plugin.models.chat.around import AroundLLM
from plugin.models.chat.store import Store
from plugin.models.llm import LLM, Completion
from plugin.ranking.errors import DeadlineExceeded
from plugin.ranking.llm_prompt import ChatMessage

_HEAD_START = 0.05  # seconds that a call which others share may last beyond the first one's time


@dataclass(slots=True)
class _Flight:
    """A call that ``waiting`` callers share; it ends when the last of them has gone."""

    call: asyncio.Task[Completion]
    waiting: int = 0


class CachedLLM(AroundLLM):
    """An LLM whose whole answers are kept.

    The key is the model, its settings and the turns as they are sent, and so the template, the
    query, the texts, their scores and their order; ids are not in a prompt and make no difference.
    """

    def __init__(self, llm: LLM, store: Store, settings: str) -> None:
        super().__init__(llm)
        self._store = store
        self._settings = settings
        self._flights: dict[str, _Flight] = {}

    async def close(self) -> None:
        for flight in list(self._flights.values()):
            flight.call.cancel()
        await super().close()
        await self._store.close()

    async def complete(
        self, messages: Sequence[ChatMessage], *, timeout: float, passages: int = 0
    ) -> Completion:
        """As the LLM, or an answer that is there already.

        Where somebody else's call for it is cut, with time left here, it is made anew.
        """
        key, give_up = self._key(messages), time.monotonic() + timeout
        if (kept := await self._kept(key, timeout)) is not None:
            return kept
        while True:
            left = give_up - time.monotonic()
            flight = self._flights.get(key)
            if flight is None:
                return await self._join(self._begin(key, messages, left, passages), left)
            try:
                completion = await self._join(flight, left)
            except DeadlineExceeded:
                if time.monotonic() + _HEAD_START >= give_up:
                    raise
                continue
            if not completion.cut or time.monotonic() + _HEAD_START >= give_up:
                return replace(completion, prompt_tokens=0, completion_tokens=0, cached=True)

    def _begin(
        self, key: str, messages: Sequence[ChatMessage], timeout: float, passages: int
    ) -> _Flight:
        call = asyncio.create_task(self._ask(key, messages, timeout, passages))
        flight = self._flights[key] = _Flight(call)
        call.add_done_callback(lambda _: self._flights.pop(key, None))
        return flight

    async def _ask(
        self, key: str, messages: Sequence[ChatMessage], timeout: float, passages: int
    ) -> Completion:
        completion = await self._llm.complete(messages, timeout=timeout, passages=passages)
        if not completion.cut:
            await self._store.put(key, json.dumps(asdict(completion)).encode())
        return completion

    async def _join(self, flight: _Flight, timeout: float) -> Completion:
        flight.waiting += 1
        try:
            done, _ = await asyncio.wait([flight.call], timeout=max(0, timeout) + _HEAD_START)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.call.cancel()  # of one that is done this changes nothing
        if not done or flight.call.cancelled():
            raise DeadlineExceeded(
                f"the LLM gave no answer in {timeout:.1f} s; raise the deadline or send fewer hits"
            )
        return flight.call.result()

    async def _kept(self, key: str, timeout: float) -> Completion | None:
        try:
            async with asyncio.timeout(timeout):
                found = await self._store.get(key)
            body = None if found is None else json.loads(found)
            kept = None if body is None else _completion(body)
        except (
            TimeoutError,
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
        ):  # it is of another release
            return None
        return kept and replace(kept, prompt_tokens=0, completion_tokens=0, cached=True)

    def _key(self, messages: Sequence[ChatMessage]) -> str:
        asked = json.dumps([self._settings, [asdict(message) for message in messages]])
        return hashlib.blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _completion(body: dict[str, Any]) -> Completion:
    likeliest = tuple((token, logprob) for token, logprob in body.pop("first_token"))
    return Completion(**body, first_token=likeliest)
