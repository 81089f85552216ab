"""What the edge notes of one request, for its answer's headers, its log line and its errors."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Scope

_KEY = "rankside.record"
_ACCEPTED = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(slots=True)
class Record:
    """One request's id, headers for its answer, and fields for its log line.

    ``arrived`` is when its head was read, on the clock of ``time.monotonic``.
    """

    id: str
    arrived: float = field(default_factory=time.monotonic)
    headers: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


def begin(scope: Scope) -> Record:
    """Start the record of a request; a sound ``X-Request-Id`` of the client's is kept."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    record = Record(given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex)
    scope[_KEY] = record
    return record


def record_in(scope: Scope) -> Record:
    """The record of the request with this scope."""
    record: Record = scope[_KEY]
    return record


def record_of(request: HTTPConnection) -> Record:
    """The record of a request."""
    return record_in(request.scope)


def request_id(request: HTTPConnection) -> str:
    """The id of a request."""
    return record_of(request).id
