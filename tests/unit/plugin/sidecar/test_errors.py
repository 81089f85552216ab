from __future__ import annotations

import json

import pytest

from plugin.ranking import errors as tree
from plugin.ranking.errors import (
    DeadlineExceeded,
    ModelMismatch,
    ModelOutputError,
    ModelUnavailable,
    Overloaded,
    RanksideError,
    RequestError,
    RequestTooLarge,
)
from plugin.ranking.wire import ErrorAnswer
from plugin.sidecar.errors import answer_for


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RequestTooLarge("m"), 413, "request_too_large"),
        (RequestError("m"), 422, "request_error"),
        (Overloaded("m", retry_after=2.1), 429, "overloaded"),
        (ModelMismatch("m"), 409, "model_mismatch"),
        (ModelOutputError("m"), 502, "model_output_error"),
        (ModelUnavailable("m"), 503, "model_unavailable"),
        (DeadlineExceeded("m"), 504, "deadline_exceeded"),
        (RanksideError("m"), 500, "internal_error"),
    ],
)
def test_each_exception_has_its_status(error: RanksideError, status: int, kind: str) -> None:
    answer = answer_for("id", error)
    body = ErrorAnswer.model_validate(json.loads(bytes(answer.body)))
    assert answer.status_code == body.error.code == status
    assert (body.error.type, body.error.message, body.error.request_id) == (kind, "m", "id")


def test_overload_says_when_to_come_back_in_whole_seconds() -> None:
    assert answer_for("id", Overloaded("m", retry_after=2.1)).headers["retry-after"] == "3"


def test_no_exception_of_the_tree_is_without_a_status() -> None:
    kinds = [value for value in vars(tree).values() if isinstance(value, type)]
    ours = [kind for kind in kinds if issubclass(kind, RanksideError)]
    assert len(ours) > 15
    for kind in ours:
        error = kind.__new__(kind)
        error.args, error.retry_after = ("m",), 1.0  # type: ignore[attr-defined]
        assert answer_for("id", error).status_code >= 400
