"""The ASGI app."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.middleware import Middleware

from plugin.models.llm import LLM
from plugin.models.llm_options import LLMOptions
from plugin.sidecar import cohere, errors, health, native, openai, tei
from plugin.sidecar.auth import BearerAuth, KeyFile
from plugin.sidecar.edge import BodyLimit, Edge
from plugin.sidecar.options import SidecarOptions
from plugin.sidecar.sidecar import EncoderSource, OnFatal, Sidecar

_DESCRIPTION = "Listwise reranking: E2Rank, InsertRank, and the calls that other rerankers speak."
_BEARER = Security(HTTPBearer(auto_error=False, description="One of the keys of keys_file."))


def create_app(
    options: SidecarOptions,
    encoder: EncoderSource,
    llm: LLM | None = None,
    *,
    llm_options: LLMOptions | None = None,
    on_fatal: OnFatal | None = None,
) -> FastAPI:
    """The sidecar over an encoder, or over a function that loads one beside the server.

    ``on_fatal`` is called, from any thread, when the model cannot be loaded or can never be used
    again by this process; by default the process is asked to end with SIGTERM.

    Raises:
        SettingsError: the key file cannot be read.
    """
    sidecar = Sidecar(options, encoder, llm, llm_options or LLMOptions(), on_fatal)
    keys = KeyFile(options.keys_file) if options.keys_file else None
    app = FastAPI(
        title="Rankside",
        description=_DESCRIPTION,
        version=version("rankside"),
        lifespan=sidecar.lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a POST's body is not sent twice; 404 says what was wrong
    )
    app.state.sidecar = sidecar
    app.include_router(health.router)
    for module in (native, openai, cohere, tei):
        app.include_router(module.router, dependencies=[_BEARER])
    errors.install(app)
    routes = frozenset(app.openapi()["paths"])
    sidecar.metrics.know_routes((*sorted(routes), "other"))
    app.user_middleware = [
        Middleware(Edge, metrics=sidecar.metrics, routes=routes),
        Middleware(BearerAuth, keys=keys),
        Middleware(BodyLimit, limit=options.max_body_bytes),
    ]
    return app
