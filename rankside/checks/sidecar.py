"""Checks of the sidecar, as it is seen from here."""

from __future__ import annotations

import time

from plugin.ranking.errors import SidecarRejected
from plugin.ranking.hits import Status
from plugin.ranking.wire import ListwiseCall, WireHit
from rankside.checks.finding import Case, Finding, Level, Side, known

_SEVERAL = (
    WireHit(id="1", score=2.0, text="Windows let light into a house."),
    WireHit(id="2", score=1.0, text="A house is lit by its windows and lamps."),
)
_WAIT = "wait for its model to load; its log says what it does"


async def ready(case: Case) -> Finding:
    """The sidecar answers, and its model is warm."""
    try:
        await case.sidecar.model()
    except SidecarRejected as error:
        remedy = _WAIT if error.status not in {401, 403} else "set RANKSIDE_CLIENT__API_KEY"
        return _problem("sidecar", str(error), remedy)
    if await case.sidecar.ready():
        return _good("sidecar", f"ready at {case.sidecar.url}")
    return _problem("sidecar", f"{case.sidecar.url} is there and not ready", _WAIT)


async def model(case: Case) -> Finding:
    """What it serves."""
    case.card = card = await case.sidecar.model()
    return _good("model", f"{card.id}, {card.dimensions} dimensions, {card.fingerprint}")


async def agreed(case: Case) -> Finding:
    """The index's vectors and the sidecar's are of one model."""
    meta, card = known(case.meta), known(case.card)
    if not meta.fingerprint:
        return _not_run("fingerprint", "the index has none while it is embedded again")
    if meta.fingerprint == card.fingerprint:
        return _good("fingerprint", "index and sidecar have the same")
    return _problem(
        "fingerprint",
        f"the index has {meta.fingerprint} ({meta.model}), the sidecar {card.fingerprint} "
        f"({card.id}): searches keep their first-stage order",
        f"serve {meta.model}, or embed again with `rankside backfill --index {case.index}`",
    )


async def round_trip(case: Case) -> Finding:
    """A tiny listwise call comes back reranked."""
    started = time.perf_counter()
    answer = await case.sidecar.listwise(
        ListwiseCall(query="what lights a house", hits=[*_SEVERAL])
    )
    took = f"{1000 * (time.perf_counter() - started):.0f} ms"
    if answer.status is Status.PASSED_THROUGH:
        return _problem(
            "listwise call",
            f"passed through after {took}: {answer.reason}",
            "the sidecar's log and /metrics say more",
        )
    return _good(
        "listwise call", f"answered in {took}, {answer.timings_ms.total:.0f} ms of it inside"
    )


def _good(name: str, sentence: str) -> Finding:
    return Finding(name, Level.GOOD, sentence, side=Side.SIDECAR)


def _problem(name: str, sentence: str, remedy: str) -> Finding:
    return Finding(name, Level.PROBLEM, sentence, remedy, Side.SIDECAR)


def _not_run(name: str, sentence: str) -> Finding:
    return Finding(name, Level.NOT_RUN, sentence, side=Side.SIDECAR)
