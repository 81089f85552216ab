"""`rankside prompt show|render`: the words of InsertRank's prompt, and what would be sent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from connectors.connect import connect
from connectors.index import catalogue_of
from connectors.query_text import query_text, text_query
from connectors.search_options import PassThrough, SearchOptions
from connectors.target import find_target
from connectors.window import Wanted, window_search
from plugin.models.chat.request import chat_body, llm_tokenizer
from plugin.models.estimate import EstimatingTokenizer
from plugin.models.llm_options import LLMOptions
from plugin.ranking import insertrank
from plugin.ranking.errors import RequestError, UsageError
from plugin.ranking.hits import Hit, Ranking, RankRequest, Strategy
from plugin.ranking.insertrank import Prompt
from plugin.ranking.template import template_names, template_text
from plugin.ranking.wire import RankCall
from rankside.access import engine_options
from rankside.cli.console import ConfigOption, JsonFlag, UrlOption, names_of, out, print_json
from rankside.cli.exits import epilog
from rankside.cli.request_body import request_body
from rankside.settings import Settings, load_settings, wrong_value

STDIN = Path("-")

app = typer.Typer(no_args_is_help=True, help="What an LLM is asked, word by word.")

NameArgument = Annotated[
    str | None, typer.Argument(help="A template; default: all there are.", show_default=False)
]
TextArgument = Annotated[
    str | None, typer.Argument(help="What to search and rank for.", show_default=False)
]
RequestOption = Annotated[
    Path | None,
    typer.Option("--request", help="File with a call of /v1/rank (JSON); - is standard input."),
]
OptionalIndexOption = Annotated[
    str | None, typer.Option("--index", help="Index or alias whose first hits are the passages.")
]
QueryBodyOption = Annotated[
    Path | None,
    typer.Option(help="File with a _search body (JSON); TEXT then only says what to rank for."),
]
TextFieldsOption = Annotated[
    str | None, typer.Option(help="Text fields, with commas; default: the index's own.")
]


@app.command(epilog=epilog("prompt show"))
def show(name: NameArgument = None, *, as_json: JsonFlag = False) -> None:
    """Print the templates of InsertRank's prompt, as they are in their files."""
    texts = {one: template_text(one) for one in ([name] if name else template_names())}
    if as_json:
        print_json(texts)
        return
    for one, text in texts.items():
        out.print(f"[bold]{one}[/]")
        _print(text)


@app.command(epilog=epilog("prompt render"))
def render(
    text: TextArgument = None,
    *,
    request: RequestOption = None,
    index: OptionalIndexOption = None,
    query_body: QueryBodyOption = None,
    text_fields: TextFieldsOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Print exactly what an LLM would be sent: for a request from a file, or for a search.

    Nothing is sent to an LLM. Where it takes several prompts, those are shown that need no answer
    to another one.
    """
    settings = load_settings(config)
    if (request is None) == (index is None):
        raise UsageError("give either --request or --index: one says which passages to rank")
    if request is not None:
        asked = _from_file(request)
    else:
        where = (str(index), text, query_body, names_of(text_fields))
        asked = asyncio.run(_from_index(settings, url, *where))
    _show(_windowed(asked, settings.llm), settings.llm, as_json=as_json)


def _from_file(file: Path) -> RankRequest:
    try:
        read = sys.stdin.read() if file == STDIN else file.read_text(encoding="utf-8")
        return RankCall.model_validate_json(read).to_request()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--request {file} cannot be read: {error}") from error
    except ValidationError as error:
        raise RequestError(
            f"--request {file} is no call of /v1/rank: {wrong_value(error)}"
        ) from error


async def _from_index(
    settings: Settings,
    url: str | None,
    index: str,
    text: str | None,
    file: Path | None,
    fields: tuple[str, ...] | None,
) -> RankRequest:
    """What the client-side search would send the sidecar for its window."""
    body = request_body(text, file, fields, None)
    options = SearchOptions(query_text=text, strategy=Strategy.INSERTRANK, text_fields=fields)
    engine = await connect(engine_options(settings, url))
    try:
        target = await find_target(engine, catalogue_of(engine), index, options)
        if "query" not in body and text and "retriever" not in body:
            body["query"] = text_query(text, target.text_fields)
        wanted = Wanted(texts=settings.llm.window, hits=settings.llm.window)
        found = await window_search(engine, index, body, wanted, target)
    except PassThrough as passed:
        raise passed.error or UsageError(
            f"this search is not reranked: {passed.reason}"
        ) from passed
    finally:
        await engine.close()
    return RankRequest(text or query_text(body), tuple(one.hit for one in found))


def _windowed(request: RankRequest, options: LLMOptions) -> RankRequest:
    window = min(request.window or options.window, options.window)
    return replace(request, strategy=Strategy.INSERTRANK, window=window)


def _show(request: RankRequest, options: LLMOptions, *, as_json: bool) -> None:
    tokenizer = llm_tokenizer(options)
    asking = options.insertrank(tokenizer)
    plan = insertrank.plan(request, asking, tokenizer or EstimatingTokenizer())
    prompts = plan.advance()
    if isinstance(prompts, Ranking):  # nothing to put in order
        prompts = ()
    later = plan.prompts - len(prompts)
    if as_json:
        shown = [_as_json(prompt, plan.hits, options) for prompt in prompts]
        print_json({"counted": tokenizer is not None, "prompts": shown, "later": later})
        return
    for prompt in prompts:
        for turn in prompt.messages:
            out.print(f"[bold]{turn.role}[/]")
            _print(turn.content + "\n")
        out.print(f"[dim]{_summary(prompt, counted=tokenizer is not None)}[/]", highlight=False)
    if later:
        out.print(f"[dim]{later} more, which depend on the answers[/]", highlight=False)


def _summary(prompt: Prompt, *, counted: bool) -> str:
    about = "" if counted else "about "
    parts = [prompt.template, f"{len(prompt.shown)} hits", f"{about}{prompt.tokens:,} tokens"]
    if prompt.truncated:
        parts.append(f"{prompt.truncated} passages cut")
    return " · ".join([*parts, f"sha256 {prompt.digest[:16]}"])


def _as_json(prompt: Prompt, hits: Sequence[Hit], options: LLMOptions) -> dict[str, Any]:
    return {
        "template": prompt.template,
        "sha256": prompt.digest,
        "tokens": prompt.tokens,
        "truncated": prompt.truncated,
        "hits": [hits[place].id for place in prompt.shown],
        "body": chat_body(options, prompt.messages, len(prompt.shown)),
    }


def _print(text: str) -> None:
    """As it is: nothing wrapped, coloured or taken for markup."""
    out.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)
