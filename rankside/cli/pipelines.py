"""`rankside plan|apply|destroy`: what an engine keeps for Rankside, shown before it changes."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer
from rich.text import Text

from connectors.connect import connect
from connectors.engine import Engine
from pipelines import application, planning
from pipelines.application import Outcome, Report, Step
from pipelines.capabilities import require
from pipelines.options import EnginePath, Part
from pipelines.planning import Action, Change, Plan, Wishes
from pipelines.search_body import SearchBody, search_body
from plugin.ranking.errors import PartlyDone, UsageError
from rankside.access import client_options, engine_options, override
from rankside.cli.console import (
    ConfigOption,
    Exit,
    JsonFlag,
    SidecarOption,
    UrlOption,
    err,
    names_of,
    out,
    print_json,
)
from rankside.settings import Settings, load_settings
from rankside.wanted import ModelChoice, removable, wanted

NameOption = Annotated[
    str | None, typer.Option("--name", help="Name of the template and first part of the others.")
]
PatternOption = Annotated[
    list[str] | None,
    typer.Option("--index-pattern", help="Indices the template is for; may be repeated."),
]
FieldsOption = Annotated[
    str | None, typer.Option("--text-fields", help="Fields of a document's text: title,text.")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Registry name; default: what the sidecar serves.")
]
DimensionsOption = Annotated[
    int | None, typer.Option("--dimensions", min=1, help="Length of a document vector.")
]
FingerprintOption = Annotated[
    str | None, typer.Option("--fingerprint", help="Of a --model that is not in the registry.")
]
ShardsOption = Annotated[int | None, typer.Option("--shards", min=1, help="Of a new index.")]
ReplicasOption = Annotated[int | None, typer.Option("--replicas", min=0, help="Of a new index.")]
PathOption = Annotated[
    EnginePath | None,
    typer.Option("--path", help="Who calls the sidecar: Rankside, or the engine by which means."),
]
OnlyOption = Annotated[
    str | None, typer.Option("--only", help="Parts to look at: cluster,template,ingest,search.")
]
EngineSidecarOption = Annotated[
    str | None,
    typer.Option("--engine-sidecar", help="The sidecar's address as the engine reaches it."),
]
AdoptFlag = Annotated[
    bool, typer.Option("--adopt", help="Take over what is there under the names already.")
]
RefreshFlag = Annotated[
    bool, typer.Option("--refresh-secrets", help="Write the sidecar's key again, seen or not.")
]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_STYLES = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.UNCHANGED: ("=", "dim"),
    Action.FOREIGN: ("!", "magenta"),
    Action.DELETE: ("-", "red"),
    Action.ABSENT: ("=", "dim"),
    Action.IN_USE: ("!", "magenta"),
}
_OUTCOMES = {Outcome.DONE: "green", Outcome.FAILED: "red", Outcome.NOT_RUN: "yellow"}


def plan(
    *,
    name: NameOption = None,
    index_pattern: PatternOption = None,
    text_fields: FieldsOption = None,
    model: ModelOption = None,
    dimensions: DimensionsOption = None,
    fingerprint: FingerprintOption = None,
    shards: ShardsOption = None,
    replicas: ReplicasOption = None,
    path: PathOption = None,
    only: OnlyOption = None,
    adopt: AdoptFlag = False,
    refresh_secrets: RefreshFlag = False,
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    engine_sidecar: EngineSidecarOption = None,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show how the engine differs from what it should hold; change nothing."""
    settings = _settings(
        config,
        url,
        sidecar,
        name=name,
        index_patterns=index_pattern,
        text_fields=names_of(text_fields),
        shards=shards,
        replicas=replicas,
        path=path,
        engine_sidecar=engine_sidecar,
    )
    choice = ModelChoice(model, dimensions, fingerprint)
    wishes = Wishes(adopt=adopt, refresh_secrets=refresh_secrets)
    planned, search = asyncio.run(_plan(settings, _parts(only, settings), choice, wishes))
    if as_json:
        print_json(_plan_json(planned) | _search_json(search))
    else:
        _print_plan(planned)
        _print_search(search)


def apply(
    *,
    name: NameOption = None,
    index_pattern: PatternOption = None,
    text_fields: FieldsOption = None,
    model: ModelOption = None,
    dimensions: DimensionsOption = None,
    fingerprint: FingerprintOption = None,
    shards: ShardsOption = None,
    replicas: ReplicasOption = None,
    path: PathOption = None,
    only: OnlyOption = None,
    adopt: AdoptFlag = False,
    refresh_secrets: RefreshFlag = False,
    url: UrlOption = None,
    sidecar: SidecarOption = None,
    engine_sidecar: EngineSidecarOption = None,
    config: ConfigOption = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Show the difference, ask, apply it, and look whether it is gone."""
    settings = _settings(
        config,
        url,
        sidecar,
        name=name,
        index_patterns=index_pattern,
        text_fields=names_of(text_fields),
        shards=shards,
        replicas=replicas,
        path=path,
        engine_sidecar=engine_sidecar,
    )
    choice = ModelChoice(model, dimensions, fingerprint)
    wishes = Wishes(adopt=adopt, refresh_secrets=refresh_secrets)
    parts = _parts(only, settings)
    asyncio.run(_apply(settings, parts, choice, wishes, yes=yes, as_json=as_json))


def destroy(
    *,
    name: NameOption = None,
    only: OnlyOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove what Rankside made under the name, and nothing else; indices and documents stay."""
    settings = _settings(config, url, None, name=name)
    parts = tuple(Part) if only is None else _parts(only, settings)
    asyncio.run(_destroy(settings, parts, yes=yes, as_json=as_json))


async def _plan(
    settings: Settings, parts: Collection[Part], choice: ModelChoice, wishes: Wishes
) -> tuple[Plan, SearchBody | None]:
    async with _engine(settings) as engine:
        planned = await _planned(engine, settings, parts, choice, wishes)
        return planned, search_body(engine.kind, settings.pipelines, parts)


async def _planned(
    engine: Engine,
    settings: Settings,
    parts: Collection[Part],
    choice: ModelChoice,
    wishes: Wishes,
) -> Plan:
    resources = await wanted(settings, engine, parts, choice)
    await require(engine, resources, settings.pipelines.path)
    return await planning.plan(engine, resources, wishes)


async def _apply(
    settings: Settings,
    parts: Collection[Part],
    choice: ModelChoice,
    wishes: Wishes,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    async with _engine(settings) as engine:
        planned = await _planned(engine, settings, parts, choice, wishes)
        if not as_json:
            _print_plan(planned)
        if planned.pending and not planned.foreign:
            _confirm("Apply these changes?", yes=yes, as_json=as_json)
        report = await application.apply(engine, planned, on_step=_watcher(quiet=as_json))
    search = search_body(engine.kind, settings.pipelines, parts)
    if as_json:
        print_json(_report_json(planned, report) | _search_json(search))
    report.raise_if_incomplete()
    if not as_json:
        _print_search(search)


async def _destroy(
    settings: Settings, parts: Collection[Part], *, yes: bool, as_json: bool
) -> None:
    async with _engine(settings) as engine:
        resources = await removable(engine, settings.pipelines, parts)
        planned = await planning.plan_removal(engine, resources)
        if not as_json:
            _print_plan(planned, diffs=False)
        if planned.pending:
            _confirm("Remove these?", yes=yes, as_json=as_json)
        report = await application.remove(engine, planned, on_step=_watcher(quiet=as_json))
    if as_json:
        print_json(_report_json(planned, report))
    report.raise_if_incomplete()
    used = [change.reason for change in planned.changes if change.action is Action.IN_USE]
    if used:
        raise PartlyDone(used[0])


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[Engine]:
    engine = await connect(settings.engine)
    try:
        yield engine
    finally:
        await engine.close()


def _settings(config: str | None, url: str | None, sidecar: str | None, **given: Any) -> Settings:
    """The settings with what was typed put in."""
    settings = load_settings(config)
    return settings.model_copy(
        update={
            "engine": engine_options(settings, url),
            "client": client_options(settings, sidecar),
            "pipelines": override(settings.pipelines, "pipelines", **given),
        }
    )


def _parts(only: str | None, settings: Settings) -> tuple[Part, ...]:
    names = names_of(only)
    if names is None:
        return settings.pipelines.path.parts
    try:
        return tuple(Part(name) for name in names)
    except ValueError as error:
        raise UsageError(f"--only {only}: name some of {', '.join(Part)}") from error


def _confirm(question: str, *, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise UsageError("nothing was changed, since nobody can be asked; say --yes")
    if not typer.confirm(question, err=True):
        err.print("nothing was changed")
        raise typer.Exit(Exit.FAILED)


def _watcher(*, quiet: bool) -> application.OnStep:
    return (lambda _step: None) if quiet else _print_step


def _print_step(step: Step) -> None:
    line = Text(f"{step.outcome}  {step.change.action} {step.change.key}")
    line.stylize(_OUTCOMES[step.outcome], 0, len(step.outcome))
    out.print(line.append(f": {step.error}" if step.error else ""))


def _print_plan(planned: Plan, *, diffs: bool = True) -> None:
    for change in planned.changes:
        sign, style = _STYLES[change.action]
        out.print(Text(f"{sign} {change.action}  {change.key}", style=style))
        if change.reason:
            out.print(Text(f"    {change.reason}"))
        if diffs and change.action is not Action.UNCHANGED:
            _print_diff(change)
    out.print(_summary(planned) if planned.pending else "nothing to do")


def _print_diff(change: Change) -> None:
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in change.diff[2:]:  # without its two lines of file names
        out.print(Text(f"    {line}", style=styles.get(line[:1], "dim")), soft_wrap=True)


def _print_search(search: SearchBody | None) -> None:
    if search is not None:
        out.print("search like this:")
        out.print(Text(str(search)), soft_wrap=True)


def _search_json(search: SearchBody | None) -> dict[str, Any]:
    return {} if search is None else {"search": {"path": search.path, "body": search.body}}


def _summary(planned: Plan) -> str:
    counts = Counter(change.action for change in planned.changes)
    return ", ".join(f"{counts[action]} {action}" for action in Action if counts[action])


def _plan_json(planned: Plan) -> dict[str, Any]:
    changes = [
        {
            "resource": change.key,
            "action": change.action,
            "reason": change.reason,
            "diff": change.diff,
        }
        for change in planned.changes
    ]
    return {"pending": len(planned.pending), "changes": changes}


def _report_json(planned: Plan, report: Report) -> dict[str, Any]:
    steps = {step.change.key: step for step in report.steps}
    changes = []
    for change in planned.changes:
        entry = {"resource": change.key, "action": change.action, "reason": change.reason}
        step = steps.get(change.key)
        if step is not None:
            entry |= {"outcome": step.outcome, "error": step.error}
        changes.append(entry)
    return {"changes": changes, "drift": list(report.drift)}
