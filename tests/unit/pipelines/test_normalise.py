from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.normalise import diff, keep, normalise

SCALARS = st.one_of(st.booleans(), st.integers(), st.text(max_size=8), st.none())
BODIES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3),
        ),
        max_leaves=10,
    ),
    max_size=4,
)


def as_engines_show(value: Any) -> Any:
    """Numbers and booleans as strings, as an engine shows settings."""
    if isinstance(value, dict):
        return {key: as_engines_show(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_engines_show(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


@given(BODIES)
def test_a_body_and_what_an_engine_shows_of_it_are_equal(body: dict[str, Any]) -> None:
    assert normalise(as_engines_show(body)) == normalise(body)


@given(BODIES)
def test_normalising_twice_changes_nothing(body: dict[str, Any]) -> None:
    once = normalise(body)
    assert normalise(once) == once


@given(BODIES, BODIES)
def test_a_diff_shows_every_difference(left: dict[str, Any], right: dict[str, Any]) -> None:
    one, other = normalise(left), normalise(right)
    assert diff(one, one) == []
    assert one == other or diff(one, other)


@pytest.mark.parametrize(
    ("dotted", "nested"),
    [
        ({"index.number_of_shards": "1"}, {"index": {"number_of_shards": 1}}),
        ({"index": {"a": 1}, "index.b": 2}, {"index": {"a": 1, "b": 2}}),
        ({"index.b": 2, "index": {"a": 1}}, {"index": {"a": 1, "b": 2}}),
        ({"a.b": {"c": 1}, "a": {"b": {"d": 2}}}, {"a": {"b": {"c": 1, "d": 2}}}),
    ],
)
def test_dotted_settings_are_nested(dotted: dict[str, Any], nested: dict[str, Any]) -> None:
    assert normalise(dotted) == nested


@pytest.mark.parametrize("text", ["007", "-0", "1.0", "1e3", "True", "0x10", "", " 1"])
def test_what_would_not_come_back_stays_a_string(text: str) -> None:
    assert normalise({"a": text}) == {"a": text}


def test_empty_things_are_left_out_and_false_and_zero_are_not() -> None:
    body: dict[str, Any] = {
        "composed_of": [],
        "parameters": {},
        "x": None,
        "index": False,
        "replicas": 0,
    }
    assert normalise(body) == {"index": False, "replicas": 0}


def test_a_processor_without_parameters_keeps_its_name() -> None:
    pipeline = {"processors": [{"rankside_embedding": {}}, {}]}
    assert normalise(pipeline) == pipeline
    assert normalise(pipeline) != normalise({"processors": [{"another": {}}, {}]})


def test_the_order_of_a_list_is_a_difference() -> None:
    assert normalise({"a": ["x", "y"]}) != normalise({"a": ["y", "x"]})


def test_a_diff_shows_the_line_that_changes() -> None:
    lines = diff({"shards": 1, "same": 0}, {"shards": 3, "same": 0})
    assert [line for line in lines[2:] if line.startswith(("+", "-"))] == [
        '-  "shards": 1',
        '+  "shards": 3',
    ]


def test_a_diff_from_nothing_and_to_nothing() -> None:
    assert all(line.startswith(("+", "-", "@")) for line in diff(None, {"a": 1}))
    assert diff(None, None) == []


def test_keep_drops_what_the_engine_added() -> None:
    assert keep({"a": 1, "created_time": 2}, ["a", "b"]) == {"a": 1}
