from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import START, Position
from ingest.watermark import Outcome, Watermark

OUTCOMES = st.lists(st.sampled_from(list(Outcome)), max_size=30)


def places(count: int) -> list[Position]:
    return [Position(offset=10 * number, line=number) for number in range(1, count + 1)]


@given(st.data(), OUTCOMES)
def test_it_never_passes_a_record_that_is_not_settled(
    data: st.DataObject, outcomes: list[Outcome]
) -> None:
    """In whatever order records are settled: all before the watermark are, and are counted."""
    watermark, positions = Watermark(), places(len(outcomes))
    tickets = [watermark.issue(position) for position in positions]
    settled: set[int] = set()

    for index in data.draw(st.permutations(range(len(outcomes)))):
        watermark.settle(tickets[index], outcomes[index])
        settled.add(index)
        whole = next(n for n in range(len(outcomes) + 1) if n not in settled)
        counts = watermark.counts

        assert watermark.position == (positions[whole - 1] if whole else START)
        assert counts.read == whole
        assert counts.indexed == outcomes[:whole].count(Outcome.INDEXED)
        assert counts.skipped == outcomes[:whole].count(Outcome.SKIPPED)
        assert counts.rejected == outcomes[:whole].count(Outcome.REJECTED)
        assert watermark.settled == len(settled)


@given(st.data(), st.integers(1, 20))
def test_records_are_settled_while_others_are_still_read(data: st.DataObject, count: int) -> None:
    watermark, positions = Watermark(), places(count)
    waiting = []
    for position in positions:
        waiting.append(watermark.issue(position))
        while waiting and data.draw(st.booleans()):
            ticket = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            watermark.settle(ticket, Outcome.INDEXED)
    for ticket in waiting:
        watermark.settle(ticket, Outcome.INDEXED)

    assert watermark.position == positions[-1]
    assert watermark.counts.indexed == watermark.counts.read == count


def test_marks_on_a_ticket_are_counted() -> None:
    watermark = Watermark()
    ticket = watermark.issue(Position(offset=1), derived_id=True)
    ticket.embedded = ticket.overwrote = True

    watermark.settle(ticket, Outcome.INDEXED)

    counts = watermark.counts
    assert (counts.embedded, counts.overwritten, counts.derived_ids) == (1, 1, 1)


def test_a_ticket_is_settled_once() -> None:
    watermark = Watermark()
    ticket = watermark.issue(Position(offset=1))
    watermark.settle(ticket, Outcome.SKIPPED)

    with pytest.raises(ValueError, match="settled already"):
        watermark.settle(ticket, Outcome.INDEXED)
