"""A Hugging Face hub of one's own for tests: a server on this machine that speaks as much of it as is asked for."""

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote

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
    """Serve the commits of one repository, of which the last is ``main``; yields the address."""
    there = {commit: {file.name: file.read_bytes() for file in _files(base)} for commit, base in commits.items()}
    with hub({REPOSITORY: Stored(False, there)}) as served:
        yield served.address


@dataclass
class Stored:
    """A repository: whether it is private, and its commits with their files, of which the last is ``main``.

    That of a data set has a name that begins with ``datasets/``.
    """

    private: bool
    commits: dict[str, dict[str, bytes]]

    def commit_of(self, revision: str) -> str | None:
        """The commit that a revision means."""
        revision = list(self.commits)[-1] if revision == "main" else revision
        return revision if revision in self.commits else None


@dataclass
class Hub:
    """A hub that is served: what lies in it, who may write to it, and what it was asked.

    Attributes:
        users: token -> the user's name, and whether the token may write.
        large: SHA-256 -> content of what was uploaded apart from a commit.
        asked: method and path of each request.
    """

    address: str
    repositories: dict[str, Stored]
    users: dict[str, tuple[str, bool]]
    large: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def files(self, repository: str) -> dict[str, bytes]:
        """The files of the newest commit."""
        return list(self.repositories[repository].commits.values())[-1]


@contextmanager
def hub(
    repositories: dict[str, Stored] | None = None, users: dict[str, tuple[str, bool]] | None = None
) -> Iterator[Hub]:
    """Serve a hub on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    served = Hub(f"http://127.0.0.1:{server.server_port}", repositories or {}, users or {})
    server.hub = served  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


class _Refusal(Exception):
    """A status other than 200, with the hub's own code for it."""

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.code = code


class _Handler(BaseHTTPRequestHandler):
    """The requests that the hub's library makes to have files and to write them."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def _hub(self) -> Hub:
        found: Hub = self.server.hub  # type: ignore[attr-defined]
        return found

    def _answer(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self._hub.asked.append(f"{self.command} {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            content, headers = self._respond(path, body)
        except _Refusal as refusal:
            return self._send(refusal.status, b"{}", {"X-Error-Code": refusal.code} if refusal.code else {})
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or ""):
            return self._send(206, content[int(wanted[1]) : int(wanted[2]) + 1], headers)
        return self._send(200, content, headers)

    def _respond(self, path: str, body: bytes) -> tuple[Any, dict[str, str]]:
        for pattern, answer in _ROUTES.items():
            if found := re.fullmatch(pattern, path):
                said = answer(self, *found.groups(), *([body] if body else []))
                return said if isinstance(said, tuple) else (said, {})
        raise _Refusal(404)

    def whoami(self) -> Any:
        return {"type": "user", "name": self._user()[0]}

    def card_is_valid(self, _: bytes) -> Any:
        return {"errors": [], "warnings": []}

    def upload(self, oid: str, body: bytes) -> Any:
        assert hashlib.sha256(body).hexdigest() == oid
        self._hub.large[oid] = body
        return b""

    def file(self, repository: str, commit: str, name: str) -> Any:
        content = self._visible(repository).commits[commit].get(name)
        if content is None:
            raise _Refusal(404, "EntryNotFound")
        return content, {"X-Repo-Commit": commit, "ETag": f'"{_sha1(content)}"'}

    def _user(self) -> tuple[str, bool]:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in self._hub.users:
            raise _Refusal(401)
        return self._hub.users[token]

    def _visible(self, repository: str) -> Stored:
        there = self._hub.repositories.get(repository)
        if there is None or there.private:
            try:
                user, _ = self._user()
            except _Refusal:
                raise _Refusal(401, "RepoNotFound") from None
            if there is None or user != repository.partition("/")[0]:
                raise _Refusal(404, "RepoNotFound")
        return there

    def _to_write(self, repository: str) -> Stored:
        there, (user, may_write) = self._visible(repository), self._user()
        if not may_write or user != repository.partition("/")[0]:
            raise _Refusal(403)
        return there

    def described(self, repository: str, what: str | None, revision: str | None, folder: str | None) -> Any:
        there, revision = self._visible(repository), revision or "main"
        commit = there.commit_of(revision)
        if commit is None:
            raise _Refusal(404, "RevisionNotFound")
        found = there.commits[commit]
        if what == "tree":
            return [_entry(name, it) for name, it in found.items() if name.startswith(f"{folder}/" if folder else "")]
        names = [{"rfilename": name} for name in found]
        return {"id": repository, "sha": commit, "private": there.private, "siblings": names}

    def paths_info(self, repository: str, revision: str, body: bytes) -> Any:
        there = self._visible(repository)
        found = there.commits[there.commit_of(revision) or ""]
        asked = parse_qs(body.decode())["paths"]
        return [_entry(name, it) for name, it in found.items() if name in asked]

    def create(self, body: bytes) -> Any:
        asked = json.loads(body)
        user, may_write = self._user()
        name = f"{asked['organization']}/{asked['name']}"
        if not may_write or user != asked["organization"]:
            raise _Refusal(403)
        if name in self._hub.repositories:
            raise _Refusal(409)
        self._hub.repositories[name] = Stored(asked["visibility"] == "private", {OLD: {".gitattributes": b""}})
        return {"url": f"{self._hub.address}/{name}"}

    def preupload(self, repository: str, body: bytes) -> Any:
        there, asked = self._to_write(repository), json.loads(body)
        newest = list(there.commits.values())[-1]

        def said(name: str) -> dict[str, Any]:
            is_large = name.endswith((".safetensors", ".sqlite", ".png"))
            content = newest.get(name)
            oid = content and (hashlib.sha256(content).hexdigest() if is_large else _git_sha1(content))
            return {"path": name, "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False, "oid": oid}

        return {"files": [said(file["path"]) for file in asked["files"]]}

    def batch(self, repository: str, body: bytes) -> Any:
        self._to_write(repository)

        def said(it: dict[str, Any]) -> dict[str, Any]:
            if it["oid"] in self._hub.large:
                return it
            return it | {"actions": {"upload": {"href": f"{self._hub.address}/upload/{it['oid']}"}}}

        return {"transfer": "basic", "objects": [said(it) for it in json.loads(body)["objects"]]}

    def commit(self, repository: str, body: bytes) -> Any:
        there = self._to_write(repository)
        files = dict(list(there.commits.values())[-1])
        for line in map(json.loads, body.splitlines()):
            match line["key"], line["value"]:
                case "header", value:
                    if value.get("parentCommit") not in (None, there.commit_of("main")):
                        raise _Refusal(412)
                case "file", value:
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile", value:
                    files[value["path"]] = self._hub.large[value["oid"]]
                case "deletedFile", value:
                    del files[value["path"]]
        commit = _sha1(body + str(len(there.commits)).encode())
        there.commits[commit] = files
        return {
            "commitUrl": f"{self._hub.address}/{repository}/commit/{commit}",
            "commitOid": commit,
            "pullRequestUrl": None,
        }

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


_REPOSITORY = "((?:datasets/)?[^/]+/[^/]+)"
_ROUTES: dict[str, Callable[..., Any]] = {
    "/api/whoami-v2": _Handler.whoami,
    "/api/validate-yaml": _Handler.card_is_valid,
    "/api/repos/create": _Handler.create,
    "/upload/([0-9a-f]{64})": _Handler.upload,
    f"/{_REPOSITORY}\\.git/info/lfs/objects/batch": _Handler.batch,
    f"/api/models/{_REPOSITORY}/preupload/main": _Handler.preupload,
    f"/api/models/{_REPOSITORY}/commit/main": _Handler.commit,
    f"/api/(?:models/)?{_REPOSITORY}/paths-info/([^/]+)": _Handler.paths_info,
    f"/api/(?:models/)?{_REPOSITORY}(?:/(revision|tree)/([^/]+)(?:/(.+))?)?": _Handler.described,
    f"/{_REPOSITORY}/resolve/([^/]+)/(.+)": _Handler.file,
}
"""Pattern of a path -> what answers it."""


def _entry(name: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": name, "size": len(content), "oid": _sha1(content)}


def _files(base: Path) -> list[Path]:
    return [file for file in sorted(base.iterdir()) if file.is_file()]


def _digest(file: Path) -> str:
    return _sha1(file.read_bytes())


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _git_sha1(content: bytes) -> str:
    return _sha1(b"blob %d\0" % len(content) + content)
