"""Look at engine, index and sidecar, from both sides; every finding has its remedy.

A check that fails ends nothing: the others run, and those that need it are reported as not run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from connectors.sidecar import SidecarClient
from plugin.ranking.errors import RanksideError
from rankside.checks import calls, engine, index, sidecar
from rankside.checks.finding import Case, Check, Finding, Level, Side
from rankside.settings import Settings

_REMEDIES = {
    Side.SETTINGS: "correct the settings",
    Side.ENGINE: "the engine's log says more",
    Side.SIDECAR: "start it with `rankside serve`, or give --sidecar",
}

CHECKS: Sequence[Check] = (
    Check("engine", Side.ENGINE, engine.reachable),
    Check("version", Side.ENGINE, engine.version, ("engine",)),
    Check("plugins", Side.ENGINE, engine.plugins, ("engine",)),
    Check("cluster", Side.ENGINE, engine.health, ("engine",)),
    Check("index", Side.ENGINE, index.exists, ("engine",)),
    Check("index model", Side.ENGINE, index.described, ("index",)),
    Check("vector field", Side.ENGINE, index.mapped, ("index model",)),
    Check("vectors", Side.ENGINE, index.covered, ("index model",)),
    Check("freshness", Side.ENGINE, index.fresh, ("index model",)),
    Check("sidecar", Side.SIDECAR, sidecar.ready),
    Check("model", Side.SIDECAR, sidecar.model, ("sidecar",)),
    Check("fingerprint", Side.SIDECAR, sidecar.agreed, ("index model", "model")),
    Check("listwise call", Side.SIDECAR, sidecar.round_trip, ("model",)),
    Check("engine embeds", Side.ENGINE, calls.embeds, ("engine",)),
    Check("engine reranks", Side.ENGINE, calls.reranks, ("engine",)),
    Check("engine queries", Side.ENGINE, calls.embeds_queries, ("engine",)),
    Check("ingest pipeline", Side.ENGINE, calls.pipeline_agreed, ("engine", "model")),
)


async def examine(
    settings: Settings, index: str | None = None, *, checks: Sequence[Check] = CHECKS
) -> AsyncIterator[Finding]:
    """Run the checks in order, one finding each as it is made."""
    unfit: set[str] = set()
    async with SidecarClient(settings.client) as client:
        case = Case(settings, index, client)
        try:
            for check in checks:
                finding = await _look(check, case, unfit)
                if finding.level in {Level.PROBLEM, Level.NOT_RUN}:
                    unfit.add(check.name)
                yield finding
        finally:
            if case.engine is not None:
                await case.engine.close()


async def _look(check: Check, case: Case, unfit: set[str]) -> Finding:
    missing = [need for need in check.needs if need in unfit]
    if missing:
        sentence = f"needs {' and '.join(missing)}"
        return Finding(check.name, Level.NOT_RUN, sentence, side=check.side)
    try:
        return await check.look(case)
    except RanksideError as error:
        return Finding(check.name, Level.PROBLEM, str(error), _REMEDIES[check.side], check.side)


def worst(findings: Sequence[Finding]) -> Side | None:
    """The side that is to be mended first: settings, engine, sidecar; None where all is well."""
    sides = {finding.side for finding in findings if finding.level is Level.PROBLEM}
    return next((side for side in Side if side in sides), None)
