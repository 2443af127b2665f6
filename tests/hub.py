"""A Hugging Face hub of one's own for tests: a server on this machine that speaks as much of it as is asked for."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

REPOSITORY = "dapur/model-saya"
OLD, NEW = "a1" * 20, "b2" * 20
NOBODY = "http://127.0.0.1:9"


def fill_cache(cache: Path, base: Path, commit: str, repository: str = REPOSITORY) -> Path:
    """Lay a base down as the hub's library does: blobs, a snapshot of links to them, and ``main`` that names it.

    Returns:
        The snapshot.
    """
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (folder / "blobs").mkdir(exist_ok=True)
    (folder / "refs").mkdir(exist_ok=True)
    for file in _files(base):
        blob = folder / "blobs" / _digest(file)
        shutil.copyfile(file, blob)
        (snapshot / file.name).symlink_to(Path("../../blobs") / blob.name)
    (folder / "refs" / "main").write_text(commit)
    return snapshot


def use_hub(address: str, patch: pytest.MonkeyPatch) -> None:
    """Have the hub's library ask there, as it does with ``HF_ENDPOINT`` when it is imported."""
    patch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def write_newer_base(base: Path, folder: Path) -> Path:
    """The base with another configuration, as a later commit might have it."""
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 512}), "utf-8")
    return folder


@contextmanager
def serving(commits: dict[str, Path]) -> Iterator[str]:
    """Serve the commits, of which the last is ``main``; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hub, commits))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Hub(BaseHTTPRequestHandler):
    def __init__(self, commits: dict[str, Path], *arguments: object) -> None:
        self._commits = commits
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        *_, newest = self._commits
        api = f"/api/models/{REPOSITORY}"
        if path in (api, f"{api}/revision/main"):
            return self._send(json.dumps({"id": REPOSITORY, "sha": newest, "siblings": []}).encode())
        for commit, base in self._commits.items():
            if path == f"{api}/revision/{commit}":
                return self._send(json.dumps({"id": REPOSITORY, "sha": commit, "siblings": []}).encode())
            if path == f"{api}/tree/{commit}":
                return self._send(json.dumps([_entry(file) for file in _files(base)]).encode())
            for file in _files(base):
                if path == f"/{REPOSITORY}/resolve/{commit}/{file.name}":
                    return self._send(file.read_bytes(), {"X-Repo-Commit": commit, "ETag": f'"{_digest(file)}"'})
        return self.send_error(404)

    def _send(self, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def _files(base: Path) -> list[Path]:
    return [file for file in sorted(base.iterdir()) if file.is_file()]


def _entry(file: Path) -> dict[str, object]:
    return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _digest(file)}


def _digest(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()
