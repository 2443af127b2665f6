"""The page and its files."""

import mimetypes
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles

FOLDER: Final = Path(__file__).parent / "page"

# A browser asks whether its file is still the newest, and gets it only if not.
_HEADERS: Final = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}


class PageFiles(StaticFiles):
    """The files of the page."""

    def __init__(self) -> None:
        mimetypes.add_type("application/manifest+json", ".webmanifest")
        super().__init__(directory=FOLDER)

    def file_response(self, *given: Any, **named: Any) -> Response:
        response = super().file_response(*given, **named)
        response.headers.update(_HEADERS)
        return response


def page_itself(page: PageFiles) -> APIRouter:
    """The route of the page."""
    api = APIRouter()

    @api.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def index(request: Request) -> Response:
        return await page.get_response("index.html", request.scope)

    return api
