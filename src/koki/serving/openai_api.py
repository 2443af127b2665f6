"""/v1: models and chat completions, as OpenAI's clients ask for them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from koki.inference.answer import Answer
from koki.inference.streaming import Ask
from koki.serving.chat_answer import ChatAnswer, event_of
from koki.serving.chat_request import ChatRequest, ask_of
from koki.serving.errors import error_of
from koki.serving.generation import generate
from koki.serving.koki_facts import facts_of
from koki.serving.service import LOG, Service
from koki.serving.shown_text import ShownText
from koki.terminal import harmless

# The last one asks nginx to pass on each event as it comes.
_EVENTS: Final = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


def openai_api(service: Service, threads: Executor) -> APIRouter:
    """The routes.

    Args:
        threads: in which chefs are asked.
    """
    api = APIRouter(prefix="/v1")

    @api.get("/models")
    async def models() -> dict[str, Any]:
        """The runs that are served."""
        return {"object": "list", "data": [_model(name) for name in service.runs]}

    @api.get("/models/{model}")
    async def model(model: str) -> dict[str, Any]:
        """One of them."""
        return _model(service.run(model).name)

    @api.post("/chat/completions")
    async def complete(asked: ChatRequest, request: Request) -> Response:
        """An answer, whole or as server-sent events."""
        run = service.run(asked.model)
        ask = partial(_ask_shown, ShownText(asked.stops), ask_of(asked, run.chef, book=service.book))
        if service.logs_questions:
            LOG.info("%s: %s", run.name, harmless(asked.messages[-1].text))
        client = request.client.host if request.client else ""
        return _Answering(asked, generate(run, client, ask, threads, service.metrics))

    return api


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "koki"}


def _ask_shown(
    shown: ShownText, ask: Ask, *, on_text: Callable[[str], object], is_cancelled: Callable[[], bool]
) -> Answer:
    """Ask, and tell of the answer what is shown; it ends at a stop text."""

    def tell(text: str) -> None:
        if text:
            on_text(text)

    answer = ask(
        on_text=lambda piece: tell(shown.put(piece)),
        is_cancelled=lambda: shown.is_over or is_cancelled(),
    )
    tell(shown.end())
    return answer


class _Answering(Response):
    """Sends an answer while it is made; where who asked goes away, it is made no further."""

    def __init__(self, asked: ChatRequest, told: AsyncGenerator[str | Answer, None]) -> None:
        super().__init__()
        self._asked = asked
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sends = asyncio.ensure_future(self._stream(send) if self._asked.stream else self._whole(scope, receive, send))
        leaves = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({sends, leaves}, return_when=asyncio.FIRST_COMPLETED)
            if sends.done():
                sends.result()
        finally:
            sends.cancel()
            leaves.cancel()
            await asyncio.gather(sends, leaves, return_exceptions=True)

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = ""
        async with aclosing(self._told):
            async for told in self._told:
                if isinstance(told, Answer):
                    facts = self._facts(told)
                    content = ChatAnswer(self._asked.model).whole(text, told, facts)
                    await JSONResponse(content)(scope, receive, send)
                else:
                    text += told

    async def _stream(self, send: Send) -> None:
        """Nothing is sent before there is a piece, so that what cannot be answered gets its own status."""
        chat = ChatAnswer(self._asked.model)
        has_begun = False
        async with aclosing(self._told):
            try:
                async for told in self._told:
                    if not has_begun:
                        has_begun = True
                        await send({"type": "http.response.start", "status": 200, "headers": _EVENTS})
                        await _send_event(send, chat.begin())
                    if isinstance(told, Answer):
                        facts, usage = self._facts(told), self._asked.wants_usage
                        await _send_event(send, chat.end(told, facts, usage=usage), is_last=True)
                    else:
                        await _send_event(send, chat.piece(told))
            except Exception as error:
                if not has_begun:
                    raise
                await _send_event(send, event_of(error_of(error).as_dict()), is_last=True)
                raise

    def _facts(self, answer: Answer) -> dict[str, Any]:
        return facts_of(answer, strict=self._asked.is_strict)


async def _send_event(send: Send, event: bytes, *, is_last: bool = False) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": not is_last})


async def _disconnected(receive: Receive) -> None:
    """Return once who asked is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
