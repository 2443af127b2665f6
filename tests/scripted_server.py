"""A server in the form of `koki serve` whose answers a test has written, for what no chef does when it is asked to.

It streams piece by piece, waits in the middle, breaks off, is busy, or wants a key; what it serves as the page is the
page.
"""

import json
import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import koki
from koki.answers.check import check, line_of, source_of
from koki.book.reading import Page, Reading

PAGE: Final = Path(koki.__file__).parent / "serving" / "page"
_KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_EXAMPLES: Final = {
    "recipe": "Resep Soto Ayam dong!",
    "simple": "Bahan Soto Ayam apa aja?",
    "recommendation": "Di kulkas ada ayam dan serai. Enaknya dimasak apa?",
    "inquiry": "Enaknya ayam dimasak apa?",
    "tip": "Gimana caranya supaya santan tidak pecah?",
}


@dataclass(frozen=True)
class Scripted:
    """An answer to one question.

    Attributes:
        pieces: of its text.
        koki: what Koki tells besides.
        then: "ends", "waits" until the client goes away, or "breaks" off.
        busy_for: seconds after which to ask again, instead of an answer.
    """

    pieces: tuple[str, ...] = ()
    koki: dict[str, Any] | None = None
    then: str = "ends"
    busy_for: int = 0


@dataclass
class ScriptedServer:
    """Answers the questions that come with what is in `answers`, in order.

    Attributes:
        asked, feedback: the bodies that came.
        keys: the Authorization headers that came with them.
        has_left: the client went away while its answer was not at its end.
    """

    answers: deque[Scripted] = field(default_factory=deque)
    gives_feedback: bool = False
    key: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    has_left: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": self}))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()

    def will_say(self, text: str, reading: Reading | None = None, **more: Any) -> None:
        """Answer the next question with a text, word by word, checked against what was read, where something was."""
        pieces = tuple(re.findall(r"\S+\s*|\s+", text))
        self.answers.append(Scripted(pieces, told(text, reading), **more))


def told(answer: str, reading: Reading | None) -> dict[str, Any]:
    """What the server tells of an answer besides its text."""
    checked = check(answer, reading) if reading else None
    pages: Iterable[Page] = reading.pages if reading else ()
    first = reading.pages[0] if reading and reading.pages else None
    return {
        "sources": [asdict(source_of(page)) for page in pages],
        "check": checked.as_dict() if checked else None,
        "where_it_stands": line_of(checked, reading) if checked and reading else "",
        "wanted": reading.wanted if reading else None,
        "absent": reading.absent if reading else "",
        "recipes": [_recipe(page) for page in pages],
        "missing": list(first.missing) if first else [],
        "at_hand": list(first.at_hand) if first else [],
        "tips": [{"topic": tip.topic, "text": tip.text} for tip in reading.tips] if reading else [],
        "strict": False,
    }


def _recipe(page: Page) -> dict[str, Any]:
    source = asdict(source_of(page))
    return {
        "id": page.recipe.id,
        "name": page.name,
        "times": str(page.times),
        "ingredients": [
            {"line": item.raw, "heading": item.heading, "name": item.name or ""} for item in page.ingredients
        ],
        "steps": list(page.recipe.steps),
        "source": {**source, "file": Path(source["file"]).name},
    }


class _Handler(BaseHTTPRequestHandler):
    script: ScriptedServer

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/api/settings":
            settings = {
                "feedback": self.script.gives_feedback,
                "version": "0",
                "models": ["warung"],
                "examples": _EXAMPLES,
            }
            self._send_json(settings)
        elif path == "/api/ingredients":
            named = [name for name in ("ayam", "serai", "santan") if name.startswith(query.get("q", [""])[0])]
            self._send_json({"ingredients": named})
        else:
            self._send_file(PAGE / ("index.html" if path == "/" else path.removeprefix("/page/")))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.script.keys.append(self.headers["Authorization"])
        if self.script.key and self.headers["Authorization"] != f"Bearer {self.script.key}":
            self._send_json({"error": {"message": "no key"}}, HTTPStatus.UNAUTHORIZED)
        elif self.path == "/api/feedback":
            self.script.feedback.append(body)
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
        else:
            self.script.asked.append(body)
            self._answer(self.script.answers.popleft())

    def _answer(self, answer: Scripted) -> None:
        if answer.busy_for:
            busy = {"error": {"message": "busy"}}
            self._send_json(busy, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": str(answer.busy_for)})
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in answer.pieces:
            self._event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        if answer.then == "waits":
            self._wait()
        elif answer.then == "ends":
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "koki": answer.koki}
            self._event(end)
            self.wfile.write(b"data: [DONE]\n\n")

    def _wait(self) -> None:
        try:
            while True:
                self.wfile.write(b": still here\n\n")
                time.sleep(0.02)
        except OSError:
            self.script.has_left.set()

    def _event(self, event: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def _send_json(self, body: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}, status)

    def _send_file(self, path: Path) -> None:
        headers = {
            "Content-Type": _KINDS[path.suffix],
            "Content-Security-Policy": "default-src 'self'",
            "Service-Worker-Allowed": "/",
        }
        self._send(path.read_bytes(), headers)

    def _send(self, body: bytes, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: tests are quiet."""
