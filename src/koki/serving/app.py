"""All of it together: an ASGI app."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

import koki
from koki.serving.errors import tell_errors
from koki.serving.guard import Guard, Log
from koki.serving.openai_api import openai_api
from koki.serving.page_api import page_api
from koki.serving.page_files import PageFiles, page_itself
from koki.serving.service import Service


def make_app(service: Service, *, key: str = "", hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> ASGIApp:
    """The app that serves.

    Args:
        key, hosts, origins: as `koki.serving.guard.Guard`.
    """
    app: ASGIApp = Guard(_routes(service), key=key, hosts=hosts, origins=origins)
    if origins:
        app = CORSMiddleware(app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["*"])
    return Log(app, service)


def _routes(service: Service) -> FastAPI:
    # the pages about the API that FastAPI makes load scripts from elsewhere
    app = FastAPI(title="Koki", version=koki.__version__, docs_url=None, redoc_url=None)
    tell_errors(app)
    threads = ThreadPoolExecutor(sum(run.chef.at_once for run in service.runs.values()), "koki-answer")
    app.include_router(openai_api(service, threads))
    app.include_router(page_api(service))

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the server listens."""
        return {"status": "ok"}

    @app.get("/metrics")
    async def metrics() -> Response:
        """What is counted."""
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    page = PageFiles()
    app.include_router(page_itself(page))
    app.mount("/page", page)
    return app
