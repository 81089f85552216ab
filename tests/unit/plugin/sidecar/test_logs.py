from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from plugin.sidecar import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    names = ("rankside", "plugin", "uvicorn.error")
    levels = {name: logging.getLogger(name).level for name in names}
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_fields(stream: io.StringIO) -> None:
    logs.configure("info", stream)
    fields = {"fields": {"request_id": "a\nb", "timings_ms": {"total": 1.5}}}
    logging.getLogger("rankside.access").info("POST %s", "/v1/rank", extra=fields)
    (line,) = lines(stream)
    assert line["message"] == "POST /v1/rank"
    assert line["level"] == "info"
    assert line["request_id"] == "a\nb"
    assert line["timings_ms"] == {"total": 1.5}
    assert str(line["time"]).endswith("Z")


def test_a_traceback_stays_on_its_line(stream: io.StringIO) -> None:
    logs.configure("info", stream)
    cause = ValueError("why\nover two lines")
    logging.getLogger("plugin.sidecar").error("failed", exc_info=cause)
    (line,) = lines(stream)
    assert "ValueError" in str(line["traceback"])


def test_levels_are_ours_and_other_libraries_say_only_warnings(stream: io.StringIO) -> None:
    logs.configure("warning", stream)
    logging.getLogger("rankside.access").info("hidden")
    logging.getLogger("httpx").info("hidden")
    logging.getLogger("httpx").warning("shown")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert [line["logger"] for line in lines(stream)] == ["httpx", "py.warnings"]
