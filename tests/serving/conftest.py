"""A served run, and chefs whose engine does as it is told."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_helpers import Parrot, client_of
from starlette.testclient import TestClient

from koki.book.store import Book
from koki.inference.chef import Chef
from koki.pipeline import TrainResult
from koki.runs.names import BOOK
from koki.serving.served_run import ServedRun
from koki.serving.service import Service
from koki.tokens.file_tokenizer import read_tokenizer
from koki.tokens.template import ChatTemplate


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
