"""What the tests of both plugins have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.meta import IndexMeta, document_text, vector_hash

# A busy machine takes longer than the default to accept a connection.
UNHURRIED = {"rankside.connect_timeout": "20s"}


@dataclass(frozen=True)
class Articles:
    """An index of `article_documents` and the vectors in it, for tests that do not write."""

    index: str
    meta: IndexMeta
    documents: Mapping[str, Mapping[str, Any]]
    vectors: Mapping[str, npt.NDArray[np.float32]]

    def actions(self) -> Iterator[dict[str, Any]]:
        """What writes them with their vectors, for a client's bulk helper."""
        for id_ in self.documents:
            yield {"_index": self.index, "_id": id_, **self.document(id_)}

    def document(self, id_: str) -> dict[str, Any]:
        """One of them, with its vector and the hash of its text."""
        source = self.documents[id_]
        text = document_text(source, self.meta.text_fields)
        return {
            **source,
            self.meta.vector_field: self.vectors[id_].tolist(),
            self.meta.hash_field: vector_hash(self.meta.fingerprint, text),
        }


@dataclass(frozen=True)
class Answer:
    """A response of an engine, and what Rankside says of it wherever that engine has a place."""

    body: Mapping[str, Any]
    said: Mapping[str, Any]

    @property
    def hits(self) -> list[dict[str, Any]]:
        """The page."""
        found: list[dict[str, Any]] = self.body["hits"]["hits"]
        return found

    @property
    def ids(self) -> list[str]:
        """The page's ids in order."""
        return [hit["_id"] for hit in self.hits]

    @property
    def scores(self) -> list[float]:
        """The page's scores in order."""
        return [hit["_score"] for hit in self.hits]
