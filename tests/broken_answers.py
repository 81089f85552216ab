"""What a broken sidecar answers, and the word that either side passes a search through with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from tests.fake_sidecar import Behaviour, Call, FakeSidecar, refuses, resets, says


class Broken(NamedTuple):
    """A way to fail and the reason that users are given."""

    behaviour: Callable[[FakeSidecar], Behaviour]
    reason: str


def listwise(change: Callable[[FakeSidecar], bytes]) -> Callable[[FakeSidecar], Behaviour]:
    """An answer of `/v1/listwise` that is whole but wrong."""
    return lambda fake: says(200, change(fake))


def ranking(change: Callable[[list[str]], list[str]]) -> Callable[[FakeSidecar], Behaviour]:
    """An answer of `/v1/rank` with other hits than were sent."""

    def behaviour(fake: FakeSidecar) -> Behaviour:
        def behave(call: Call) -> None:
            ids = [hit["id"] for hit in call.body["hits"]]
            call.answer(200, fake.ranking(change(ids)))

        return behave

    return behaviour


def filled(fake: FakeSidecar, value: float) -> bytes:
    """An answer whose vector has this value everywhere."""
    return fake.listwise(np.full(fake.profile.dimensions, value, dtype=np.float32))


UNUSABLE = "unusable_answer"

ANYWHERE: Mapping[str, Broken] = {
    "error 500": Broken(lambda _: refuses(500), "sidecar_rejected"),
    "not ready 503": Broken(lambda _: refuses(503), "sidecar_rejected"),
    "busy 429": Broken(lambda _: refuses(429, {"Retry-After": "3"}), "overloaded"),
    "an error of a proxy": Broken(lambda _: says(502, b"<html>Bad gateway"), "sidecar_rejected"),
    "a page": Broken(lambda _: says(200, b"<html>", {"Content-Type": "text/html"}), UNUSABLE),
    "another object": Broken(lambda _: says(200, b'{"ok": true}'), UNUSABLE),
    "a list": Broken(lambda _: says(200, b"[1]"), UNUSABLE),
    "a tower of brackets": Broken(lambda _: says(200, b'{"a":' * 50_000), UNUSABLE),
    "nothing": Broken(lambda _: says(200, b""), UNUSABLE),
    "half of the JSON": Broken(lambda fake: says(200, fake.listwise()[:900]), UNUSABLE),
    "20 MB": Broken(lambda _: says(200, b"x" * (20 << 20)), UNUSABLE),
    "a reset in the middle": Broken(lambda fake: resets(fake.listwise()), "sidecar_unavailable"),
    "a reset before": Broken(lambda _: Call.reset, "sidecar_unavailable"),
}
"""Whatever was asked."""

OF_LISTWISE: Mapping[str, Broken] = {
    "NaN": Broken(
        listwise(lambda fake: fake.listwise([float("nan")] * fake.profile.dimensions)), UNUSABLE
    ),
    "NaN in base64": Broken(listwise(lambda fake: filled(fake, float("nan"))), UNUSABLE),
    "infinity": Broken(listwise(lambda fake: filled(fake, float("inf"))), UNUSABLE),
    "a zero vector": Broken(listwise(lambda fake: filled(fake, 0.0)), UNUSABLE),
    "7 dimensions": Broken(
        listwise(lambda fake: fake.listwise(np.ones(7, dtype=np.float32))), UNUSABLE
    ),
    "no base64": Broken(listwise(lambda fake: fake.listwise("%%%")), UNUSABLE),
    "a weight of NaN": Broken(
        listwise(lambda fake: fake.listwise(first_stage_weight=float("nan"))), UNUSABLE
    ),
    "a weight below 0": Broken(
        listwise(lambda fake: fake.listwise(first_stage_weight=-1.0)), UNUSABLE
    ),
    "a contradiction": Broken(
        listwise(lambda fake: fake.listwise(status="passed_through")), UNUSABLE
    ),
    "another model": Broken(
        listwise(lambda fake: fake.listwise(fingerprint="0" * 16)), "stale_vectors"
    ),
    "passed through": Broken(
        listwise(
            lambda fake: fake.written(
                vector=None,
                first_stage_weight=0.1,
                signals={},
                status="passed_through",
                reason="encoder_output",
            )
        ),
        "encoder_output",
    ),
}
"""Where a vector was asked for."""

OF_RANK: Mapping[str, Broken] = {
    "a hit missing": Broken(ranking(lambda ids: ids[1:]), UNUSABLE),
    "a hit twice": Broken(ranking(lambda ids: [*ids, ids[0]]), UNUSABLE),
    "a hit twice and one missing": Broken(ranking(lambda ids: [ids[1], *ids[1:]]), UNUSABLE),
    "a hit that was not sent": Broken(ranking(lambda ids: [*ids[1:], "other/1"]), UNUSABLE),
    "no hits": Broken(ranking(lambda _: []), UNUSABLE),
}
"""Where an order was asked for."""
