"""Where answers are kept: in memory, or in a Redis or Valkey that several sidecars share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from cachetools import TTLCache

from plugin.models.chat.options import CacheOptions
from plugin.ranking.errors import SettingsError

_ENTRY_OVERHEAD = 400  # bytes of the key, the objects and the entry, about
_PREFIX = "rankside:answer:"
_SLOW = 0.25  # seconds after which an answer is asked for anew rather than waited for


class Store(Protocol):
    """Bytes by key, for a time. Nothing is raised: what cannot be read is not there."""

    async def get(self, key: str) -> bytes | None:
        """What was put, or None."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Keep it."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


class MemoryStore:
    """The least recently made of this process, bounded in bytes."""

    def __init__(self, options: CacheOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: TTLCache[str, bytes] = TTLCache(
            options.bytes, options.ttl, timer=clock, getsizeof=_size
        )

    async def get(self, key: str) -> bytes | None:
        return self._kept.get(key)

    async def put(self, key: str, value: bytes) -> None:
        if _size(value) <= self._kept.maxsize:
            self._kept[key] = value

    async def close(self) -> None:
        self._kept.clear()


class RedisStore:
    """Of a Redis or Valkey; one that is away or slow costs the answers, never a search."""

    def __init__(self, url: str, ttl: float) -> None:
        try:
            from redis.asyncio import Redis
            from redis.exceptions import RedisError
        except ImportError as error:
            raise SettingsError(
                "llm.cache.redis_url needs the redis client; install rankside[redis]"
            ) from error
        try:
            self._redis = Redis.from_url(url, socket_timeout=_SLOW, socket_connect_timeout=_SLOW)
        except ValueError as error:
            raise SettingsError(f"llm.cache.redis_url is no address of a Redis: {error}") from error
        self._failures = (RedisError, OSError)
        self._ttl_ms = max(1, round(ttl * 1000))

    async def get(self, key: str) -> bytes | None:
        try:
            found = await self._redis.get(_PREFIX + key)
        except self._failures:
            return None
        return found if isinstance(found, bytes) else None

    async def put(self, key: str, value: bytes) -> None:
        try:
            await self._redis.set(_PREFIX + key, value, px=self._ttl_ms)
        except self._failures:
            return

    async def close(self) -> None:
        await self._redis.aclose()


def store_of(options: CacheOptions) -> Store | None:
    """The store of the settings; None where nothing is kept.

    Raises:
        SettingsError: the Redis of the settings cannot be used.
    """
    if options.redis_url is not None:
        return RedisStore(options.redis_url.get_secret_value(), options.ttl)
    return MemoryStore(options) if options.bytes else None


def _size(value: bytes) -> int:
    return len(value) + _ENTRY_OVERHEAD
