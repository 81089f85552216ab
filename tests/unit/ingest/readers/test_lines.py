from __future__ import annotations

import errno
import gzip
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import Position
from ingest.readers.lines import Lines
from plugin.ranking.errors import SettingsError

START = Position(part=2, file="some.jsonl")


def lines_of(data: bytes, *, limit: int = 100) -> Lines:
    return Lines(io.BytesIO(data), START, limit=limit)


@given(st.binary(max_size=400).filter(lambda data: data[:2] not in (b"\xff\xfe", b"\xfe\xff")))
def test_every_byte_is_counted_and_only_the_mark_is_dropped(data: bytes) -> None:
    found = list(lines_of(data, limit=1000))

    joined = b"".join(line.data or b"" for line in found)
    assert joined == data.removeprefix(b"\xef\xbb\xbf")
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    assert (found[-1].offset if found else 0) == len(data)


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 20))
def test_over_long_lines_are_passed_over_with_their_number(lengths: list[int], limit: int) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths)

    found = list(lines_of(data, limit=limit))

    assert [line.data is None for line in found] == [length + 1 > limit for length in lengths]
    assert [line.number for line in found] == list(range(1, len(lengths) + 1))
    assert not found or found[-1].offset == len(data)


def test_a_last_line_without_an_end_is_a_line() -> None:
    assert [line.data for line in lines_of(b"a\r\nb")] == [b"a\r\n", b"b"]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_in_one_sentence(codec: str) -> None:
    mark = "\ufeff".encode(codec)
    with pytest.raises(SettingsError, match=r"some.jsonl is UTF-16; convert it"):
        next(lines_of(mark + '{"a": 1}\n'.encode(codec)))


def test_a_cut_off_compressed_file_gives_what_is_whole_and_one_record_for_the_rest() -> None:
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(50_000)))
    with gzip.open(io.BytesIO(whole[:-2000])) as stream:
        lines = Lines(stream, START)  # type: ignore[arg-type]
        read = [int(line.data or b"") for line in lines]

    assert read == list(range(len(read)))
    assert 1000 < len(read) < 50_000
    assert lines.damage is not None
    assert f"behind line {len(read)}" in lines.damage.reason
    assert (lines.damage.position.part, lines.damage.position.offset) == (3, 0)


def test_a_disk_that_fails_is_no_end_of_the_file() -> None:
    class Failing(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().readline(size)

    lines = Lines(Failing(b"1\n2\n"), START)

    assert next(lines).data == b"1\n"
    with pytest.raises(SettingsError, match=r"behind line 1 \(Input/output error\)"):
        next(lines)
