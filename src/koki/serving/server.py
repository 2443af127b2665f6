"""The program that listens, until it is told to stop."""

import logging
import socket
import sys
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from koki.errors import ConfigError
from koki.language import _
from koki.serving.service import LOG, Service

# For so long answers that are being given may be given to their end.
_GRACE: Final = 10  # seconds
_MOST_CONNECTIONS: Final = 512


def open_socket(host: str, port: int) -> socket.socket:
    """Where the server will listen, taken, so that no other program takes it meanwhile.

    Raises:
        ConfigError: it cannot listen there.
    """
    try:
        family, *_rest, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two programs listen
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            _("Koki cannot listen on {host}, port {port}: {error}.", host=host, port=port, error=error),
            _("Name another --port or --host."),
        ) from error
    return listening


def require_key(key: str) -> str:
    """A key as it can be sent.

    Raises:
        ConfigError: it is empty, or has characters that no header carries.
    """
    if not key or not key.isascii() or not key.isprintable() or key != key.strip():
        raise ConfigError(
            _("That is no API key."), _("One or more letters, figures and signs, without blanks at its ends.")
        )
    return key


def serve(app: ASGIApp, service: Service, listening: socket.socket) -> None:
    """Listen until Ctrl+C or SIGTERM.

    Those who wait then are sent away; running answers have 10 s to their end, and Ctrl+C again stops at once.
    """
    _log_to_stderr()
    try:
        make_server(app, service).run(sockets=[listening])
    except KeyboardInterrupt:  # the one that it was stopped by, raised anew
        return


def make_server(app: ASGIApp, service: Service) -> uvicorn.Server:
    """What listens."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=30,
        limit_concurrency=_MOST_CONNECTIONS,
        lifespan="off",
        ws="none",
        proxy_headers=False,
    )
    return _Server(config, service)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for run in self._service.runs.values():
            run.line.close()
        await super().shutdown(sockets)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    for log, level in ((LOG, logging.INFO), (logging.getLogger("uvicorn"), logging.WARNING)):
        log.handlers = [handler]
        log.setLevel(level)
        log.propagate = False
