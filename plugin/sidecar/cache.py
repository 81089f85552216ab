"""Vectors of documents that arrived as text, kept by what they were made of."""

from __future__ import annotations

import hashlib

from cachetools import LRUCache

from plugin.ranking.hits import Vector
from plugin.ranking.prompts import EncoderInput, InputKind

_ENTRY_OVERHEAD = 300  # bytes of the key, the array object and the entry, about


class VectorCache:
    """Least recently used document vectors, bounded in bytes; for the event loop's thread only.

    Keys are a model's fingerprint and the digest of the document's encoder text. Queries and
    listwise prompts are never kept: they hardly ever come back.
    """

    def __init__(self, limit: int) -> None:
        self._vectors: LRUCache[bytes, Vector] = LRUCache(limit, getsizeof=_size)

    @property
    def bytes(self) -> int:
        """Bytes in use."""
        return int(self._vectors.currsize)

    def get(self, fingerprint: str, text: EncoderInput) -> Vector | None:
        """The vector of a document, float32 (dimensions,), or None."""
        if text.kind is not InputKind.DOCUMENT:
            return None
        return self._vectors.get(_key(fingerprint, text))

    def put(self, fingerprint: str, text: EncoderInput, vector: Vector) -> None:
        """Keep a document's vector, unless it is larger than the whole cache."""
        if text.kind is InputKind.DOCUMENT and _size(vector) <= self._vectors.maxsize:
            self._vectors[_key(fingerprint, text)] = vector.copy()


def _key(fingerprint: str, text: EncoderInput) -> bytes:
    digest = hashlib.blake2b(text.text.encode("utf-8", "replace"), digest_size=16).digest()
    return fingerprint.encode() + digest


def _size(vector: Vector) -> int:
    return vector.nbytes + _ENTRY_OVERHEAD
