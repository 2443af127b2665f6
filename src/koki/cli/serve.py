"""`koki serve`: chefs over HTTP, and a page for cooks."""

import secrets
from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import print_line
from koki.errors import ModelError
from koki.extras import how_to_install
from koki.language import _, choose

EXAMPLES: Final = (
    "koki serve runs/warung",
    "koki serve runs/warung --host 0.0.0.0",
    "koki serve runs/warung runs/katering --port 8080 --feedback",
)


def serve(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders, GGUF files, or runs on the hub; each is a model by its name."),
    ],
    host: Annotated[str, typer.Option("--host", help="127.0.0.1: this machine alone; 0.0.0.0: the network too.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            "--api-key",
            envvar="KOKI_API_KEY",
            help="What clients must send; in a network one is made if none is named.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", help="A site whose pages may ask: https://resep.example.com; several times."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", help="A name by which this server is asked, besides the machine's; several times."
        ),
    ] = None,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Keep what people say of answers in feedback.jsonl of the run.")
    ] = False,
    log_questions: Annotated[bool, typer.Option("--log-questions", help="Write the questions into the log.")] = False,
    engine: options.Engine = None,
    book: options.Book = None,
) -> None:
    """Serve runs: an API like OpenAI's at /v1, and a page for cooks at /. Ctrl+C stops it."""
    _require_serve()

    from koki.runs.pulled import not_written_to, on_hub, run_folder
    from koki.serving.app import make_app
    from koki.serving.guard import require_origins
    from koki.serving.network import is_loopback, qr_code, url_of
    from koki.serving.served_run import load_runs, names_of
    from koki.serving.server import open_socket, require_key, serve
    from koki.serving.service import Service

    is_private = is_loopback(host)
    key = require_key(api_key) if api_key is not None else "" if is_private else secrets.token_urlsafe(16)
    origins = require_origins(allow_origin or [])
    if feedback and (there := next(filter(on_hub, runs), None)):
        raise not_written_to(there)
    named = names_of([run_folder(run) for run in runs])
    listening = open_socket(host, port)  # before the chefs are loaded, which takes a while
    service = Service(load_runs(named, engine), book, feedback, log_questions)
    app = make_app(service, key=key, hosts=[host, *(allow_host or [])], origins=origins)
    listening.listen()
    page = url_of(host, listening.getsockname()[1], key)
    print_line(_("Models: {names}", names=", ".join(service.runs)))
    if not is_private:
        print_line(_("Whoever is in the same network and has the key may ask. For a phone:"))
        print_line(f"\n{qr_code(page)}")
        if api_key is None:
            print_line(_("API key: {key}", key=key))
    print_line(_("Page: {url}", url=page))
    print_line(f"API:  {url_of(host, listening.getsockname()[1])}v1")
    choose("en")  # its log, and what it answers, are read by programs
    serve(app, service, listening)


def _require_serve() -> None:
    """Say what is missing before anything is loaded."""
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import segno  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ModelError(_("To serve, {name} is missing.", name=error.name), how_to_install("serve")) from error
