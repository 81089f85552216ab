"""What a page prints is compared so that a wrong page is found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages import agrees, shell, steps

PAGE = """
Text with `code`.

```sh
one
```

```json
{"a": 1}
{"b": "…"}
```

```sh
two
three
```

```text
 a   table
```
"""


def test_a_page_is_its_commands_and_what_they_print() -> None:
    first, second = steps(PAGE)
    assert (first.commands, first.documents, first.lines) == ("one\n", [{"a": 1}, {"b": "…"}], [])
    assert (second.commands, second.documents, second.lines) == ("two\nthree\n", [], ["a table"])
    assert PAGE[second.place :].startswith("```sh\ntwo")


@pytest.mark.parametrize(
    ("said", "printed", "agree"),
    [
        ({"a": "…"}, {"a": "x", "b": 1}, True),
        ({"a": "…"}, {"a": 1.5}, True),
        ({"a": "…"}, {"a": {"b": 1}}, False),
        ({"a": "…"}, {"b": 1}, False),
        ([0.5], [0.5004], True),
        ([0.5], [0.51], False),
        ([{"_id": "a"}, {"_id": "b"}], [{"_id": "b"}, {"_id": "a"}], False),
        ([1], [1, 2], False),
        ("a", "b", False),
    ],
)
def test_what_is_printed_has_to_be_what_is_said(said: Any, printed: Any, *, agree: bool) -> None:
    assert agrees(said, printed) is agree


@pytest.mark.parametrize("printed", ['{"a": 2} {"b": 1}', '{"a": 1}', '{"a": 1} {"b": 1} {}', ""])
def test_other_documents_are_not_what_the_page_says(printed: str) -> None:
    first = steps(PAGE)[0]
    first.check('{"a": 1, "c": 0} {"b": 1}')
    with pytest.raises(AssertionError):
        first.check(printed)


def test_other_lines_are_not_what_the_page_says() -> None:
    second = steps(PAGE)[1]
    second.check("more\na  table  \n")
    with pytest.raises(AssertionError):
        second.check("another table\n")


def test_blocks_share_a_shell_and_must_succeed() -> None:
    with shell() as bash:
        assert bash.run("word=cold\nsay() { echo $1; }") == "\n"
        assert bash.run("say $word").split() == ["cold"]
        assert bash.run("cat").split() == []
        with pytest.raises(AssertionError, match="the shell ended"):
            bash.run("say never\nfalse\nsay more")
