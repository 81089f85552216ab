"""The stand-in answers the real client as a sidecar would."""

from __future__ import annotations

import numpy as np

from connectors.options import SidecarClientOptions
from connectors.sidecar import SidecarClient
from evaluation.fixed_sidecar import PROMPT_HITS, fixed_sidecar
from plugin.ranking.hits import Hit, Status
from plugin.ranking.wire import ListwiseCall, WireHit


async def test_it_has_a_card_and_always_the_same_vector() -> None:
    with fixed_sidecar(48, "print") as url:
        async with SidecarClient(SidecarClientOptions(url=url)) as client:
            card = await client.model()
            calls = [
                ListwiseCall(query=query, hits=[WireHit.of(Hit("1", 2.0, "text"))])
                for query in ("a", "b")
            ]
            first, second = [await client.listwise(call) for call in calls]
    assert (card.fingerprint, card.dimensions, card.prompt_hits) == ("print", 48, PROMPT_HITS)
    assert first.status is Status.RERANKED
    assert first.model.fingerprint == "print"
    found = first.to_vector()
    assert found is not None
    assert np.linalg.norm(found) == np.float32(1)
    np.testing.assert_array_equal(found, second.to_vector())
