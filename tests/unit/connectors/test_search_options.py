from __future__ import annotations

from typing import Any

import pytest

from connectors.rescore import RescoreBy
from connectors.search import OnFailure, SearchOptions
from plugin.ranking.errors import UsageError
from plugin.ranking.hits import Strategy


def test_choices_may_be_given_by_name() -> None:
    options = SearchOptions(strategy="cascade", rescore="knn", on_failure="fail")  # type: ignore[arg-type]
    assert options.strategy is Strategy.CASCADE
    assert options.rescore is RescoreBy.KNN
    assert options.on_failure is OnFailure.FAIL
    assert options.fails


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "best"}, "strategy is 'best'; give one of e2rank, insertrank"),
        ({"rescore": "magic"}, "rescore"),
        ({"on_failure": "explode"}, "pass_through, fail"),
        ({"window": 0}, "window is 0"),
        ({"window": 10_001}, "10000"),
        ({"prompt_hits": 0}, "prompt_hits"),
        ({"deadline": 0}, "deadline"),
        ({"query_text": " "}, "query_text"),
    ],
)
def test_wrong_options_are_refused_by_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SearchOptions(**given)
