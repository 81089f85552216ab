"""What an index says of its document vectors, and which text they were made of.

Kept in the mapping's ``_meta.rankside``; beside each vector, ``hash_field`` holds
``<fingerprint>:<text hash>`` so that a stale vector is seen whichever of the two changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plugin.ranking.errors import SettingsError

VECTOR_FIELD = "rankside_vector"
HASH_FIELD = "rankside_hash"
TEXT_FIELDS = ("title", "text")


class IndexMeta(BaseModel):
    """``_meta.rankside`` of a mapping.

    ``fingerprint`` is empty while an index holds vectors of more than one model (an in-place
    re-embedding under way): its vectors are then not used.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    fingerprint: str
    model: str
    revision: str = ""
    dimensions: int = Field(ge=1)
    vector_field: str = VECTOR_FIELD
    hash_field: str = HASH_FIELD
    text_fields: tuple[str, ...] = TEXT_FIELDS

    @classmethod
    def of_mapping(cls, mapping: Mapping[str, Any]) -> IndexMeta | None:
        """Read it from one index's ``mappings`` object; None where Rankside never wrote it.

        Raises:
            SettingsError: it is there but broken.
        """
        raw = mapping.get("_meta", {}).get("rankside")
        if raw is None:
            return None
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise SettingsError(
                f"the mapping's _meta.rankside cannot be read ({error.errors()[0]['msg']}); "
                "run `rankside apply` to write it again"
            ) from error

    def to_mapping(self) -> dict[str, Any]:
        """The value of ``_meta``."""
        return {"rankside": self.model_dump(mode="json")}


def document_text(source: Mapping[str, Any], fields: Sequence[str]) -> str:
    """The text of a document: its text fields in order, joined by a newline, missing ones skipped.

    Dotted names reach into objects; the items of a list are joined by a space; objects have no
    text, but for their fields that are named.
    """
    return "\n".join(part for part in (_field_text(source, name) for name in fields) if part)


def text_hash(text: str) -> str:
    """16 hex digits of the text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def vector_hash(fingerprint: str, text: str) -> str:
    """The value of the hash field beside a vector made of ``text``."""
    return f"{fingerprint}:{text_hash(text)}"


def _field_text(source: Mapping[str, Any], name: str) -> str:
    value: Any = source.get(name)
    if value is None and "." in name:
        value = source
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    return "" if _is_textless(value) else _words(value)


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(_words(item) for item in value if not _is_textless(item))
    return value.strip() if isinstance(value, str) else str(value)


def _is_textless(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)
