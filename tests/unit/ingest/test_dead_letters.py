from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.dead_letters import DeadLetters, fresh_dead_letters
from ingest.documents import START, Position
from plugin.ranking.errors import SettingsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "dead.jsonl"


def letters(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def place(number: int, part: int = 0) -> Position:
    return Position(part=part, lines=number, offset=number * 10, line=number, file="a.jsonl")


def test_a_letter_says_why_where_and_what(path: Path) -> None:
    dead = DeadLetters(path)
    dead.add("no", place(3), id="x", status=400, document={"text": "é\u2028\ud800"}, raw=None)
    dead.close()

    (letter,) = letters(path)
    assert letter == {
        "reason": "no",
        "file": "a.jsonl",
        "line": 3,
        "part": 0,
        "offset": 30,
        "id": "x",
        "status": 400,
        "document": {"text": "é\u2028?"},
    }


def test_there_is_no_file_without_a_letter(path: Path) -> None:
    dead = DeadLetters(path)
    dead.sync()
    dead.close()

    assert not path.exists()


@pytest.mark.parametrize(
    ("kept", "lines"), [(place(2), [1, 2]), (place(9), [1, 2, 3]), (START, [])]
)
def test_a_resumed_run_keeps_the_letters_up_to_the_checkpoint(
    path: Path, kept: Position, lines: list[int]
) -> None:
    dead = DeadLetters(path)
    for number in (1, 2, 3):
        dead.add("no", place(number), raw="line\u2028end")
    dead.close()
    with path.open("ab") as file:
        file.write('{"reason": "cut off, é'.encode()[:-1])  # as a kill leaves it

    dead.keep_until(kept)
    dead.add("again", place(10))
    dead.close()

    assert [letter["line"] for letter in letters(path)] == [*lines, 10]


def test_a_run_from_the_start_drops_an_earlier_run_s_letters(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}\n")

    assert fresh_dead_letters(None, path).path == path
    assert not path.exists()


def test_a_file_of_somebody_s_is_not_touched(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.write_text("precious\n")

    with pytest.raises(SettingsError, match="is not empty"):
        fresh_dead_letters(path, tmp_path / "default")
    assert path.read_text() == "precious\n"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match="give --dead-letter"):
        DeadLetters(tmp_path / "file" / "dead.jsonl").add("no", place(1))


def test_a_full_disk_is_said_when_letters_are_put_there_and_when_the_file_is_closed() -> None:
    dead = DeadLetters(Path("/dev/full"))
    dead.add("no", place(1))

    for use in (dead.sync, dead.close):
        with pytest.raises(SettingsError, match=r"/dev/full cannot be used \(No space left"):
            use()
    dead.close()


def test_a_folder_is_no_dead_letter_file(path: Path) -> None:
    path.mkdir(parents=True)

    for use in (
        lambda: DeadLetters(path).keep_until(place(1)),
        lambda: fresh_dead_letters(None, path),
    ):
        with pytest.raises(SettingsError, match="give --dead-letter"):
            use()
