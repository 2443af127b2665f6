"""A served run, and chefs whose engine does as it is told."""

import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from starlette.testclient import TestClient

pytest.importorskip("fastapi", reason="what serves (koki[serve]) is not installed")

from koki.book.store import Book
from koki.inference.chef import Chef
from koki.inference.engine import GREEDY, Ending, Generated, Sampling
from koki.pipeline import TrainResult
from koki.runs.names import BOOK
from koki.serving.app import make_app
from koki.serving.served_run import ServedRun
from koki.serving.service import Service
from koki.tokens.file_tokenizer import read_tokenizer
from koki.tokens.template import ChatTemplate


class Parrot:
    """An engine that says its prompt again, word by word, and counts what it does.

    Attributes:
        may_speak: it waits for this before each word.
        prompts: that it was asked.
        cancelled: how many answers somebody wanted no more of.
        samplings: how it was asked.
    """

    name = "parrot"
    context = 1024

    def __init__(self, template: ChatTemplate, at_once: int = 2) -> None:
        self.at_once = at_once
        self.may_speak = Event()
        self.may_speak.set()
        self.prompts: list[str] = []
        self.samplings: list[Sampling] = []
        self.answering = 0
        self.most_at_once = 0
        self.cancelled = 0
        self._decode = template.decode_question

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        for number, prompt in enumerate(prompts):
            heard = self._decode(list(prompt))
            self.prompts.append(heard)
            self.samplings.append(sampling)
            self.answering += 1
            self.most_at_once = max(self.most_at_once, self.answering)
            said: list[str] = []
            ended_by: Ending = "stop_token"
            for word in heard.split():
                self.may_speak.wait(20)
                said.append(f"{word} ")
                if on_text:
                    on_text(number, said[-1])
                if len(said) == max_new_tokens:
                    ended_by = "max_new_tokens"
                elif is_cancelled and is_cancelled(number):
                    ended_by = "cancelled"
                    self.cancelled += 1
                if ended_by != "stop_token":
                    break
            self.answering -= 1
            yield number, Generated("".join(said), ended_by, len(said), 0.0)


@pytest.fixture(scope="session")
def served_folder(finished_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that may be written to."""
    folder = tmp_path_factory.mktemp("served") / "warung"
    return Path(shutil.copytree(finished_run.folder, folder, ignore=shutil.ignore_patterns("checkpoint-*")))


@pytest.fixture(scope="session")
def book(served_folder: Path) -> Iterator[Book]:
    with Book.open(served_folder / BOOK) as opened:
        yield opened


@pytest.fixture(scope="session")
def template(served_folder: Path) -> ChatTemplate:
    return ChatTemplate(read_tokenizer(served_folder), "Kamu Koki.")


@pytest.fixture
def parrot(template: ChatTemplate) -> Parrot:
    return Parrot(template)


@pytest.fixture
def service(parrot: Parrot, template: ChatTemplate, book: Book, served_folder: Path) -> Service:
    """A service of one run, whose chef answers from memory unless asked otherwise."""
    chef = Chef(parrot, template, book, reads=False)
    return Service({"warung": ServedRun("warung", served_folder, chef)}, book=False)


@pytest.fixture
def client(service: Service) -> TestClient:
    return client_of(service)


def client_of(service: Service, **guarded: Any) -> TestClient:
    """A client of a service, on this machine."""
    app = make_app(service, **guarded)
    return TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


def asking(*said: str, **more: Any) -> dict[str, Any]:
    """A request: what is said in turn, the first and the last by the user."""
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(said)]
    return {"model": "warung", "messages": messages, **more}
