"""The account of a call."""

from __future__ import annotations

import time

from plugin.sidecar.call import Call
from plugin.sidecar.deadline import Deadline


def test_a_call_counts_from_when_its_request_arrived() -> None:
    arrived = time.monotonic() - 0.5
    call = Call(Deadline.after(2.0, arrived), arrived)
    assert call.timings().total >= 500
    assert 0 < call.deadline.left <= 1.5
