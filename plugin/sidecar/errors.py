"""One map from exception to HTTP status, and one shape of every error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelMismatch,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
    RanksideError,
    RequestTooLarge,
    UsageError,
)
from plugin.ranking.wire import ErrorAnswer, ErrorBody
from plugin.sidecar.record import request_id

CLIENT_CLOSED = 499  # nginx's status for a client that went away; nobody reads it but the log

STATUSES: Sequence[tuple[type[RanksideError], int, str]] = (
    (RequestTooLarge, 413, "request_too_large"),
    (UsageError, 422, "request_error"),
    (ModelMismatch, 409, "model_mismatch"),
    (Overloaded, 429, "overloaded"),
    (ModelOutputError, 502, "model_output_error"),
    (ModelUnavailable, 503, "model_unavailable"),
    (DeadlineExceeded, 504, "deadline_exceeded"),
    (RanksideError, 500, "internal_error"),
)

ANSWERED: Sequence[int] = sorted(
    {200, 401, 404, 405, CLIENT_CLOSED, *(status for _, status, _ in STATUSES)}
)
"""Every status that the sidecar answers, or notes."""

_UNREADABLE = "the body cannot be read; send it as plain JSON in UTF-8, and not nested deeply"

_DESCRIPTIONS = {
    401: "No bearer key, or not one of the keys.",
    409: "The vectors wanted are of another model than the one that runs here.",
    413: "The body or the query is over a size limit, which the message states.",
    422: "The body is no JSON, or a field is missing, wrong or over a limit: the message says.",
    429: "The admission rule refused the work; `Retry-After` says for how many seconds.",
    500: "A defect; the log has it under the request id.",
    502: "The model's answer is unusable.",
    503: "The model is not loaded, cannot be reached, or is going away.",
    504: "The work could not be done in time.",
}


def declared(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI entry."""
    answers: dict[int | str, dict[str, Any]] = {
        code: {"model": ErrorAnswer, "description": _DESCRIPTIONS[code]} for code in codes
    }
    if 429 in answers:
        schema = {"type": "integer"}
        answers[429]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": schema}}
    return answers


def answer(
    request_id: str,
    status: int,
    kind: str,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error in the one shape."""
    body = ErrorBody(type=kind, message=message, code=status, request_id=request_id)
    content = ErrorAnswer(error=body).model_dump(mode="json")
    return JSONResponse(content, status_code=status, headers=dict(headers or {}))


def answer_for(request_id: str, error: RanksideError) -> Response:
    """The answer that an exception of ours becomes."""
    status, kind = next((code, name) for type_, code, name in STATUSES if isinstance(error, type_))
    headers = {}
    if isinstance(error, Overloaded):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return answer(request_id, status, kind, str(error), headers)


def install(app: FastAPI) -> None:
    """Give every exception that reaches the router its answer."""
    app.add_exception_handler(RanksideError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, RanksideError)  # noqa: S101 - what it is registered for
    return answer_for(request_id(request), error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    return answer(request_id(request), 422, "request_error", _first_sentence(error))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if error.status_code == 400:  # FastAPI's for bytes that are no text; bad JSON it calls 422
        return answer(request_id(request), 422, "request_error", _UNREADABLE)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return answer(
        request_id(request), error.status_code, kind, _remedy(request, error), error.headers
    )


def _remedy(request: Request, error: HTTPException) -> str:
    if error.status_code == 404:
        return f"there is no {_printable(request.url.path)} here; see /openapi.json for what is"
    if error.status_code == 405:
        return f"{request.method} is not for {_printable(request.url.path)}; see /openapi.json"
    return str(error.detail)


def _first_sentence(error: RequestValidationError) -> str:
    """The first fault: where it is and what it should be, without what was sent."""
    faults = error.errors()
    first = faults[0]
    where = ".".join(_printable(str(part)) for part in first["loc"][1:]) or "the body"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where}: {_printable(str(first['msg']))}{more}"


def _printable(text: str) -> str:
    """Text of a client's, without the lone surrogates that JSON answers cannot carry."""
    return text.encode("utf-8", "replace").decode()[:200]
