"""Texts to vectors, whatever happens on the way: waits, restarts, texts nobody takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ingest.embedders import DocumentEmbedder
from ingest.retry import patiently
from plugin.ranking.errors import RequestError, SidecarRejected

Embedded = npt.NDArray[np.float32] | None
_REFUSED_TEXT = frozenset({400, 413, 422})


async def embed_texts(
    embedder: DocumentEmbedder,
    texts: Sequence[str],
    *,
    patience: float,
    retried: Callable[[], None],
) -> list[Embedded | str]:
    """For every text its vector float32 (dimensions,), None for an empty one, or why it has none.

    A batch that is refused for what is in it is halved until the culprit stands alone.

    Raises:
        SidecarError: the sidecar failed for ``patience`` seconds.
        Overloaded: it refused the work for as long.
        ModelError: the encoder failed.
    """
    results: list[Embedded | str] = [None] * len(texts)

    async def embed(places: Sequence[int]) -> None:
        try:
            vectors = await patiently(
                lambda: embedder.embed([texts[place] for place in places]),
                patience=patience,
                retried=retried,
            )
        except (SidecarRejected, RequestError) as error:
            if isinstance(error, SidecarRejected) and error.status not in _REFUSED_TEXT:
                raise
            if len(places) == 1:
                results[places[0]] = str(error)
                return
            middle = len(places) // 2
            await embed(places[:middle])
            await embed(places[middle:])
        else:
            for place, vector in zip(places, vectors, strict=True):
                results[place] = vector

    if places := [place for place, text in enumerate(texts) if text]:
        await embed(places)
    return results
